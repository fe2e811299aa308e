import Engine
import NIOCore
import NIOPosix
import Synchronization

/// Does the work of an event loop's connections on that loop, in fair order.
///
/// Requests that are read in one round of the loop queue up here and are done at its end; no thread is changed for that.
/// After a while the sockets are looked at again, so that who asks now need not wait for all who asked before.
final class LoopTurns {
  /// How long work goes on before sockets are looked at.
  private static let sliceNanoseconds: Int64 = 500_000

  private let eventLoop: any EventLoop
  private var queue = FairQueue<() -> Void>()
  private var isScheduled = false

  init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  /// Runs `work` when it is its owner's turn.
  func enter(owner: Int, _ work: @escaping () -> Void) {
    queue.append(work, of: owner)
    guard !isScheduled else { return }
    isScheduled = true
    eventLoop.assumeIsolated().execute { self.run() }
  }

  private func run() {
    let start = monotonicNanoseconds()
    var now = start
    while let (work, turn) = queue.next() {
      work()
      let end = monotonicNanoseconds()
      queue.finish(turn, nanoseconds: end - now)
      now = end
      if now - start > Self.sliceNanoseconds { break }
    }
    isScheduled = queue.count > 0
    // What a loop is told to execute it does before it looks at its sockets; what is due a little later, after.
    if isScheduled { eventLoop.assumeIsolated().scheduleTask(in: .microseconds(2)) { self.run() } }
  }
}

/// Does work that may block or take long on threads of its own, in fair order.
final class ThreadTurns: Sendable {
  private let threads: NIOThreadPool
  private let queue = Mutex(FairQueue<@Sendable () -> Void>())

  init(threads count: Int) {
    threads = NIOThreadPool(numberOfThreads: count)
    threads.start()
  }

  /// Runs `work` when it is its owner's turn; never when the server ends before.
  func enter(owner: Int, _ work: @escaping @Sendable () -> Void) {
    queue.withLock { $0.append(work, of: owner) }
    // As many calls as there is work; which work each does is decided when a thread is free for it.
    threads.submit { state in
      if case .active = state { self.runNext() }
    }
  }

  private func runNext() {
    guard let (work, turn) = queue.withLock({ $0.next() }) else { return }
    let start = monotonicNanoseconds()
    work()
    let nanoseconds = monotonicNanoseconds() - start
    queue.withLock { $0.finish(turn, nanoseconds: nanoseconds) }
  }

  func stop() { threads.shutdownGracefully { _ in } }
}
