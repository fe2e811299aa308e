import Arrow
import Buffers
import Definitions
import Engine

/// Finds the rows that answer one request, in data files and the live log.
///
/// Steps are read from the newest back until enough rows are found. A live row may belong to any step. Revisions are
/// settled among all rows of the user that were read, before the filter decides; when a later step supersedes a row of an
/// earlier one, rows are selected anew, without reading again.
struct EventCollector: ~Copyable {
  /// A row that was read: which of the sources, and its place in that.
  struct RowID: Hashable {
    var source: Int32
    var place: Int32
  }

  /// Some of a source's rows.
  struct SourcePart {
    var source: Int
    var rows: Range<Int>
  }

  /// A row and when its event happened.
  struct Found {
    var micros: Int64
    var id: RowID
    /// As `EventTypeRules` numbers it.
    var type: Int32
  }

  let request: SequenceRequest
  let plan: SequencePlan
  let reading: ColumnReading
  let user: UserProbe
  /// The plan's, in its order; nil where there is none.
  let datasets: [DatasetSnapshot?]
  var steps: ReadSteps
  /// Where the window begins, with what may be merged into its events.
  let fromMicros: Int64?
  /// By dataset.
  let retractions: [UserRetractions?]
  /// Whether the rows' types are known.
  let hasTypes: Bool
  let keyColumns: [KeyColumn]
  var types: EventTypeRules
  /// The numbers of lists of names that sources have.
  var typeNumbers: [(names: TypeNames, dataset: Int, numbers: [Int32])] = []

  /// Those of the live log first.
  var sources: [UserRows]
  /// By dataset, what was kept of the user's rows.
  var kept: [KeptSource?]
  /// The days of which something is known, of every dataset the same: those that are whole are read without looking for files.
  var knownGroups: [KeptDays.Group] = []
  /// The files that were looked into.
  var visits: [Visit] = []
  /// Whether there is something to be kept that was not kept before.
  var keepsRows = false
  /// How often only the newest rows of a step were read: that is too much to be kept.
  var splitCount = 0
  /// Of each step read so far, the rows of the sequence's events, in their order.
  var candidates: [[Found]] = []
  /// The live rows of the sequence's events that were given to no step yet, by time.
  var live: [Found] = []
  /// From this time on all live events are there, in microseconds; of those before the corrections.
  let liveFromMicros: Int64
  /// Whether a step was made for just what happened from then on, so that the next ones lack live rows.
  var isPastLive = false
  /// Whether steps had to be read for which live rows are missing: what was found is not the answer.
  private(set) var lacksLiveRows = false
  /// Whether what rows are told apart by is needed.
  private(set) var needsIdentities: Bool
  /// Whether it turned out to be needed of rows that were kept without: what was found is not the answer.
  private(set) var lacksIdentities = false
  /// Newest first.
  var found: [Found] = []
  /// Nil where events are given out as they are.
  var merging: EventMerging?
  /// The events that the derived columns see, newest first; none when no such column is asked for.
  var history: [Found] = []
  private(set) var cut: Set<SequenceEvents.Cut> = []

  /// Whether rows of one event may have been read from several places.
  var mayRepeat: Bool
  /// Whether rows of which no two are of one event may be of one with rows of other places.
  var mayCorrectOthers = false
  var identities = IdentityTable()
  /// Rows that were read, of how many sources and files; those that are not among `identities` yet.
  var readCount = 0
  var unsettled: [SourcePart] = []
  var superseded = RowSet()
  /// Content hashes of rows among which they had to decide.
  var contents: [RowID: UInt64] = [:]
  /// The same of all rows of files whose rows are kept.
  var keptContents: [UInt32: [UInt64]] = [:]

  /// - Parameter needsIdentities: whether rows that were kept without what they are told apart by are of no use.
  init(
    _ snapshot: StoreSnapshot, _ live: LiveRows, _ request: SequenceRequest, _ plan: SequencePlan,
    needsIdentities: Bool = false
  ) {
    self.request = request
    self.plan = plan
    let reading = request.reading ?? ColumnReading(request.columns, of: plan)
    self.reading = reading
    let user = UserProbe(request.user)
    self.user = user
    datasets = plan.datasets.map { snapshot.datasets[$0] }
    liveFromMicros = live.fromMicros
    sources = live.sources.compactMap { [datasets] source in
      guard let dataset = plan.datasets.firstIndex(of: source.dataset) else { return nil }
      let rows = datasets[dataset].map { source.hidden(by: $0.horizons) } ?? source
      return rows.rows.isEmpty ? nil : UserRows(rows, dataset: dataset)
    }
    kept = datasets.map { _ in nil }
    mayRepeat = !sources.isEmpty
    merging = EventMerging(plan, request)
    fromMicros = request.fromMicros.map { [merging] in $0.addingSaturated(-(merging?.lookBackMicros ?? 0)) }
    steps = ReadSteps(
      datasets, of: user, from: fromMicros, until: request.untilMicros, looksBack: !reading.computers.isEmpty,
      hasLive: !sources.isEmpty || live.fromMicros > .min)
    var types = EventTypeRules(request)
    retractions = datasets.map { $0?.retractions.retractions(of: user, until: request.knownAtMicros, &types) }
    self.types = types
    let hasRetractions = retractions.contains { $0 != nil }
    hasTypes = reading.hasTypes || hasRetractions || !types.areAllAsked
    keyColumns =
      [.ts, .revision] + (hasTypes ? [.eventType] : []) + (hasRetractions ? [.eventKey] : [])
      + (request.knownAtMicros != nil ? [.seenAt] : [])
    self.needsIdentities =
      needsIdentities || mayRepeat || reading.hasIdentities || keyColumns.contains(where: KeyColumn.identities.contains)
  }

