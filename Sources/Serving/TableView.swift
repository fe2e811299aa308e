import Engine
import SequenceStore
import Synchronization

/// The tables as requests see them: a snapshot that moves on when they do, and readers that keep their scratch memory.
final class TableView: Sendable {
  private let store: StoreDirectory
  /// Told of every newer snapshot, once it is shown.
  private let live: LiveIndex
  private let cache: PageCache?
  private let state: Monitor<State>
  /// Held while a newer snapshot is made.
  private let refreshing = Mutex(())

  private struct State {
    var snapshot: StoreSnapshot
    /// Counts snapshots, so that readers of an earlier one are not used again.
    var generation = 0
    var idle: [SequenceReader] = []
    var refreshes = 0
  }

  init(_ store: StoreDirectory, datasets: [String], live: LiveIndex, cache: PageCache?) throws(StoreError) {
    self.store = store
    self.live = live
    self.cache = cache
    let snapshot = try Self.snapshot(store, datasets, reusing: nil)
    state = Monitor(State(snapshot: snapshot))
    live.cover(by: snapshot)
  }

  var current: StoreSnapshot { state.update { $0.snapshot } }
  var versions: [String: Int64] { state.update { $0.snapshot.versions } }
  var refreshes: Int { state.update { $0.refreshes } }
  var datasetNames: [String] { state.update { $0.snapshot.datasetNames } }

  /// Reads a user's events.
  ///
  /// - Parameter rows: the user's rows of the live log: taken before this call, so that none moves into the tables unseen.
  func read(
    _ request: SequenceRequest, of plan: SequencePlan, live rows: LiveRows
  ) throws(StoreError) -> (SequenceEvents, versions: [String: Int64]) {
    let (reader, snapshot, generation) = state.update { ($0.idle.popLast(), $0.snapshot, $0.generation) }
    let used = reader ?? SequenceReader(snapshot, cache: cache)
    defer { giveBack(used, generation: generation) }
    return (try used.read(request, of: plan, live: rows), snapshot.versions)
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
    if isSame, try !current.isStale() { return }
    let next = try Self.snapshot(store, names, reusing: current)
    state.update { state in
      state.snapshot = next
      state.generation += 1
      state.idle = []
      state.refreshes += 1
    }
    live.cover(by: next)
  }

  /// The latest versions, with every file open, so that no read has to and none can go.
  private static func snapshot(
    _ store: StoreDirectory, _ datasets: [String], reusing earlier: StoreSnapshot?
  ) throws(StoreError) -> StoreSnapshot {
    var attempts = 0
    while true {
      do throws(StoreError) {
        let snapshot = try StoreSnapshot(store, datasets: datasets, reusing: earlier)
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
