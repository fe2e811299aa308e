import Arrow
import Buffers
import Definitions
import Engine
import Expressions

/// Finds the rows that answer one request, in data files and the live log.
///
/// Steps are read from the newest back until enough rows are found. A live row may belong to any step. Revisions are
/// settled among all rows of the user that were read, before the filter decides; when a later step supersedes a row of an
/// earlier one, rows are selected anew, without reading again.
struct EventCollector {
  /// A row that was read: which of the sources, and its place in that.
  struct RowID: Hashable {
    var source: Int32
    var place: Int32
  }

  /// A row and when its event happened.
  struct Found {
    var micros: Int64
    var id: RowID
  }

  let request: SequenceRequest
  let plan: SequencePlan
  let snapshot: StoreSnapshot
  private let user: UserProbe
  /// The newest first. When the user has live rows, a last one without files takes those that are older than all files.
  let steps: [ReadStep]
  /// Where the window begins, with what may be merged into its events.
  private let fromMicros: Int64?
  /// Those before are steps of the window; what comes after is read only to look back.
  private let windowStepCount: Int
  /// The derived columns that are asked for.
  let computers: [HistoryComputer]
  private let derived: [String: DerivedColumns]
  let retractions: [String: [Retraction]]
  private let keyColumns: [String]

  /// Those of the live log first.
  var sources: [UserRows]
  /// Of each step read so far, the rows that the filter keeps, in their order.
  private(set) var candidates: [[Found]] = []
  /// The live rows that the filter keeps and that were given to no step yet, by time; nil before the first step.
  private var live: [Found]?
  /// Newest first.
  private(set) var found: [Found] = []
  /// Nil where events are given out as they are.
  var merging: EventMerging?
  /// The events that the derived columns see, newest first; none when no such column is asked for.
  var history: [Found] = []
  private var capped: [String: Int] = [:]
  private(set) var cut: Set<SequenceEvents.Cut> = []
  var coverage: [String: RunReport.Coverage] = [:]

  /// Whether rows of one event may have been read from several places.
  var mayRepeat: Bool
  var identities = IdentityTable()
  /// The sources whose rows are among `identities`.
  var settledSourceCount = 0
  var superseded: Set<RowID> = []
  /// Content hashes of the rows of those sources in which they had to decide.
  var contents: [Int32: [UInt64]] = [:]

  init(_ snapshot: StoreSnapshot, _ live: LiveRows, _ request: SequenceRequest, _ plan: SequencePlan) {
    self.request = request
    self.plan = plan
    self.snapshot = snapshot
    user = UserProbe(request.user)
    let datasets = plan.datasets.compactMap { snapshot.datasets[$0] }
    sources = live.sources.compactMap { source in
      guard plan.datasets.contains(source.dataset) else { return nil }
      let rows = snapshot.datasets[source.dataset].map { source.hidden(by: $0.horizons) } ?? source
      return rows.rows.isEmpty ? nil : UserRows(rows)
    }
    mayRepeat = !sources.isEmpty
    computers = plan.computed.history.filter { computer in
      request.columns.contains { $0.name == computer.column.name }
    }
    merging = EventMerging(plan, request)
    fromMicros = request.fromMicros.map { [merging] in $0.addingSaturated(-(merging?.lookBackMicros ?? 0)) }
    (steps, windowStepCount) = Self.steps(
      datasets, request, of: user, from: fromMicros, looksBack: !computers.isEmpty, hasLive: !sources.isEmpty)
    derived = Dictionary(uniqueKeysWithValues: datasets.map { ($0.name, $0.derived) })
    retractions = Dictionary(
      uniqueKeysWithValues: datasets.map { dataset in
        (dataset.name, dataset.retractions[request.user].filter { $0.seenMicros <= request.knownAtMicros ?? .max })
      }.filter { !$0.1.isEmpty })
    let matchesTypes =
      plan.eventTypes.values.contains { $0 != nil } || !request.caps.isEmpty || request.eventTypes != nil
    let returnsTypes = request.columns.contains { $0.name == SystemColumns.eventType }
    let hasRetractions = !retractions.isEmpty
    keyColumns =
      [SystemColumns.ts, SystemColumns.revision]
      + (matchesTypes || returnsTypes || hasRetractions ? [SystemColumns.eventType] : [])
      + (hasRetractions ? [SystemColumns.eventKey] : [])
      + (request.knownAtMicros != nil ? [SystemColumns.seenAt] : [])
  }

