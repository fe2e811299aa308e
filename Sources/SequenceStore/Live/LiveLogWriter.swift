import Engine
import Glibc

/// What the thread of a live log does: takes the frames that have gathered, writes and syncs them, and tells.
final class LiveLogWriter {
  private let segment: LiveSegment
  private let state: Monitor<LiveLog.State>
  private let options: LiveLog.Options
  private let observers: LiveLog.Observers
  /// When the open segment is to end; nil while it is empty.
  private var segmentEndNanoseconds: Int64?

  init(
    _ segment: LiveSegment, _ state: Monitor<LiveLog.State>, _ options: LiveLog.Options,
    _ observers: LiveLog.Observers
  ) {
    self.segment = segment
    self.state = state
    self.options = options
    self.observers = observers
    noteAge()
  }

  func run() {
    takeShortTurns()
    do {
      while let group = nextGroup() {
        if !group.frames.isEmpty { try store(group) }
        if group.endsSegment || isSegmentOver { try endSegment() }
      }
    } catch {
      state.update { $0.failure = error }
    }
    state.update { $0.isOver = true }
  }

  /// What has gathered, maybe nothing when the segment's time is over; nil at the end.
  private func nextGroup() -> LiveLog.Group? {
    let seconds = segmentEndNanoseconds.map { Double($0 - monotonicNanoseconds()) / 1e9 }
    return state.wait(until: \.hasWork, seconds: seconds) { state in
      guard !state.group.isEmpty || !state.isClosing else { return nil }
      defer { state.group = LiveLog.Group() }
      return state.group
    }
  }

  private func store(_ group: LiveLog.Group) throws {
    let start = Clock.now
    try whenThereIsRoom { () throws(SystemError) in try segment.append(group.frames) }
    let seconds = Clock.now - start
    noteAge()
    let durable = segment.durable
    state.update { state in
      state.syncedCount += group.frames.count
      state.durable = durable
    }
    observers.synced(
      LiveSync(frameCount: group.frames.count, byteCount: group.byteCount, seconds: seconds, durable: durable))
    if !group.acknowledged.isEmpty { try observers.acknowledge(group.acknowledged) }
  }

  private func noteAge() {
    guard segmentEndNanoseconds == nil, segment.byteCount > 0 else { return }
    segmentEndNanoseconds = monotonicNanoseconds() + Int64(min(options.segmentSeconds, 1e9) * 1e9)
  }

  private var isSegmentOver: Bool {
    segment.byteCount >= options.segmentByteCount || segmentEndNanoseconds.map { $0 <= monotonicNanoseconds() } ?? false
  }

  private func endSegment() throws {
    guard segment.byteCount > 0 else { return }
    let ended = try whenThereIsRoom { () throws(SystemError) in try segment.beginNext() }
    segmentEndNanoseconds = nil
    let durable = segment.durable
    state.update { $0.durable = durable }
    observers.segmentEnded(ended)
  }

  /// Runs `body` until the disk has room for what it writes.
  private func whenThereIsRoom<R>(_ body: () throws(SystemError) -> R) throws -> R {
    var isWaiting = false
    while true {
      do throws(SystemError) {
        let result = try body()
        if isWaiting { observers.report("there is room again: intake goes on") }
        return result
      } catch {
        guard error.isFull else { throw error }
        if !isWaiting { observers.report("\(error.path): the disk is full: intake waits until there is room") }
        isWaiting = true
        try waitASecond(error)
      }
    }
  }

  /// - Throws: `.full` when it is not to be waited for.
  private func waitASecond(_ error: SystemError) throws(LiveLogError) {
    guard observers.waitsForRoom() else {
      throw .full(error, frameCount: state.update { $0.appendedCount - $0.syncedCount })
    }
    sleep(1)
  }
}
