import Arrow
import Buffers
import Definitions

// Identity is (event_type, event_key). Of the rows of one event the highest revision holds, of equal ones the row seen
// first, then the one of the lower content hash; one that only says that lower revisions are gone holds, too, and is not answered.

extension EventCollector {
  /// Marks the rows read that another row of their event stands above.
  mutating func settle(using context: inout DecodingContext) throws(StoreError) {
    guard mayRepeat else { return }
    guard sources.count > 1 || sources.contains(where: { $0.isLive || $0.selected != nil }) else { return }
    for index in settledSourceCount..<sources.count {
      try sources[index].load([SystemColumns.eventKey], using: &context)
      let source = sources[index]
      let keys = try source.key(SystemColumns.eventKey, .int64).values
      let known = try known(source)
      for number in 0..<source.count {
        let place = source.place(number)
        if let known, !known[place] { continue }
        let row = RowID(source: Int32(index), place: Int32(place))
        var earlier = identities.add(keys.load(place, as: Int64.self), row)
        while let entry = earlier {
          try decide(identities.rows[entry], row, using: &context)
          earlier = identities.entry(before: entry)
        }
      }
    }
    settledSourceCount = sources.count
  }

  /// Marks one of two rows of an equal key, if both hold so far and are of one type.
  private mutating func decide(
    _ one: RowID, _ other: RowID, using context: inout DecodingContext
  ) throws(StoreError) {
    guard !superseded.contains(one), !superseded.contains(other) else { return }
    for row in [one, other] {
      let names = [SystemColumns.eventType, SystemColumns.seenAt]
      try sources[Int(row.source)].load(names, using: &context)
    }
    guard try eventType(one) == eventType(other) else { return }
    superseded.insert(try stands(other, above: one, using: &context) ? one : other)
  }

  private mutating func stands(
    _ row: RowID, above other: RowID, using context: inout DecodingContext
  ) throws(StoreError) -> Bool {
    let (own, others) = (try rank(row), try rank(other))
    if own != others { return own < others }
    return try contentHash(row, using: &context) < contentHash(other, using: &context)
  }

  /// Read for all rows of a source when it is first asked for: few rows come to that.
  private mutating func contentHash(_ row: RowID, using context: inout DecodingContext) throws(StoreError) -> UInt64 {
    if let known = contents[row.source] { return known[Int(row.place)] }
    let source = sources[Int(row.source)]
    let hashes = try source.contentHashes(snapshot.datasets[source.dataset]?.eventFields() ?? [], using: &context)
    contents[row.source] = hashes
    return hashes[Int(row.place)]
  }

  /// What stands higher is less.
  private func rank(_ row: RowID) throws(StoreError) -> (Int64, Int64) {
    (-Int64(try revision(row)), try value(SystemColumns.seenAt, .timestampMicrosUTC, row, as: Int64.self))
  }

  private func revision(_ row: RowID) throws(StoreError) -> Int32 {
    try value(SystemColumns.revision, .int32, row, as: Int32.self)
  }

  private func value<T: BitwiseCopyable>(
    _ name: String, _ type: DataType, _ row: RowID, as: T.Type
  ) throws(StoreError) -> T {
    try sources[Int(row.source)].key(name, type).values.load(Int(row.place), as: T.self)
  }

  /// Whether the dataset's table of retractions says that the event is gone.
  func isRetracted(_ row: RowID, in dataset: String) throws(StoreError) -> Bool {
    guard let gone = retractions[dataset] else { return false }
    let type = try eventType(row)
    let key = try value(SystemColumns.eventKey, .int64, row, as: Int64.self)
    let revision = try revision(row)
    return gone.contains { $0.eventKey == key && $0.eventType == type && $0.revision > revision }
  }
}
