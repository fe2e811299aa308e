/// Rows that were read, a bit for each: few words are looked at for many rows.
struct RowSet {
  /// By source, then by place; as far as some are in.
  private var words: [[UInt64]] = []
  private(set) var count = 0

  func contains(_ row: EventCollector.RowID) -> Bool {
    let (source, place) = (Int(row.source), Int(row.place))
    guard source < words.count, place / 64 < words[source].count else { return false }
    return words[source][place / 64] >> UInt64(place % 64) & 1 == 1
  }

  mutating func insert(_ row: EventCollector.RowID) {
    guard !contains(row) else { return }
    let (source, place) = (Int(row.source), Int(row.place))
    while words.count <= source { words.append([UInt64]()) }
    let missing = place / 64 + 1 - words[source].count
    if missing > 0 { words[source] += repeatElement(0, count: missing) }
    words[source][place / 64] |= 1 << UInt64(place % 64)
    count += 1
  }
}
