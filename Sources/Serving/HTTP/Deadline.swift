import NIOCore

/// A time limit that is moved more often than it is reached. Belongs to one event loop.
///
/// Moving it stores a time; the timer behind it is set anew only when it goes off too early.
final class Deadline {
  private let eventLoop: any EventLoop
  private let onExpiry: () -> Void
  private var due: NIODeadline?
  private var timer: Scheduled<Void>?
  private var isCancelled = false

  init(on eventLoop: any EventLoop, _ onExpiry: @escaping () -> Void) {
    self.eventLoop = eventLoop
    self.onExpiry = onExpiry
  }

  func set(in amount: TimeAmount) {
    let due = NIODeadline.now() + amount
    self.due = due
    if timer == nil, !isCancelled { arm(due) }
  }

  func clear() { due = nil }

  /// Clears it for good, and lets go of what it would call.
  func cancel() {
    isCancelled = true
    due = nil
    timer?.cancel()
    timer = nil
  }

  private func arm(_ time: NIODeadline) {
    timer = eventLoop.assumeIsolated().scheduleTask(deadline: time) { [self] in
      timer = nil
      guard let due else { return }
      if NIODeadline.now() < due { return arm(due) }
      self.due = nil
      onExpiry()
    }
  }
}
