import Arrow
import ArrowKernels
import Buffers
import Definitions
import Expressions
import Parquet

/// Finds the rows that answer one request.
struct EventCollector {
  /// A row that was found: which of the sources, and its place in that.
  struct Found: Hashable {
    var micros: Int64
    var source: Int32
    var place: Int32
  }

  /// A row by its place in the store.
  private struct RowPlace: Hashable {
    var path: String
    var group: Int
    var row: Int
  }

  private let request: SequenceRequest
  private let plan: SequencePlan
  private let user: UserProbe
  /// The newest days first, with the files of all datasets.
  private let days: [BucketGroup<(dataset: String, file: StoreFile)>]
  private let derived: [String: DerivedColumns]
  private let retractions: [String: [Retraction]]
  private let keyColumns: [String]

  private var sources: [UserRows] = []
  /// Newest first.
  private var found: [Found] = []
  private var superseded: Set<RowPlace> = []
  private var capped: [String: Int] = [:]
  /// Whether rows of one event may have been read from several places.
  private var mayRepeat = false
  private(set) var cut: Set<SequenceEvents.Cut> = []

  init(_ snapshot: StoreSnapshot, _ request: SequenceRequest, _ plan: SequencePlan) {
    self.request = request
    self.plan = plan
    user = UserProbe(request.user)
    let datasets = plan.datasets.compactMap { snapshot.datasets[$0] }
    days = Self.merge(datasets, request)
    derived = Dictionary(uniqueKeysWithValues: datasets.map { ($0.name, $0.derived) })
    retractions = Dictionary(
      uniqueKeysWithValues: datasets.map { dataset in
        (dataset.name, dataset.retractions[request.user].filter { $0.seenMicros <= request.knownAtMicros ?? .max })
      }.filter { !$0.1.isEmpty })
    let matchesTypes = plan.eventTypes.values.contains { $0 != nil } || !request.caps.isEmpty
    let returnsTypes = request.columns.contains { $0.name == SystemColumns.eventType }
    let hasRetractions = !retractions.isEmpty
    keyColumns =
      [SystemColumns.ts, SystemColumns.revision]
      + (matchesTypes || returnsTypes || hasRetractions ? [SystemColumns.eventType] : [])
      + (hasRetractions ? [SystemColumns.eventKey] : [])
      + (request.knownAtMicros != nil ? [SystemColumns.seenAt] : [])
  }

  private static func merge(
    _ datasets: [DatasetSnapshot], _ request: SequenceRequest
  ) -> [BucketGroup<(dataset: String, file: StoreFile)>] {
    var files: [(bucket: Bucket, file: (dataset: String, file: StoreFile))] = []
    let first = request.fromMicros.map { Day(micros: $0) }
    let last = request.untilMicros.map { Day(micros: $0 == .min ? $0 : $0 - 1) }
    for dataset in datasets {
      for (bucket, own) in dataset.buckets
      where bucket.days.upperBound >= first ?? bucket.days.upperBound
        && bucket.days.lowerBound <= last ?? bucket.days.lowerBound
      {
        files += own.map { (bucket, (dataset.name, $0)) }
      }
    }
    return BucketGroup.groups(files)
  }

  // MARK: Selection

  /// Reads days, newest first, until enough rows are found.
  mutating func collect(using context: inout DecodingContext) throws(StoreError) {
    (sources, found, capped, mayRepeat, cut) = ([], [], [:], false, [])
    for group in days {
      guard found.count < request.last else {
        cut.insert(.length)
        return
      }
      let first = sources.count
      for (dataset, file) in group.files where overlaps(file) {
        let derived = derived[dataset] ?? DerivedColumns()
        sources += try file.rows(of: user, dataset: dataset, deriving: derived, using: &context)
      }
      mayRepeat = mayRepeat || sources.count - first > 1
      for index in first..<sources.count { try sources[index].load(keyColumns, using: &context) }
      try take(first..<sources.count, using: &context)
    }
  }

  private func overlaps(_ file: StoreFile) -> Bool {
    guard let times = file.times else { return true }
    return times.upperBound >= request.fromMicros ?? .min && times.lowerBound < request.untilMicros ?? .max
  }

  /// Selects among the rows of one group of buckets, newest first.
  private mutating func take(_ range: Range<Int>, using context: inout DecodingContext) throws(StoreError) {
    var rows: [Found] = []
    for index in range {
      let candidates = try candidates(index, using: &context)
      if range.count == 1 { rows = candidates } else { rows += candidates }
    }
    if range.count > 1 || range.contains(where: { sources[$0].selected != nil }) { try sort(&rows, using: &context) }
    for row in rows.reversed() {
      if row.micros >= request.untilMicros ?? .max { continue }
      if row.micros < request.fromMicros ?? .min {
        cut.insert(.window)
        return
      }
      guard try isWanted(row) else { continue }
      guard found.count < request.last else {
        cut.insert(.length)
        return
      }
      if try isWithinCap(row) { found.append(row) }
    }
  }

