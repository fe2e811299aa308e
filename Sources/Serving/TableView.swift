import Engine
import SequenceStore
import Synchronization

/// The tables as requests see them: a snapshot that moves on when they do, and readers that keep their scratch memory.
final class TableView: Sendable {
  private let store: StoreDirectory
  /// Told of every newer snapshot, once it is shown.
  private let live: LiveIndex
  private let cache: PageCache?
  /// Of all readers.
  let meter = ReadMeter()
  private let state: Monitor<State>
  /// Held while a newer snapshot is made.
  private let refreshing = Mutex(())

  private struct State {
    var snapshot: StoreSnapshot
    var tables: ServedTablesState
    /// Counts snapshots, so that readers of an earlier one are not used again.
    var generation = 0
    var idle: [SequenceReader] = []
    var refreshes = 0
  }

  /// - Parameter indexByteLimit: of the memory for files' footers and indexes.
  init(
    _ store: StoreDirectory, datasets: [String], live: LiveIndex, cache: PageCache?, indexByteLimit: Int
  ) throws(StoreError) {
    self.store = store
    self.live = live
    self.cache = cache
    let snapshot = try Self.snapshot(store, datasets, reusing: nil, indexByteLimit: indexByteLimit)
    state = Monitor(State(snapshot: snapshot, tables: ServedTablesState(snapshot)))
    live.cover(by: snapshot)
  }

  var current: StoreSnapshot { state.update { $0.snapshot } }
  var tables: ServedTablesState { state.update { $0.tables } }
  var refreshes: Int { state.update { $0.refreshes } }
  var datasetNames: [String] { state.update { $0.snapshot.datasetNames } }

  /// Reads from one snapshot, whose state comes along.
  ///
  /// Rows of the live log are taken before this is called, so that none moves into the tables unseen.
  func read<R>(
    _ body: (SequenceReader, ServedTablesState) throws(StoreError) -> R
  ) throws(StoreError) -> R {
    let (reader, snapshot, tables, generation) = state.update {
      ($0.idle.popLast(), $0.snapshot, $0.tables, $0.generation)
    }
    let used = reader ?? SequenceReader(snapshot, cache: cache, meter: meter)
    defer { giveBack(used, generation: generation) }
    return try body(used, tables)
  }

  /// A reader of the snapshot that is shown now, for who needs it for long.
  func newReader() -> (SequenceReader, ServedTablesState) {
    let (snapshot, tables) = state.update { ($0.snapshot, $0.tables) }
    return (SequenceReader(snapshot, cache: cache, meter: meter), tables)
  }

  private func giveBack(_ reader: SequenceReader, generation: Int) {
    state.update { state in
      if state.generation == generation { state.idle.append(reader) }
    }
  }

  /// Moves to the tables' latest versions, if there are newer ones; what they cover leaves the live log's index.
  ///
  /// - Parameter datasets: those to show from now on; nil: the same.
  func refresh(datasets: [String]? = nil) throws(StoreError) {
    try refreshing.withLock { _ throws(StoreError) in try moveOn(to: datasets) }
  }

  private func moveOn(to datasets: [String]?) throws(StoreError) {
    let current = state.update { $0.snapshot }
    let names = datasets ?? current.datasetNames
    let isSame = names.sorted() == current.datasetNames
    if isSame, try !current.isStale() { return live.giveBackDropped() }
    let next = try Self.snapshot(store, names, reusing: current)
    let tables = ServedTablesState(next)
    state.update { state in
      state.snapshot = next
      state.tables = tables
      state.generation += 1
      state.idle = []
      state.refreshes += 1
    }
    live.cover(by: next)
  }

  /// The latest versions, with every file open, so that none can go.
  private static func snapshot(
    _ store: StoreDirectory, _ datasets: [String], reusing earlier: StoreSnapshot?,
    indexByteLimit: Int = StoreSnapshot.defaultIndexByteLimit
  ) throws(StoreError) -> StoreSnapshot {
    var attempts = 0
    while true {
      do throws(StoreError) {
        let snapshot = try StoreSnapshot(
          store, datasets: datasets, reusing: earlier, indexByteLimit: indexByteLimit)
        try snapshot.preload()
        return snapshot
      } catch {
        // A file went before it was opened: newer versions do without it.
        attempts += 1
        guard error.isMissingFile, attempts < 5 else { throw error }
      }
    }
  }
}

/// What is known of a snapshot's tables without reading them. Made once for each.
final class ServedTablesState: Sendable {
  /// The tables' versions.
  let versions: [String: Int64]
  let conditions: [String: DatasetCondition]

  init(_ snapshot: StoreSnapshot) {
    conditions = snapshot.conditions
    versions = conditions.mapValues(\.version)
  }
}
