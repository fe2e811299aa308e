import Arrow
import ArrowKernels
import Buffers
import Definitions
import DeltaLog

/// The retractions of a dataset: which revisions of users' events are gone. Findable by user.
///
/// A retraction takes some 16 bytes, whatever its user's key is: users are told apart by a hash of 64 bits, and events by theirs
/// besides. Those of a large file stay as they were read as long as the table has the file, so that a newer version costs only
/// what is new in it.
struct RetractionIndex: Sendable {
  /// The table that they are from; nil where there is none.
  private(set) var table: Snapshot?
  /// One for each large file, and one for all small ones.
  private var runs: [RetractionRun] = []
  /// The names of the event types, which retractions give as numbers.
  private var eventTypes: [String] = []

  /// A file of more retractions is large.
  private static let smallRowCount = 1 << 13

  init() {}

  /// - Parameters:
  ///   - snapshot: the table's state; nil where there is none.
  ///   - earlier: of an earlier state of the table: files that both have are not read again.
  ///   - limit: those seen before it, in microseconds; nil: all.
  init(
    _ table: DeltaTable, at snapshot: Snapshot?, reusing earlier: RetractionIndex? = nil, seenBefore limit: Int64? = nil
  ) throws {
    self.table = snapshot
    guard let snapshot else { return }
    if let earlier { eventTypes = earlier.eventTypes }
    let files = snapshot.files.filter { file in limit.map { file.mayHaveRows(seenBefore: $0) } ?? true }
    let (small, large) = (
      files.filter { $0.rowCount <= Self.smallRowCount }, files.filter { $0.rowCount > Self.smallRowCount }
    )
    for part in large.map({ [$0] }) + [small] where !part.isEmpty {
      let known = earlier?.runs.filter { run in run.files.isSubset(of: part.map(\.path)) }
        .max { $0.count < $1.count }
      let added = part.filter { !(known?.files.contains($0.path) ?? false) }
      let entries = try added.isEmpty ? [] : read(added, of: table, at: snapshot, seenBefore: limit)
      let run = known ?? RetractionRun(of: [], [])
      runs.append(added.isEmpty ? run : run.adding(Set(added.map(\.path)), entries))
    }
  }

  /// - Parameter limit: those seen before it, in microseconds; nil: all.
  init(_ retractions: RetractionTable, seenBefore limit: Int64? = nil) throws(StoreError) {
    do {
      try self.init(retractions.table, at: retractions.snapshot, seenBefore: limit)
    } catch { throw StoreError(error, at: retractions.table.path) }
  }

  init(of dataset: String, in store: StoreDirectory, seenBefore limit: Int64? = nil) throws(StoreError) {
    try self.init(RetractionTable(of: dataset, in: store), seenBefore: limit)
  }

  private static let columns = [
    SystemColumns.user, SystemColumns.eventType, SystemColumns.eventKey, SystemColumns.revision, SystemColumns.seenAt,
  ]

  /// In order.
  private mutating func read(
    _ files: [AddFile], of table: DeltaTable, at snapshot: Snapshot, seenBefore limit: Int64?
  ) throws -> [Retraction] {
    var entries: [Retraction] = []
    entries.reserveCapacity(files.reduce(0) { $0 + $1.rowCount })
    for file in files {
      try table.forEachBatch(of: file, in: snapshot, columns: Self.columns) { add($0, seenBefore: limit, to: &entries) }
    }
    entries.sort(by: Retraction.precedes)
    return entries
  }

  private mutating func add(_ batch: RecordBatch, seenBefore limit: Int64?, to entries: inout [Retraction]) {
    let (keys, revisions, seen) = (batch.columns[2].values, batch.columns[3].values, batch.columns[4].values)
    for row in 0..<batch.rowCount where limit.map({ seen.load(row, as: Int64.self) < $0 }) ?? true {
      entries.append(
        Retraction(
          user: batch.columns[0].userHash(row), eventKey: keys.load(row, as: Int64.self),
          seenMicros: seen.load(row, as: Int64.self), revision: revisions.load(row, as: Int32.self),
          eventType: number(batch.columns[1].string(row))))
    }
  }

  private mutating func number(_ eventType: String) -> Int32 {
    if let number = eventTypes.firstIndex(of: eventType) { return Int32(number) }
    eventTypes.append(eventType)
    return Int32(eventTypes.count - 1)
  }

  func name(ofType number: Int32) -> String { eventTypes[Int(number)] }

  /// A user's retractions that were known at a time; nil when there are none.
  ///
  /// - Parameters:
  ///   - micros: nil: all are known.
  ///   - types: numbers the event types.
  func retractions(of user: UserProbe, until micros: Int64?, _ types: inout EventTypeRules) -> UserRetractions? {
    let parts = runs.map { ($0, $0.places(of: user.hash)) }.filter { !$0.1.isEmpty }
    if parts.isEmpty { return nil }
    return UserRetractions(parts: parts, untilMicros: micros ?? .max, types: eventTypes.map { types.number(of: $0) })
  }

  var isEmpty: Bool { count == 0 }
  var count: Int { runs.reduce(0) { $0 + $1.count } }
  var byteCount: Int { runs.reduce(0) { $0 + $1.byteCount } }

  /// - Parameter body: gets a run and the place of its first retraction.
  func forEachRun(_ body: (RetractionRun, _ base: Int) -> Void) {
    var base = 0
    for run in runs {
      body(run, base)
      base += run.count
    }
  }

  /// - Parameter predicate: gets the hash of a user's key.
  func containsUser(where predicate: (UInt64) -> Bool) -> Bool { runs.contains { $0.containsUser(where: predicate) } }

  /// Those that were seen when `isIncluded` says, given microseconds.
  func filter(seen isIncluded: (Int64) -> Bool) -> RetractionIndex { keeping { isIncluded($1.seenMicros) } }

  /// - Parameter places: of retractions, as `hiding` gives them.
  mutating func remove(_ places: Set<Int>) {
    if !places.isEmpty { self = keeping { place, _ in !places.contains(place) } }
  }

  private func keeping(_ isKept: (_ place: Int, Retraction) -> Bool) -> RetractionIndex {
    var (kept, keptRuns) = (self, [RetractionRun]())
    forEachRun { run, base in
      var entries: [Retraction] = []
      run.forEachEntry { place, entry in if isKept(base + place, entry) { entries.append(entry) } }
      keptRuns.append(RetractionRun(of: run.files, entries))
    }
    kept.runs = keptRuns
    return kept
  }
}

/// A dataset's table of retractions at one moment; without a snapshot where there is none.
struct RetractionTable {
  let table: DeltaTable
  let snapshot: Snapshot?

  init(of dataset: String, in store: StoreDirectory) throws(StoreError) {
    table = store.retractions(dataset)
    do { snapshot = try table.exists() ? table.snapshot() : nil } catch { throw .delta(error) }
  }
}

extension AddFile {
  /// By its statistics.
  fileprivate func mayHaveRows(seenBefore micros: Int64) -> Bool {
    let seen = statistics.flatMap { FileStatistics(parsing: $0) }?.timestampRange(SystemColumns.seenAt)
    return seen.map { $0.lowerBound < micros } ?? true
  }
}