  /// A source's rows that its filter keeps, in their order.
  private mutating func candidates(_ index: Int, using context: inout DecodingContext) throws(StoreError) -> [Found] {
    let filter = plan.filters[sources[index].dataset]
    if let filter { try sources[index].derive(Array(filter.columnNames), using: &context) }
    let source = sources[index]
    let ts = try source.key(SystemColumns.ts, .timestampMicrosUTC).values
    let revisions = try source.key(SystemColumns.revision, .int32).values
    let kept: Bitmap? = if let filter { try self.kept(source, filter, using: &context) } else { nil }
    let seen = try request.knownAtMicros.map { _ throws(StoreError) in
      try source.key(SystemColumns.seenAt, .timestampMicrosUTC).values
    }
    var rows: [Found] = []
    rows.reserveCapacity(source.count)
    for number in 0..<source.count {
      let place = source.place(number)
      if revisions.load(place, as: Int32.self) > 0 { mayRepeat = true }
      if let kept, !kept[place] { continue }
      if let seen, seen.load(place, as: Int64.self) > request.knownAtMicros ?? .max { continue }
      rows.append(Found(micros: ts.load(place, as: Int64.self), source: Int32(index), place: Int32(place)))
    }
    return rows
  }

  /// The rows for which the sequence's filter holds.
  private func kept(
    _ source: UserRows, _ filter: CheckedExpression, using context: inout DecodingContext
  ) throws(StoreError) -> Bitmap {
    var columns: [ArrowArray] = []
    var fields: [Field] = []
    for name in filter.columnNames {
      guard let field = plan.columns.first(where: { $0.name == name }) else { continue }
      fields.append(field)
      columns.append(try column(field, of: source, rows: source.rows, using: &context))
    }
    return filter.evaluate(batch: RecordBatch(Schema(fields), columns, rowCount: source.rows.count)).trueRows
  }

  /// Brings the rows of several sources into order (ts, event_type, event_key).
  private mutating func sort(_ rows: inout [Found], using context: inout DecodingContext) throws(StoreError) {
    rows.sort { ($0.micros, $0.source, $0.place) < ($1.micros, $1.source, $1.place) }
    guard zip(rows, rows.dropFirst()).contains(where: { $0.micros == $1.micros }) else { return }
    for index in Set(rows.map(\.source)) {
      try sources[Int(index)].load([SystemColumns.eventType, SystemColumns.eventKey], using: &context)
    }
    rows.sort { $0.micros == $1.micros ? precedes($0, $1) : $0.micros < $1.micros }
  }

  private func precedes(_ left: Found, _ right: Found) -> Bool {
    let (one, other) = (sources[Int(left.source)], sources[Int(right.source)])
    for name in [SystemColumns.eventType, SystemColumns.eventKey] {
      guard let column = one.keys[name], let second = other.keys[name] else { continue }
      let order = column.compare(Int(left.place), second, Int(right.place))
      if order != 0 { return order < 0 }
    }
    return (left.source, left.place) < (right.source, right.place)
  }

  private func isWanted(_ row: Found) throws(StoreError) -> Bool {
    let source = sources[Int(row.source)]
    if !superseded.isEmpty, superseded.contains(place(of: row)) { return false }
    if let types = plan.eventTypes[source.dataset] ?? nil, !types.contains(try eventType(row)) { return false }
    guard let gone = retractions[source.dataset] else { return true }
    let type = try eventType(row)
    let key = try source.key(SystemColumns.eventKey, .int64).values.load(Int(row.place), as: Int64.self)
    let revision = try source.key(SystemColumns.revision, .int32).values.load(Int(row.place), as: Int32.self)
    return !gone.contains { $0.eventKey == key && $0.eventType == type && $0.revision > revision }
  }

  private mutating func isWithinCap(_ row: Found) throws(StoreError) -> Bool {
    guard !request.caps.isEmpty else { return true }
    let type = try eventType(row)
    guard let cap = request.caps[type] else { return true }
    let count = capped[type, default: 0]
    if count >= cap {
      cut.insert(.cap)
      return false
    }
    capped[type] = count + 1
    return true
  }

  private func eventType(_ row: Found) throws(StoreError) -> String {
    let column = try sources[Int(row.source)].key(SystemColumns.eventType, .utf8)
    if case .dictionary(_, let values) = column.storage { return values.string(column.dictionaryIndex(Int(row.place))) }
    return column.string(Int(row.place))
  }

  private func place(of row: Found) -> RowPlace {
    let source = sources[Int(row.source)]
    return RowPlace(path: source.path, group: source.group, row: source.rows.lowerBound + Int(row.place))
  }

  // MARK: Revisions