  /// Reads steps, newest first, until enough rows are found, and on as far as derived columns look back.
  mutating func collect(using context: inout DecodingContext) throws(StoreError) {
    try readLive(using: &context)
    if let cache = context.cache { takeKept(from: cache) }
    repeat {
      while try !select(using: &context) {}
    } while try !lookBack(using: &context)
    if lacksLiveRows || lacksIdentities { return }
    if splitCount > 0 || found.count > KeptRows.limits.all { keepsRows = false }
  }

  /// Selects among the steps' rows.
  /// - Returns: false when a row of an earlier step turned out to be superseded, so that all must be selected anew.
  private mutating func select(using context: inout DecodingContext) throws(StoreError) -> Bool {
    (found, cut) = ([], [])
    types.restart()
    merging?.restart()
    var index = 0
    while let step = steps.step(index, wanting: request.last - found.count - live.count), steps.isInWindow(index) {
      if found.count >= request.last, index == 0 || isMerged(before: steps.made[index - 1].startMicros ?? .min) {
        if hasRows(index) { cut.insert(.length) }
        return true
      }
      if index == candidates.count {
        let known = superseded.count
        guard try read(step, using: &context) else { return true }
        if isStale(since: known) { return false }
      }
      take(candidates[index])
      index += 1
    }
    if hasOlderLiveRows { cut.insert(.window) }
    return true
  }

  /// Whether what is superseded by now was selected.
  func isStale(since known: Int) -> Bool {
    guard superseded.count > known else { return false }
    return merging != nil || found.contains { superseded.contains($0.id) }
  }

  /// Whether live rows are left that no step of the window took.
  private var hasOlderLiveRows: Bool {
    guard let windowCount = steps.windowCount else { return false }
    if !live.isEmpty { return true }
    return candidates.dropFirst(windowCount).joined().contains { sources[Int($0.id.source)].isLive }
  }

  /// Reads a step, unless live rows are missing for it.
  mutating func read(_ step: ReadStep, using context: inout DecodingContext) throws(StoreError) -> Bool {
    lacksLiveRows = isPastLive
    if !lacksLiveRows { try readRows(step, using: &context) }
    return !lacksLiveRows && !lacksIdentities
  }

  /// Notes that it is needed what rows of some sources are told apart by.
  /// - Returns: false where some of these were kept without.
  mutating func needIdentities(of indices: [Int]) -> Bool {
    needsIdentities = true
    let areLacking = indices.contains { index in
      if case .kept(let rows) = sources[index].origin { rows.lackIdentities } else { false }
    }
    if areLacking { lacksIdentities = true }
    return !lacksIdentities
  }

  /// Whether a step that was made may have rows: files may, as long as nobody has looked, and live rows that are missing.
  private func hasRows(_ index: Int) -> Bool {
    if steps.made[index].hasFiles || isPastLive { return true }
    return index < candidates.count ? !candidates[index].isEmpty : !live.isEmpty
  }

  // MARK: Selection

  /// Selects among the rows of one step, newest first.
  private mutating func take(_ rows: [Found]) {
    if merging == nil, types.areAllAsked { return takeAll(rows) }
    for row in rows.reversed() {
      if row.micros >= request.untilMicros ?? .max { continue }
      if merging != nil {
        guard takeMerged(row) else { return }
        continue
      }
      if row.micros < request.fromMicros ?? .min {
        cut.insert(.window)
        return
      }
      guard types.isAsked(row.type) else { continue }
      guard found.count < request.last else {
        cut.insert(.length)
        return
      }
      if isWithinCap(row) { found.append(row) }
    }
  }

  /// Selects among rows of which none is left out for its type.
  private mutating func takeAll(_ rows: [Found]) {
    let (fromMicros, untilMicros) = (request.fromMicros ?? .min, request.untilMicros ?? .max)
    let room = request.last - found.count
    var end = rows.count
    while end > 0, rows[end - 1].micros >= untilMicros { end -= 1 }
    var start = end
    while start > 0, end - start < room, rows[start - 1].micros >= fromMicros { start -= 1 }
    if start > 0 { cut.insert(rows[start - 1].micros < fromMicros ? .window : .length) }
    found.append(contentsOf: rows[start..<end].lazy.reversed())
  }

  /// Selects a row if it is the newest of its group.
  /// - Returns: false when no older one can matter.
  private mutating func takeMerged(_ row: Found) -> Bool {
    let isBefore = row.micros < request.fromMicros ?? .min
    let isFull = found.count >= request.last
    guard let group = begin(row), types.isAsked(row.type) else { return true }
    if isBefore || isFull {
      cut.insert(isBefore ? .window : .length)
      return !isMerged(before: row.micros.addingSaturated(1))
    }
    if isWithinCap(row) {
      found.append(row)
      noteFound(inGroup: group)
    }
    return true
  }

  private mutating func isWithinCap(_ row: Found) -> Bool {
    if types.admit(row.type) { return true }
    cut.insert(.cap)
    return false
  }
}
