import Buffers
import Definitions
import DeltaLog
import Engine
import Glibc
import Synchronization

/// Rolls segments of a live log into the tables as they end, on a thread of its own; the small files that come of it are
/// merged on another.
///
/// A roll that fails is reported once and tried again: intake goes on, and the log keeps what is not in the tables. One
/// that is not behind leaves the processors to those whom people wait for; when more than one segment waits, it does not.
package final class LiveRoller: Sendable {
  package struct Options: Sendable {
    package var assembly = AssemblyOptions()
    package var indexing = StoreIndexer.Options()
    /// Is told of each step that is done; an error ends the roll there.
    package var observe: @Sendable (LiveRollStep) throws -> Void = { _ in }
    /// An attempt has ended, well or not, after so many seconds.
    package var attempted: @Sendable (Result<LiveRollCounts, any Error>, Double) -> Void = { _, _ in }
    /// Something that people should know: a line of text.
    package var report: @Sendable (String) -> Void = { _ in }
    /// The most seconds between attempts.
    package var retrySeconds: Double = 60

    package init() {}
  }

  private struct State {
    /// All segments up to this one have ended.
    var ended: UInt64 = 0
    /// And up to this one are in the tables.
    var rolled: UInt64 = 0
    var counts = LiveRollCounts()
    var failure: (any Error)?
    var isClosing = false
    var isOver = false
  }

  private let roll: LiveRoll
  private let options: Options
  private let state: Monitor<State>
  private let thread: Mutex<pthread_t?>
  private let upkeep: RollUpkeep

  /// Does nothing before `start`.
  package init(
    _ store: StoreDirectory, definitions: DefinitionSet, shard: Shard, options: Options = Options(),
    files: any LiveFiles = SystemLiveFiles()
  ) {
    self.options = options
    roll = LiveRoll(
      store: store, definitions: definitions, live: LiveDirectory(store, shard),
      options: LiveRoll.Options(
        assembly: options.assembly, indexing: options.indexing, observe: options.observe), files: files)
    state = Monitor(State())
    thread = Mutex(nil)
    upkeep = RollUpkeep(store, definitions: definitions, options)
  }

  /// Begins to roll; the caller holds the log's lock until `close`.
  package func start() {
    let started = startThread { [self] in run() }
    thread.withLock { $0 = started }
    upkeep.start()
  }

  /// All segments up to this one have ended.
  package func segmentEnded(_ segment: UInt64) { state.update { $0.ended = max($0.ended, segment) } }

  /// Ends the thread after the roll in hand.
  ///
  /// - Parameter settling: whether all segments that have ended are rolled first.
  /// - Returns: what was rolled since the start.
  /// - Throws: why the last attempt failed; the segments are still in the log.
  @discardableResult package func close(settling: Bool = false) throws -> LiveRollCounts {
    if settling { state.wait(until: { $0.rolled >= $0.ended || $0.failure != nil }, then: { _ in }) }
    state.update { $0.isClosing = true }
    if let thread = thread.withLock({ $0.take() }) { pthread_join(thread, nil) }
    upkeep.close(finishing: settling)
    let (counts, failure) = state.update { ($0.counts, $0.failure) }
    if let failure { throw LiveRollFailure(path: roll.live.path, reason: failure) }
    return counts
  }

  private func run() {
    var delay: Double?
    while let (last, isBehind) = next(after: delay) {
      let start = Clock.now
      do {
        let counts = try onThread(isBehind ? .normal : .low) { [roll] in try roll.runAll(through: last) }
        options.attempted(.success(counts), Clock.now - start)
        state.update { state in
          (state.rolled, state.failure) = (last, nil)
          state.counts.add(counts)
        }
        delay = nil
        // What a merge took is more than rolls need. A thread of low priority would hold up those who allocate.
        if upkeep.takeHasMerged() { FreedMemory.giveBack() }
        upkeep.filesAdded(to: counts.datasets.keys)
      } catch {
        options.attempted(.failure(error), Clock.now - start)
        if delay == nil { options.report("\(LiveRollFailure(path: roll.live.path, reason: error))") }
        state.update { $0.failure = error }
        delay = min(delay.map { $0 * 2 } ?? 1, options.retrySeconds)
      }
    }
  }

  /// Waits for a segment to end, after a failure for the next attempt.
  ///
  /// - Returns: the last that has ended, and whether others before it wait, too; nil at the end.
  private func next(after delay: Double?) -> (last: UInt64, isBehind: Bool)? {
    if let delay { state.wait(until: \.isClosing, seconds: delay) { _ in } }
    return state.wait(
      until: { $0.ended > $0.rolled || $0.isClosing },
      then: { $0.isClosing ? nil : ($0.ended, $0.ended > $0.rolled + 1) })
  }
}

/// Why segments could not be brought into the tables.
package struct LiveRollFailure: Error, CustomStringConvertible {
  package var path: String
  package var reason: any Error

  package var description: String {
    "\(path): ended segments wait to be brought into the tables: \(reason); they are safe in the live log"
  }
}

extension LiveRoll {
  /// Frames' bytes that are rolled at once, about: a commit holds as much, and the sorting in memory.
  private static let byteCount = 1 << 30

  /// Rolls all segments up to one, some at a time.
  fileprivate func runAll(through last: UInt64) throws -> LiveRollCounts {
    var counts = LiveRollCounts()
    var pending = try live.segments().filter { $0 <= last }[...]
    while !pending.isEmpty {
      var (count, byteCount) = (0, 0)
      while count < pending.count, byteCount < Self.byteCount {
        byteCount += try files.open(live.segment(pending[pending.startIndex + count])).byteCount()
        count += 1
      }
      counts.add(try runAgainWhenReplaced(Array(pending.prefix(count))))
      pending = pending.dropFirst(count)
    }
    return counts
  }

  /// A batch run may replace days between the choice of rows and the commit: then they are chosen anew.
  private func runAgainWhenReplaced(_ segments: [UInt64]) throws -> LiveRollCounts {
    while true {
      do { return try run(segments) } catch StoreError.horizonMoved {}
    }
  }
}

extension LiveRollCounts {
  fileprivate mutating func add(_ other: LiveRollCounts) {
    staleRows += other.staleRows
    datasets.merge(other.datasets) { $0.adding($1) }
  }
}

extension IndexCounts {
  fileprivate func adding(_ later: IndexCounts) -> IndexCounts {
    var sum = later
    sum.rows += rows
    sum.retractions += retractions
    sum.files += files
    sum.byteCount += byteCount
    return sum
  }
}