  /// Marks the rows found that another row of the same event stands above; answers whether there are any, so that rows
  /// must be collected again without them.
  mutating func dropSuperseded(using context: inout DecodingContext) throws(StoreError) -> Bool {
    guard mayRepeat, Set(found.map(\.source)).count > 1 else { return false }
    for index in Set(found.map(\.source)) { try sources[Int(index)].load([SystemColumns.eventKey], using: &context) }
    var byKey: [Int64: [Found]] = [:]
    for row in found {
      let key = try sources[Int(row.source)].key(SystemColumns.eventKey, .int64).values
      byKey[key.load(Int(row.place), as: Int64.self), default: []].append(row)
    }
    var hasDropped = false
    for rows in byKey.values where rows.count > 1 {
      for index in Set(rows.map(\.source)) {
        try sources[Int(index)].load([SystemColumns.eventType, SystemColumns.seenAt], using: &context)
      }
      for losers in try losers(among: rows) {
        superseded.insert(place(of: losers))
        hasDropped = true
      }
    }
    return hasDropped
  }

  /// All but the one that holds, per event type.
  private func losers(among rows: [Found]) throws(StoreError) -> [Found] {
    var best: [String: Found] = [:]
    var losers: [Found] = []
    for row in rows {
      let type = try eventType(row)
      guard let other = best[type] else {
        best[type] = row
        continue
      }
      let isBetter = try stands(row, above: other)
      losers.append(isBetter ? other : row)
      if isBetter { best[type] = row }
    }
    return losers
  }

  private func stands(_ row: Found, above other: Found) throws(StoreError) -> Bool {
    func rank(_ row: Found) throws(StoreError) -> (Int32, Int64) {
      let source = sources[Int(row.source)]
      let revision = try source.key(SystemColumns.revision, .int32).values.load(Int(row.place), as: Int32.self)
      let seen = try source.key(SystemColumns.seenAt, .timestampMicrosUTC).values.load(Int(row.place), as: Int64.self)
      return (revision, seen)
    }
    let (mine, its) = (try rank(row), try rank(other))
    return mine.0 != its.0 ? mine.0 > its.0 : mine.1 < its.1
  }

  // MARK: Columns

  /// The wanted columns of the rows found, oldest first.
  mutating func events(using context: inout DecodingContext) throws(StoreError) -> RecordBatch {
    let schema = Schema(request.columns)
    guard !found.isEmpty else {
      return RecordBatch(empty: schema)
    }
    var used: [Int32: (range: Range<Int>, batch: Int32)] = [:]
    var order: [Int32] = []
    for row in found {
      let place = Int(row.place)
      if let known = used[row.source] {
        let range = min(known.range.lowerBound, place)..<max(known.range.upperBound, place + 1)
        used[row.source] = (range, known.batch)
      } else {
        used[row.source] = (place..<place + 1, Int32(order.count))
        order.append(row.source)
      }
    }
    var batches: [RecordBatch] = []
    for index in order {
      try sources[Int(index)].derive(schema.fields.map(\.name), using: &context)
      batches.append(try batch(Int(index), used[index]!.range, schema, using: &context))
    }
    var rows = BufferBuilder(capacity: found.count * MemoryLayout<RowReference>.stride)
    for row in found.reversed() {
      let (range, batch) = used[row.source]!
      rows.append(RowReference(source: batch, row: row.place - Int32(range.lowerBound)))
    }
    return RecordBatch.interleave(batches, rows.finish())
  }

  /// The wanted columns of places `range` of a source.
  private func batch(
    _ index: Int, _ range: Range<Int>, _ schema: Schema, using context: inout DecodingContext
  ) throws(StoreError) -> RecordBatch {
    let source = sources[index]
    let rows = source.rows.lowerBound + range.lowerBound..<source.rows.lowerBound + range.upperBound
    let unread = schema.fields.filter { source.keys[$0.name] == nil }
    let places = unread.map { source.file.file.schema.columnIndex(of: $0.name) }
    let read = try source.read(places.compactMap(\.self), rows: rows, using: &context)
    var columns: [ArrowArray] = []
    for field in schema.fields {
      let column = source.keys[field.name]?.slice(range) ?? read[field.name]
      columns.append(try conform(column, to: field, count: range.count, source.path))
    }
    return RecordBatch(schema, columns, rowCount: range.count)
  }

  private func column(
    _ field: Field, of source: UserRows, rows: Range<Int>, using context: inout DecodingContext
  ) throws(StoreError) -> ArrowArray {
    if let known = source.keys[field.name] { return try conform(known, to: field, count: rows.count, source.path) }
    guard let index = source.file.file.schema.columnIndex(of: field.name) else {
      return ArrowArray(nulls: field.type, count: rows.count)
    }
    let batch = try source.read([index], rows: rows, using: &context)
    return try conform(batch.columns[0], to: field, count: rows.count, source.path)
  }

  private func conform(
    _ column: ArrowArray?, to field: Field, count: Int, _ path: String
  ) throws(StoreError) -> ArrowArray {
    guard let column else { return ArrowArray(nulls: field.type, count: count) }
    do {
      return try column.conformed(to: field.type, column: field.name)
    } catch { throw StoreError(error, at: path) }
  }
}
