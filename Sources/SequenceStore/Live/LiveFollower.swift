import Definitions
import Engine
import Glibc
import Synchronization

/// Follows a store's live log, all shards of it, into a `LiveIndex`.
///
/// Once started it has a thread of its own that sleeps until inotify says that a marker moved; where that cannot be had, it
/// looks every few milliseconds. The live log need not be there yet.
package final class LiveFollower: Sendable {
  package struct Handlers: Sendable {
    /// The dataset of an event type, for frames that do not name theirs.
    package var dataset: @Sendable (_ eventType: String) -> String?
    /// Called when segments were removed before they were read, as tables cover them, and before later rows are shown.
    package var segmentsGone: @Sendable () throws -> Void
    /// Told what goes wrong, once until it goes right again.
    package var report: @Sendable (any Error) -> Void

    package init(
      dataset: @escaping @Sendable (String) -> String?, segmentsGone: @escaping @Sendable () throws -> Void,
      report: @escaping @Sendable (any Error) -> Void
    ) {
      self.dataset = dataset
      self.segmentsGone = segmentsGone
      self.report = report
    }
  }

  private let store: StoreDirectory
  private let index: LiveIndex
  private let handlers: Handlers
  private let watcher: FileWatcher
  /// Held during a pass.
  private let state = Mutex(State())
  private let thread = Mutex<pthread_t?>(nil)

  private struct State {
    var shards: [Shard: LiveShardReader] = [:]
    /// Whether the system watches all that there is.
    var isWatched = false
    var listedNanoseconds: Int64?
    var hasFailed = false
  }

  /// Names that the system does not watch are listed no more often than this.
  private static let listingMilliseconds = 5
  private static let unwatchedMilliseconds = 2
  private static let idleMilliseconds = 500

  package init(_ store: StoreDirectory, into index: LiveIndex, handlers: Handlers) throws(SystemError) {
    self.store = store
    self.index = index
    self.handlers = handlers
    watcher = try FileWatcher()
  }

  /// Reads all that is durable by now.
  package func catchUp() throws { _ = try state.withLock { try pass(&$0, namesChanged: true) } }

  /// Follows from now on, until `stop`.
  package func start() {
    thread.withLock { thread in
      thread = startThread { [self] in
        var namesChanged = true
        while !watcher.isStopped { namesChanged = watcher.wait(milliseconds: follow(namesChanged: namesChanged)) }
      }
    }
  }

  /// Ends following; returns when its thread has ended.
  package func stop() {
    watcher.stop()
    thread.withLock { thread in
      if let running = thread { pthread_join(running, nil) }
      thread = nil
    }
  }

  /// A pass that reports what goes wrong; answers how long to wait for the next, if nothing changes.
  private func follow(namesChanged: Bool) -> Int {
    state.withLock { state in
      do {
        let wait = try pass(&state, namesChanged: namesChanged)
        state.hasFailed = false
        return wait
      } catch {
        if !state.hasFailed { handlers.report(error) }
        state.hasFailed = true
        return Self.idleMilliseconds
      }
    }
  }

  private func pass(_ state: inout State, namesChanged: Bool) throws -> Int {
    let now = monotonicNanoseconds()
    let interval = Int64(state.isWatched ? Self.idleMilliseconds : Self.listingMilliseconds) * 1_000_000
    if namesChanged || state.listedNanoseconds.map({ now - $0 >= interval }) ?? true {
      state.listedNanoseconds = now
      try list(&state)
    }
    for shard in state.shards.keys.sorted() { try state.shards[shard]!.read(into: index, handlers) }
    return state.isWatched ? Self.idleMilliseconds : Self.unwatchedMilliseconds
  }

  /// Finds new shards, and has the system watch all that there is.
  private func list(_ state: inout State) throws {
    // Watched first, so that what is made between is seen.
    var isWatched = watcher.watch(directory: store.path)
    _ = watcher.watch(directory: store.live)
    for shard in try store.liveShards() {
      let live = LiveDirectory(store, shard)
      isWatched = watcher.watch(directory: live.path) && isWatched
      if state.shards[shard] == nil { state.shards[shard] = LiveShardReader(live) }
      isWatched = try state.shards[shard]!.watchMarker(watcher) && isWatched
    }
    state.isWatched = isWatched
  }
}
