import Arrow
import Buffers
import Definitions

// Identity is (event_type, event_key). Of the rows of one event the highest revision holds, of equal ones the row seen
// first, then the one of the lower content hash; one that only says that lower revisions are gone holds, too, and is not answered.

extension EventCollector {
  /// Finds the rows read that another row of their event stands above; they are no candidates any more.
  mutating func settle(using context: inout DecodingContext) throws(StoreError) {
    guard mayRepeat else { return }
    guard readCount > 1 || sources.contains(where: { $0.isLive || $0.selected != nil }) else { return }
    guard needIdentities(of: unsettled.map(\.source)) else { return }
    let before = superseded.count
    let keptCount = kept.reduce(0) { $0 + ($1?.rows.count ?? 0) }
    identities.reserve(
      unsettled.reduce(0) { $0 + $1.rows.count }, of: keptCount > 0 ? min(keptCount, request.last) : request.last)
    for part in unsettled { try settle(part, using: &context) }
    unsettled = []
    if superseded.count > before { dropSuperseded() }
  }

  private mutating func settle(_ part: SourcePart, using context: inout DecodingContext) throws(StoreError) {
    let index = part.source
    try sources[index].load([.eventKey], using: &context)
    let (keys, known, selected) = (try sources[index].values(.eventKey), try known(part), sources[index].selected)
    var pairs: [RowPair] = []
    for number in 0..<(selected?.count ?? part.rows.count) {
      let offset = selected.map { Int($0[number]) } ?? number
      if let known, !known[offset] { continue }
      let place = part.rows.lowerBound + offset
      let row = RowID(source: Int32(index), place: Int32(place))
      var earlier = identities.add(keys.load(place, as: Int64.self), row)
      while let entry = earlier {
        pairs.append((identities.rows[entry], row))
        earlier = identities.entry(before: entry)
      }
    }
    for pair in pairs { try decide(pair, among: pairs, using: &context) }
  }

  /// Rows of an equal event key, the one that was found first before the other.
  private typealias RowPair = (first: RowID, second: RowID)

  private mutating func dropSuperseded() {
    for step in candidates.indices { candidates[step].removeAll { superseded.contains($0.id) } }
    live.removeAll { superseded.contains($0.id) }
  }

  /// Marks one of two rows, if both hold so far and are of one type.
  private mutating func decide(
    _ pair: RowPair, among pairs: [RowPair], using context: inout DecodingContext
  ) throws(StoreError) {
    let (one, other) = pair
    guard !superseded.contains(one), !superseded.contains(other) else { return }
    for row in [one, other] { try sources[Int(row.source)].load([.eventType, .seenAt, .revision], using: &context) }
    guard try eventType(one) == eventType(other) else { return }
    superseded.insert(try stands(other, above: one, among: pairs, using: &context) ? one : other)
  }

  private func eventType(_ row: RowID) throws(StoreError) -> String {
    let column = try sources[Int(row.source)].key(.eventType)
    if case .dictionary(_, let values) = column.storage { return values.string(column.dictionaryIndex(Int(row.place))) }
    return column.string(Int(row.place))
  }

  private mutating func stands(
    _ row: RowID, above other: RowID, among pairs: [RowPair], using context: inout DecodingContext
  ) throws(StoreError) -> Bool {
    let (own, others) = (try rank(row), try rank(other))
    if own != others { return own < others }
    return try contentHash(row, among: pairs, using: &context) < contentHash(other, among: pairs, using: &context)
  }

  /// Read when it is first asked for, for all rows of the source, or of the kept file, that the pairs have: few rows come to
  /// that, but where some do, more may.
  private mutating func contentHash(
    _ row: RowID, among pairs: [RowPair], using context: inout DecodingContext
  ) throws(StoreError) -> UInt64 {
    if let known = contents[row] { return known }
    if let (dataset, part) = keptPart(of: row) {
      return try contents(ofFile: part.file, dataset, using: &context)[Int(row.place) - part.rows.lowerBound]
    }
    let rows = Set(pairs.flatMap { [$0.first, $0.second] }.filter { $0.source == row.source && contents[$0] == nil })
    let (source, places) = (Int(row.source), rows.map { Int($0.place) }.sorted())
    let fields = try eventFields(sources[source].dataset)
    let hashes = try sources[source].contentHashes(fields, at: places, using: &context)
    for (place, hash) in zip(places, hashes) { contents[RowID(source: row.source, place: Int32(place))] = hash }
    return contents[row]!
  }

  /// Of a file's rows, of which not all columns are kept.
  private mutating func contents(
    ofFile id: UInt32, _ dataset: Int, using context: inout DecodingContext
  ) throws(StoreError) -> [UInt64] {
    if let known = keptContents[id] { return known }
    let snapshot = datasets[dataset]!
    var hashes: [UInt64] = []
    for file in snapshot.files where file.id == id {
      for var rows in try file.rows(of: user, dataset: dataset, deriving: snapshot.derived, using: &context) {
        hashes += try rows.contentHashes(try eventFields(dataset), at: Array(0..<rows.rows.count), using: &context)
      }
    }
    keptContents[id] = hashes
    return hashes
  }

  private func eventFields(_ dataset: Int) throws(StoreError) -> [Field] { try datasets[dataset]?.eventFields() ?? [] }

  /// The dataset and the part of what is kept that a row is of; nil for one that was read now.
  private func keptPart(of row: RowID) -> (dataset: Int, KeptRows.Part)? {
    let place = Int(row.place)
    guard let dataset = kept.firstIndex(where: { $0?.index == Int(row.source) }) else { return nil }
    return kept[dataset]!.rows.parts.first { $0.rows.contains(place) }.map { (dataset, $0) }
  }

  /// What stands higher is less.
  private func rank(_ row: RowID) throws(StoreError) -> (Int64, Int64) {
    let revision = try value(.revision, row, as: Int32.self)
    return (-Int64(revision), try value(.seenAt, row, as: Int64.self))
  }

  private func value<T: BitwiseCopyable>(_ key: KeyColumn, _ row: RowID, as: T.Type) throws(StoreError) -> T {
    try sources[Int(row.source)].values(key).load(Int(row.place), as: T.self)
  }
}
