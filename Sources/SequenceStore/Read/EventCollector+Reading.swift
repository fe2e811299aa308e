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
    try sources[index].load(keyColumns + (sources[index].isLive ? [.retracted] : []), using: &context)
    try addMergeInputs(index, using: &context)
    var wanted = WantedRows(count: sources[index].rows.count)
    if let filter = plan.computed.filter { wanted.keep(try kept(index, filter, using: &context)) }
    let source = sources[index]
    if source.isLive { wanted.drop(try source.key(.retracted).bits) }
    if let known = try known(source) { wanted.keep(known) }
    let types = try types(of: source)
    let revisions = try source.key(.revision).values
    if let types {
      wanted.dropNegatives(types)
      if let gone = retractions[source.dataset] {
        gone.drop(from: &wanted, types: types, keys: try source.key(.eventKey).values, revisions: revisions)
      }
    }
    if !mayRepeat { mayRepeat = source.hasPositive(revisions) }
    return wanted.rows(of: source, Int32(index), try source.key(.ts).values, types)
  }

  /// The number of each row's event type, Int32, -1 for those that the sequence has not; nil where types do not matter.
  private mutating func types(of source: UserRows) throws(StoreError) -> Buffer? {
    guard hasTypes else { return nil }
    let wanted = wantedTypes[source.dataset]
    let coded = try source.key(.eventType).dictionaryEncoded()!
    guard case .dictionary(let indices, let names) = coded.storage else { return nil }
    var numbers: [Int32] = []
    numbers.reserveCapacity(names.count)
    for place in 0..<names.count {
      let number = types.number(of: names.bytes(place))
      numbers.append(wanted?.contains(types.name(number)) ?? true ? number : -1)
    }
    let isWide = coded.type == .dictionary(index: .int32, value: .utf8, isOrdered: false)
    return numbers.span.taken(isWide ? indices : coded.dictionaryIndices())
  }

  /// The rows that had arrived by the time that the request asks for; nil: all.
  func known(_ source: UserRows) throws(StoreError) -> Bitmap? {
    guard let limit = request.knownAtMicros else { return nil }
    let seen = try source.key(.seenAt).values
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

extension UserRows {
  /// Whether one of the user's rows has a number above 0, of Int32 each.
  fileprivate func hasPositive(_ values: Buffer) -> Bool {
    let values = values.span(of: Int32.self)
    if selected == nil {
      var highest: Int32 = 0
      for place in 0..<rows.count { highest = max(highest, values[place]) }
      return highest > 0
    }
    return selected!.contains { values[Int($0)] > 0 }
  }
}

extension Span<Int32> {
  /// The elements at `places`, Int32 each.
  fileprivate func taken(_ places: Buffer) -> Buffer {
    let places = places.span(of: Int32.self)
    var output = BufferBuilder(capacity: places.count * 4)
    for row in 0..<places.count { output.append(self[Int(places[row])]) }
    return output.finish()
  }
}
