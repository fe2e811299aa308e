import ArrowKernels

/// Leaves of every event of a user the one row that holds, and puts them in order.
///
/// Identity is (event_type, event_key). The highest revision wins; of equal ones the row seen first, then the one of the
/// lower content hash: so the outcome does not depend on the order of arrival.
struct RevisionResolver {
  /// Whether an event that was taken back stays as the row that says so.
  let keepsRetractions: Bool
  /// How many rows gave way to another row of their event.
  private(set) var supersededCount = 0
  /// Open addressing over the entries of the user in hand: entry + 1, or 0.
  private var slots: [Int32] = []

  init(keepsRetractions: Bool) { self.keepsRetractions = keepsRetractions }

  /// - Parameter entries: all rows of one user, in any order; afterwards those that hold, in order.
  mutating func resolve(_ entries: inout [EventEntry], _ rows: some EventRows) {
    let dropped = entries.count <= 8 ? compareAll(&entries, rows) : lookUpAll(&entries, rows)
    supersededCount += dropped
    let hasRetractions = !keepsRetractions && entries.contains(where: \.isRetracted)
    if dropped > 0 || hasRetractions {
      let keepsRetractions = keepsRetractions
      entries.removeAll { $0.isDropped || ($0.isRetracted && !keepsRetractions) }
    }
    for index in entries.indices.dropFirst() where entries[index].precedes(entries[index - 1]) {
      entries.sort { $0.precedes($1) }
      return
    }
  }

  /// For few entries: each against each.
  private func compareAll(_ entries: inout [EventEntry], _ rows: some EventRows) -> Int {
    var dropped = 0
    for index in entries.indices.dropFirst() {
      for earlier in 0..<index where !entries[earlier].isDropped && entries[index].isSameEvent(as: entries[earlier]) {
        dropped += 1
        if decide(&entries, earlier, index, rows) == earlier { break }
      }
    }
    return dropped
  }

  private mutating func lookUpAll(_ entries: inout [EventEntry], _ rows: some EventRows) -> Int {
    var slotCount = 32
    while slotCount < entries.count * 2 { slotCount *= 2 }
    slots.removeAll(keepingCapacity: true)
    slots.append(contentsOf: repeatElement(0, count: slotCount))
    var dropped = 0
    for index in entries.indices {
      let hash = Hash64.combine(
        UInt64(bitPattern: entries[index].eventKey), UInt64(UInt32(bitPattern: entries[index].typeRank)))
      var slot = Int(truncatingIfNeeded: hash) & (slotCount - 1)
      while slots[slot] > 0 && !entries[index].isSameEvent(as: entries[Int(slots[slot]) - 1]) {
        slot = (slot + 1) & (slotCount - 1)
      }
      if slots[slot] == 0 {
        slots[slot] = Int32(index + 1)
      } else {
        dropped += 1
        slots[slot] = Int32(decide(&entries, Int(slots[slot]) - 1, index, rows) + 1)
      }
    }
    return dropped
  }

  /// Drops one of two entries of the same event, and answers which one stays.
  private func decide(_ entries: inout [EventEntry], _ earlier: Int, _ later: Int, _ rows: some EventRows) -> Int {
    let isLaterBetter = Self.wins(entries[later], over: entries[earlier], rows)
    entries[isLaterBetter ? earlier : later].isDropped = true
    return isLaterBetter ? later : earlier
  }

  private static func wins(_ a: EventEntry, over b: EventEntry, _ rows: some EventRows) -> Bool {
    if a.revision != b.revision { return a.revision > b.revision }
    if a.seenAt != b.seenAt { return a.seenAt < b.seenAt }
    return !rows.areEqual(a.row, b.row) && rows.hash(a.row) < rows.hash(b.row)
  }
}
