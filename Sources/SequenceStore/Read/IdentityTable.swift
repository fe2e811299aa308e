import ArrowKernels

/// Finds rows of equal event keys among many: open addressing, at most half full.
struct IdentityTable {
  private struct Slot {
    var key: Int64 = 0
    /// Entry + 1 of the newest entry of the key, or 0.
    var entry: Int32 = 0
  }

  private var slots: [Slot] = []
  private(set) var rows: [EventCollector.RowID] = []
  /// Per entry, the one before it of the same key; -1 for the first.
  private var earlier: [Int32] = []

  /// Makes room for so many more, of some `total` that may come.
  mutating func reserve(_ count: Int, of total: Int) {
    let needed = max(rows.count + count, min(total, 512))
    rows.reserveCapacity(needed)
    earlier.reserveCapacity(needed)
    if needed * 2 > slots.count { grow(needed) }
  }

  /// - Returns: the latest entry of the key before this one; nil when it is the first.
  mutating func add(_ key: Int64, _ row: EventCollector.RowID) -> Int? {
    if (rows.count + 1) * 2 > slots.count { grow(rows.count + 1) }
    let slot = slot(of: key)
    let latest = slots[slot].entry - 1
    rows.append(row)
    earlier.append(latest)
    slots[slot] = Slot(key: key, entry: Int32(rows.count))
    return latest < 0 ? nil : Int(latest)
  }

  /// The entry of the same key before `entry`.
  func entry(before entry: Int) -> Int? { earlier[entry] < 0 ? nil : Int(earlier[entry]) }

  private func slot(of key: Int64) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: Hash64.of(key)) & mask
    while slots[slot].entry != 0, slots[slot].key != key { slot = (slot + 1) & mask }
    return slot
  }

  private mutating func grow(_ needed: Int) {
    let old = slots
    var count = max(64, slots.count * 2)
    while count < needed * 2 { count *= 2 }
    slots = [Slot](repeating: Slot(), count: count)
    for known in old where known.entry != 0 { slots[slot(of: known.key)] = known }
  }
}