  /// The steps of the window, then those that may have to be read to look back.
  private static func steps(
    _ datasets: [DatasetSnapshot], _ request: SequenceRequest, of user: UserProbe, from: Int64?, looksBack: Bool,
    hasLive: Bool
  ) -> ([ReadStep], windowCount: Int) {
    let rest = hasLive ? [ReadStep.rest] : []
    var steps = ReadStep.steps(datasets, of: user, from: looksBack ? nil : from, until: request.untilMicros)
    guard looksBack, let from else { return (steps + rest, steps.count + rest.count) }
    let first = Day(micros: from)
    var windowCount = steps.firstIndex { $0.lastDay! < first } ?? steps.count
    if hasLive {
      steps.insert(ReadStep(startMicros: from, files: []), at: windowCount)
      windowCount += 1
    }
    return (steps + rest, windowCount)
  }

  /// Reads steps, newest first, until enough rows are found, and on as far as derived columns look back.
  mutating func collect(using context: inout DecodingContext) throws(StoreError) {
    repeat {
      while try !select(using: &context) {}
    } while try !lookBack(using: &context)
  }

  /// Selects among the steps' rows.
  /// - Returns: false when a row of an earlier step turned out to be superseded, so that all must be selected anew.
  private mutating func select(using context: inout DecodingContext) throws(StoreError) -> Bool {
    (found, capped, cut) = ([], [:], [])
    merging?.restart()
    for step in 0..<windowStepCount {
      if found.count >= request.last, step == 0 || isMerged(before: steps[step - 1].startMicros ?? .min) {
        if hasRows(step) { cut.insert(.length) }
        return true
      }
      if step == candidates.count {
        let known = superseded.count
        try read(steps[step], using: &context)
        if isStale(since: known) { return false }
      }
      try take(candidates[step])
    }
    if windowStepCount < steps.count, hasOlderLiveRows { cut.insert(.window) }
    return true
  }

  /// Whether what is superseded by now was selected.
  func isStale(since known: Int) -> Bool {
    guard superseded.count > known else { return false }
    return merging != nil || found.contains { superseded.contains($0.id) }
  }

  /// Whether live rows are left that no step of the window took.
  private var hasOlderLiveRows: Bool {
    if live?.isEmpty == false { return true }
    return candidates.dropFirst(windowStepCount).joined().contains { sources[Int($0.id.source)].isLive }
  }

  /// Whether the step may have rows: files may, as long as nobody has looked.
  private func hasRows(_ step: Int) -> Bool {
    if !steps[step].files.isEmpty { return true }
    return step < candidates.count ? !candidates[step].isEmpty : live?.isEmpty == false
  }

  // MARK: Reading

