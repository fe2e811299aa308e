import Buffers
import DeltaLog
import Engine
import Frames
import Glibc
import Synchronization

/// Writes the live log of a shard: the one writer that there may be.
///
/// A thread of its own writes and syncs. While one group of frames is being synced the next gathers, so a frame that
/// comes alone waits for one sync, and many frames for few.
package final class LiveLog: Sendable {
  package struct Options: Sendable {
    /// A segment ends once it has as many bytes,
    package var segmentByteCount = 256 << 20
    /// or as many seconds after its first frame.
    package var segmentSeconds: Double = 60
    /// Bytes that may wait to be synced, about.
    package var queueByteCount = 32 << 20

    package init() {}
  }

  /// Whom the log tells what; all are called on its thread.
  package struct Observers: Sendable {
    /// What was to be acknowledged, in order: all that precedes it is durable.
    package var acknowledge: @Sendable ([Control]) throws -> Void = { _ in }
    /// A group of frames has become durable.
    package var synced: @Sendable (LiveSync) -> Void = { _ in }
    /// A segment has ended.
    package var segmentEnded: @Sendable (UInt64) -> Void = { _ in }
    /// Something that people should know: a line of text.
    package var report: @Sendable (String) -> Void = { _ in }
    /// Whether a full disk is waited for; else what is not durable yet is given up, and `close` says so.
    package var waitsForRoom: @Sendable () -> Bool = { true }

    package init() {}
  }

  /// What the appending threads and the writer's thread share.
  struct State {
    var group = Group()
    var appendedCount = 0
    var syncedCount = 0
    var durable: DurableMarker
    var isClosing = false
    var failure: (any Error)?
    var isOver = false

    var hasWork: Bool { !group.isEmpty || isClosing }
  }

  /// What is synced together.
  struct Group {
    var frames: [Buffer] = []
    /// What they are acknowledged by.
    var acknowledged: [Control] = []
    var byteCount = 0
    /// Whether the segment ends after them.
    var endsSegment = false

    var isEmpty: Bool { frames.isEmpty && !endsSegment }
  }

  package let directory: LiveDirectory
  private let options: Options
  private let state: Monitor<State>
  /// Held until the log is closed.
  private let lock: Mutex<(any LiveFile)?>
  private let thread: pthread_t

  /// Takes the shard's lock, and recovers what an earlier writer left.
  ///
  /// - Parameter covered: the last segment that is in the tables.
  package init(
    _ directory: LiveDirectory, covered: UInt64, options: Options = Options(), observers: Observers = Observers(),
    files: any LiveFiles = SystemLiveFiles()
  ) throws(LiveLogError) {
    self.directory = directory
    self.options = options
    do {
      try files.makeDirectory(directory.path)
      lock = Mutex(try LiveLock.take(directory, files))
      let segment = try LiveSegment(directory, covered: covered, files: files)
      if segment.tornByteCount > 0 {
        observers.report("\(directory.path): \(segment.tornByteCount) bytes of an unfinished frame were cut off")
      }
      let state = Monitor(State(durable: segment.durable))
      self.state = state
      // SAFETY: from here on only the writer's thread uses the writer and its segment.
      nonisolated(unsafe) let writer = LiveLogWriter(segment, state, options, observers)
      thread = startThread { unsafe writer.run() }
    } catch {
      throw LiveLogError(error)
    }
  }

  /// Adds a frame as it is; waits while too much waits to be synced.
  ///
  /// - Parameter control: what the observer is told when the frame is durable.
  /// - Throws: why nothing can be written any more; frames that were not acknowledged may be lost.
  package func append(_ frame: Buffer, acknowledging control: Control? = nil) throws {
    let limit = options.queueByteCount
    let failure = state.wait(
      until: { $0.group.byteCount < limit || $0.isOver },
      then: { state in
        precondition(!state.isClosing, "a closed log takes no frames")
        state.group.frames.append(frame)
        state.group.byteCount += frame.byteCount
        if let control { state.group.acknowledged.append(control) }
        state.appendedCount += 1
        return state.failure
      })
    if let failure { throw failure }
  }

  /// Waits until all that was appended is durable.
  package func flush() throws {
    let count = state.update { $0.appendedCount }
    if let failure = state.wait(until: { $0.syncedCount >= count || $0.isOver }, then: { $0.failure }) { throw failure }
  }

  /// Ends the open segment, unless it is empty, after what was appended so far.
  package func endSegment() { state.update { $0.group.endsSegment = true } }

  /// How far the log is durable.
  package var durable: DurableMarker { state.update { $0.durable } }

  /// Syncs all that was appended, and lets another writer have the shard. Call it once, as the last.
  package func close() throws {
    state.update { $0.isClosing = true }
    pthread_join(thread, nil)
    lock.withLock { $0 = nil }
    if let failure = state.update({ $0.failure }) { throw failure }
  }
}

/// A write to the log, with its sync.
package struct LiveSync: Sendable {
  package var frameCount: Int
  package var byteCount: Int
  package var seconds: Double
  /// How far the log is durable with it.
  package var durable: DurableMarker
}

/// The lock of a live log: only one writer has it, and says who it is.
private enum LiveLock {
  /// - Returns: the file, which holds the lock as long as it is open.
  static func take(_ directory: LiveDirectory, _ files: any LiveFiles) throws -> any LiveFile {
    let file = try files.open(directory.lock)
    guard try file.lock() else {
      throw LiveLogError.locked(path: directory.path, holder: try file.read(at: 0, byteCount: 1 << 10).text)
    }
    try file.truncate(to: 0)
    try file.write(Buffer(Array(holder.utf8)), at: 0)
    return file
  }

  /// This process.
  private static var holder: String {
    var name = [CChar](repeating: 0, count: 256)
    unsafe gethostname(&name, name.count - 1)
    let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return "process \(getpid()) on \(host), since \(CalendarText.timestamp(micros: DeltaTable.nowMillis() * 1_000))"
  }
}
