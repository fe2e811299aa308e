import Arrow
import Buffers

// Events are in the order (ts, event_type, event_key).

extension EventCollector {
  /// Brings the rows of several sources into order. Most are when they come; only those of one time are looked at closer.
  mutating func sort(_ rows: inout [Found], using context: inout DecodingContext) throws(StoreError) {
    rows.sort { $0.micros < $1.micros }
    guard zip(rows, rows.dropFirst()).contains(where: { $0.micros == $1.micros }) else { return }
    guard let order = try tieOrder(of: rows, using: &context) else { return }
    var start = rows.startIndex
    while start < rows.endIndex {
      var end = start + 1
      while end < rows.endIndex, rows[end].micros == rows[start].micros { end += 1 }
      if end - start > 1 {
        let keyed = rows[start..<end].map { (key: order.key(of: $0.id), row: $0) }
        for (place, next) in keyed.sorted(by: { $0.key < $1.key }).enumerated() { rows[start + place] = next.row }
      }
      start = end
    }
  }

  /// - Returns: nil where it cannot be told of what was kept.
  private mutating func tieOrder(
    of rows: [Found], using context: inout DecodingContext
  ) throws(StoreError) -> TieOrder? {
    var areIn = [Bool](repeating: false, count: sources.count)
    for row in rows { areIn[Int(row.id.source)] = true }
    guard needIdentities(of: areIn.indices.filter { areIn[$0] }) else { return nil }
    var order = TieOrder(sourceCount: sources.count)
    for source in sources.indices where areIn[source] {
      try sources[source].load([.eventType, .eventKey], using: &context)
      order.add(try sources[source].codedTypes(), keys: try sources[source].values(.eventKey), of: source)
    }
    return order
  }
}

/// The order of rows that are of one time.
private struct TieOrder {
  private struct Source {
    let types: CodedTypes
    /// Int64 each.
    let keys: Buffer
    /// By the types' codes.
    var ranks: [Int32] = []
  }

  private var sources: [Source?]

  init(sourceCount: Int) { sources = [Source?](repeating: nil, count: sourceCount) }

  mutating func add(_ types: CodedTypes, keys: Buffer, of source: Int) {
    sources[source] = Source(types: types, keys: keys)
    let lists = sources.compactMap { $0?.types.names }
    // Most stores have one list of names, which is in order.
    let isOne = lists.allSatisfy { $0 === lists[0] }
    let names = isOne ? lists[0].names : Set(lists.flatMap(\.names)).sorted()
    for place in sources.indices where sources[place] != nil {
      sources[place]!.ranks = sources[place]!.types.names.names.map { Int32(names.firstIndex(of: $0)!) }
    }
  }

  func key(of row: EventCollector.RowID) -> (type: Int32, key: Int64, source: Int32, place: Int32) {
    let (source, place) = (sources[Int(row.source)]!, Int(row.place))
    let type = source.ranks[Int(source.types.codes.load(place, as: Int32.self))]
    return (type, source.keys.load(place, as: Int64.self), row.source, row.place)
  }
}