  mutating func read(_ step: ReadStep, using context: inout DecodingContext) throws(StoreError) {
    if live == nil { try readLive(using: &context) }
    let first = sources.count
    for (dataset, file) in step.files where overlaps(file) {
      let derived = derived[dataset] ?? DerivedColumns()
      sources += try file.rows(of: user, dataset: dataset, deriving: derived, using: &context)
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
    try settle(using: &context)
    candidates.append(rows)
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

  /// A source's rows that its filter keeps, in their order.
  private mutating func candidates(_ index: Int, using context: inout DecodingContext) throws(StoreError) -> [Found] {
    let isLive = sources[index].isLive
    try sources[index].load(keyColumns + (isLive ? [SystemColumns.retracted] : []), using: &context)
    let filter = plan.computed.filter
    if let filter { try sources[index].derive(Array(filter.columnNames), using: &context) }
    let source = sources[index]
    let ts = try source.key(SystemColumns.ts, .timestampMicrosUTC).values
    let revisions = try source.key(SystemColumns.revision, .int32).values
    let retracted: Bitmap? = isLive ? try source.key(SystemColumns.retracted, .boolean).bits : nil
    try addMergeInputs(index, using: &context)
    let kept: Bitmap? = if let filter { try self.kept(source, filter, using: &context) } else { nil }
    let known = try known(source)
    var rows: [Found] = []
    rows.reserveCapacity(source.count)
    for number in 0..<source.count {
      let place = source.place(number)
      if revisions.load(place, as: Int32.self) > 0 { mayRepeat = true }
      if let kept, !kept[place] { continue }
      if let retracted, retracted[place] { continue }
      if let known, !known[place] { continue }
      let id = RowID(source: Int32(index), place: Int32(place))
      rows.append(Found(micros: ts.load(place, as: Int64.self), id: id))
    }
    return rows
  }

  /// The rows that had arrived by the time that the request asks for; nil: all.
  func known(_ source: UserRows) throws(StoreError) -> Bitmap? {
    guard let limit = request.knownAtMicros else { return nil }
    let seen = try source.key(SystemColumns.seenAt, .timestampMicrosUTC).values
    return Bitmap((0..<source.rows.count).map { seen.load($0, as: Int64.self) <= limit })
  }

  /// The rows for which the sequence's filter holds.
  private func kept(
    _ source: UserRows, _ filter: CheckedExpression, using context: inout DecodingContext
  ) throws(StoreError) -> Bitmap {
    let batch = try source.columns(plan.filterFields, at: 0..<source.rows.count, using: &context)
    return filter.evaluate(batch: batch).trueRows
  }

  /// Brings the rows of several sources into order (ts, event_type, event_key).
  private mutating func sort(_ rows: inout [Found], using context: inout DecodingContext) throws(StoreError) {
    rows.sort { ($0.micros, $0.id.source, $0.id.place) < ($1.micros, $1.id.source, $1.id.place) }
    guard zip(rows, rows.dropFirst()).contains(where: { $0.micros == $1.micros }) else { return }
    for index in Set(rows.map(\.id.source)) {
      try sources[Int(index)].load([SystemColumns.eventType, SystemColumns.eventKey], using: &context)
    }
    rows.sort { $0.micros == $1.micros ? precedes($0.id, $1.id) : $0.micros < $1.micros }
  }

  private func precedes(_ left: RowID, _ right: RowID) -> Bool {
    let (one, other) = (sources[Int(left.source)], sources[Int(right.source)])
    for name in [SystemColumns.eventType, SystemColumns.eventKey] {
      guard let column = one.keys[name], let second = other.keys[name] else { continue }
      let order = column.compare(Int(left.place), second, Int(right.place))
      if order != 0 { return order < 0 }
    }
    return (left.source, left.place) < (right.source, right.place)
  }

  // MARK: Selection

  /// Selects among the rows of one step, newest first.
  private mutating func take(_ rows: [Found]) throws(StoreError) {
    for row in rows.reversed() {
      if row.micros >= request.untilMicros ?? .max { continue }
      if merging != nil {
        guard try takeMerged(row) else { return }
        continue
      }
      if row.micros < request.fromMicros ?? .min {
        cut.insert(.window)
        return
      }
      guard try isWanted(row.id), try isAsked(row.id) else { continue }
      guard found.count < request.last else {
        cut.insert(.length)
        return
      }
      if try isWithinCap(row.id) { found.append(row) }
    }
  }

  /// Selects a row if it is the newest of its group.
  /// - Returns: false when no older one can matter.
  private mutating func takeMerged(_ row: Found) throws(StoreError) -> Bool {
    let isBefore = row.micros < request.fromMicros ?? .min
    let isFull = found.count >= request.last
    guard try isWanted(row.id), let group = begin(row), try isAsked(row.id) else { return true }
    if isBefore || isFull {
      cut.insert(isBefore ? .window : .length)
      return !isMerged(before: row.micros.addingSaturated(1))
    }
    if try isWithinCap(row.id) {
      found.append(row)
      noteFound(inGroup: group)
    }
    return true
  }

  func isWanted(_ row: RowID) throws(StoreError) -> Bool {
    if !superseded.isEmpty, superseded.contains(row) { return false }
    let dataset = sources[Int(row.source)].dataset
    if let types = plan.eventTypes[dataset] ?? nil, !types.contains(try eventType(row)) { return false }
    return try !isRetracted(row, in: dataset)
  }

  /// Whether the request wants events of its type.
  private func isAsked(_ row: RowID) throws(StoreError) -> Bool {
    guard let types = request.eventTypes else { return true }
    return types.contains(try eventType(row))
  }

  private mutating func isWithinCap(_ row: RowID) throws(StoreError) -> Bool {
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

  func eventType(_ row: RowID) throws(StoreError) -> String {
    let column = try sources[Int(row.source)].key(SystemColumns.eventType, .utf8)
    if case .dictionary(_, let values) = column.storage { return values.string(column.dictionaryIndex(Int(row.place))) }
    return column.string(Int(row.place))
  }
}
