import Frames
import Glibc

/// Decides when a source says how far it was read: shortly after its input runs dry, else at intervals.
///
/// Every position costs each stage a frame and the store a write, so a line that comes alone every millisecond does not
/// bring its own.
package struct PositionSchedule {
  /// How the source stands.
  package enum Moment {
    /// There may be more to read at once.
    case busy
    case dry
    /// There is nothing after.
    case end
  }

  private static let busyInterval = 0.1
  private static let dryInterval = 0.01

  private struct Partition: Hashable, Comparable {
    var source: String
    var partition: Int64

    static func < (left: Self, right: Self) -> Bool { (left.source, left.partition) < (right.source, right.partition) }
  }

  private var pending: [Partition: Control] = [:]
  private var ready: [Control] = []
  private var lastTime = -Double.infinity

  package init() {}

  /// Notes how far a source was read.
  /// - Parameter position: a `.position`.
  package mutating func note(_ position: Control, now: Double) {
    guard case .position(let source, let partition, _) = position else { return }
    if pending.isEmpty, lastTime == -.infinity { lastTime = now - Self.dryInterval }
    pending[Partition(source: source, partition: partition ?? -1)] = position
  }

  /// The next position to hand out; nil when none is due.
  package mutating func next(_ now: Double, _ moment: Moment) -> Control? {
    if ready.isEmpty, isDue(now, moment) {
      ready = pending.sorted { $0.key > $1.key }.map(\.value)
      pending = [:]
      lastTime = now
    }
    return ready.popLast()
  }

  private func isDue(_ now: Double, _ moment: Moment) -> Bool {
    switch moment {
    case .busy: !pending.isEmpty && now - lastTime >= Self.busyInterval
    case .dry: !pending.isEmpty && now - lastTime >= Self.dryInterval
    case .end: !pending.isEmpty
    }
  }

  /// When a position is due if nothing more comes; nil when none is.
  package var due: Double? { pending.isEmpty ? nil : lastTime + Self.dryInterval }

  /// Forgets the positions of a source's partition, which somebody else reads now.
  package mutating func forget(source: String, partition: Int64) {
    pending[Partition(source: source, partition: partition)] = nil
    ready.removeAll {
      guard case .position(source, partition, _) = $0 else { return false }
      return true
    }
  }
}

package enum Clock {
  /// The monotonic clock, in seconds.
  package static var now: Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// The time of day, in microseconds since 1970-01-01T00:00Z.
  package static var nowMicros: Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
  }
}
