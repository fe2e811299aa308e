import ArrowKernels

/// Finds rows of equal event keys among many: open addressing, at most half full.
struct IdentityTable {
  /// Entry + 1 of the newest entry of a key, or 0.
  private var slots: [Int32] = []
  private var keys: [Int64] = []
  private(set) var rows: [EventCollector.RowID] = []
  /// Per entry, the one before it of the same key; -1 for the first.
  private var earlier: [Int32] = []

  /// - Returns: the latest entry of the key before this one; nil when it is the first.
  mutating func add(_ key: Int64, _ row: EventCollector.RowID) -> Int? {
    if (rows.count + 1) * 2 > slots.count { grow() }
    let slot = slot(of: key)
    let latest = slots[slot] - 1
    keys.append(key)
    rows.append(row)
    earlier.append(latest)
    slots[slot] = Int32(rows.count)
    return latest < 0 ? nil : Int(latest)
  }

  /// The entry of the same key before `entry`.
  func entry(before entry: Int) -> Int? { earlier[entry] < 0 ? nil : Int(earlier[entry]) }

  private func slot(of key: Int64) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: Hash64.of(key)) & mask
    while slots[slot] != 0, keys[Int(slots[slot]) - 1] != key { slot = (slot + 1) & mask }
    return slot
  }

  private mutating func grow() {
    slots = [Int32](repeating: 0, count: max(64, slots.count * 2))
    for entry in rows.indices { slots[slot(of: keys[entry])] = Int32(entry + 1) }
  }
}
