import Arrow
import ArrowKernels
import Buffers
import Definitions
import Expressions

// Which of a source's rows are the sequence's events is decided a column at a time.

extension EventCollector {
  mutating func read(_ step: ReadStep, using context: inout DecodingContext) throws(StoreError) {
    if live == nil { try readLive(using: &context) }
    let first = sources.count
    for (dataset, file) in step.files where overlaps(file) {
      sources += try file.rows(
        of: user, dataset: dataset, deriving: datasets[dataset]!.derived, using: &context)
    }
    var rows: [Found] = []
    for index in first..<sources.count {
      let own = try candidates(index, using: &context)
      if rows.isEmpty { rows = own } else { rows += own }
    }
    let added = sources[first...]
    if added.contains(where: { $0.selected != nil }) || Set(added.map(\.dataset)).count < added.count {
      mayRepeat = true
    }
    let early = live!.prefix { $0.micros < step.startMicros ?? .min }.count
    rows += live![early...]
    let isMixed = added.count > 1 || early < live!.count
    live!.removeSubrange(early...)
    if isMixed || added.contains(where: { $0.selected != nil }) { try sort(&rows, using: &context) }
    candidates.append(rows)
    try settle(using: &context)
  }

  private mutating func readLive(using context: inout DecodingContext) throws(StoreError) {
    var rows: [Found] = []
    for index in sources.indices { rows += try candidates(index, using: &context) }
    live = rows.sorted { $0.micros < $1.micros }
  }

  private func overlaps(_ file: StoreFile) -> Bool {
    guard let times = file.times else { return true }
    let from = computers.isEmpty ? fromMicros : nil
    return times.upperBound >= from ?? .min && times.lowerBound < request.untilMicros ?? .max
  }

  /// A source's rows of events that the sequence has, in their order.
  private mutating func candidates(_ index: Int, using context: inout DecodingContext) throws(StoreError) -> [Found] {
    let isLive = sources[index].isLive
    try sources[index].load(isLive ? keyColumns + [.retracted] : keyColumns, using: &context)
    try addMergeInputs(index, using: &context)
    var wanted = WantedRows(sources[index], number: Int32(index))
    if let filter = plan.computed.filter { wanted.keep(try kept(index, filter, using: &context)) }
    if isLive { wanted.drop(try sources[index].key(.retracted).bits) }
    if let known = try known(sources[index]) { wanted.keep(known) }
    let (times, revisions) = (try sources[index].values(.ts), try sources[index].values(.revision))
    if !mayRepeat { mayRepeat = wanted.haveCorrections(revisions) }
    guard hasTypes else { return wanted.rows(times) }
    let types = try sources[index].codedTypes()
    let dataset = sources[index].dataset
    var gone: (UserRetractions, keys: Buffer, revisions: Buffer)?
    if let known = retractions[dataset] { gone = (known, try sources[index].values(.eventKey), revisions) }
    return wanted.rows(times, types.codes, numbers: numbers(of: types.names, dataset), without: gone)
  }

  /// The numbers of names as types, -1 for those that the sequence does not have of the dataset.
  private mutating func numbers(of names: TypeNames, _ dataset: Int) -> [Int32] {
    for known in typeNumbers where known.names === names && known.dataset == dataset { return known.numbers }
    let wanted = wantedTypes[dataset]
    let numbers = names.names.map { wanted?.contains($0) ?? true ? types.number(of: $0) : -1 }
    typeNumbers.append((names, dataset, numbers))
    return numbers
  }

  /// The rows that had arrived by the time that the request asks for; nil: all.
  func known(_ source: UserRows) throws(StoreError) -> Bitmap? {
    guard let limit = request.knownAtMicros else { return nil }
    let seen = try source.values(.seenAt)
    return Bitmap((0..<source.rows.count).map { seen.load($0, as: Int64.self) <= limit })
  }

  /// The rows for which the sequence's filter holds.
  private mutating func kept(
    _ index: Int, _ filter: CheckedExpression, using context: inout DecodingContext
  ) throws(StoreError) -> Bitmap {
    let rows = 0..<sources[index].rows.count
    return filter.evaluate(batch: try sources[index].columns(plan.filterFields, at: rows, using: &context)).trueRows
  }

  /// Brings the rows of several sources into order (ts, event_type, event_key).
  private mutating func sort(_ rows: inout [Found], using context: inout DecodingContext) throws(StoreError) {
    rows.sort { ($0.micros, $0.id.source, $0.id.place) < ($1.micros, $1.id.source, $1.id.place) }
    guard zip(rows, rows.dropFirst()).contains(where: { $0.micros == $1.micros }) else { return }
    for index in Set(rows.map(\.id.source)) {
      try sources[Int(index)].load([.eventType, .eventKey], using: &context)
    }
    rows.sort { $0.micros == $1.micros ? precedes($0.id, $1.id) : $0.micros < $1.micros }
  }

  private func precedes(_ left: RowID, _ right: RowID) -> Bool {
    let order = UserRows.order(
      sources[Int(left.source)], Int(left.place), sources[Int(right.source)], Int(right.place))
    return order != 0 ? order < 0 : (left.source, left.place) < (right.source, right.place)
  }
}
