import CScheduler
import Glibc
import Synchronization

/// How many threads a stage works with when nobody says: one per processor that is online.
package let processorCount = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

/// Runs `body(0)` … `body(count - 1)` at once, the last one on the calling thread, and waits for all.
///
/// Blocking reads and writes belong on threads of their own, never on Swift's cooperative pool.
package func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
  let others = (0..<count - 1).map { index in startThread { body(index) } }
  body(count - 1)
  for thread in others { pthread_join(thread, nil) }
}

/// How much of a processor's time a thread gets while others want it, by how much nicer it is than the one that starts it.
package enum ThreadPriority: Int32, Sendable {
  case normal = 0
  /// A third of what that gets.
  case low = 5
  /// A tenth.
  case background = 10
}

/// Starts a thread that runs `body`; the caller joins it.
///
/// - Parameter priority: also that of the threads that it starts.
package func startThread(
  _ priority: ThreadPriority = .normal, _ body: @escaping @Sendable () -> Void
) -> pthread_t {
  let body = priority == .normal ? body : { @Sendable in run(priority, body) }
  let context = unsafe Unmanaged.passRetained(ThreadBody(body)).toOpaque()
  var thread = pthread_t()
  let status = unsafe pthread_create(
    &thread, nil,
    { context in
      unsafe Unmanaged<ThreadBody>.fromOpaque(context!).takeRetainedValue().run()
      return nil
    }, context)
  precondition(status == 0, "cannot start a thread: \(unsafe String(cString: strerror(status)))")
  return thread
}

/// Linux keeps a nice value for each thread, and 0 names the calling one, whatever POSIX says.
private func run(_ priority: ThreadPriority, _ body: () -> Void) {
  let thread = __priority_which_t(PRIO_PROCESS.rawValue)
  _ = setpriority(thread, 0, min(getpriority(thread, 0) + priority.rawValue, 19))
  body()
}

/// Runs `body` on a thread of its own, and waits for it.
///
/// - Parameter priority: also that of the threads that it starts.
package func onThread<R: Sendable>(
  _ priority: ThreadPriority, _ body: @escaping @Sendable () throws -> R
) throws -> R {
  let outcome = ThreadOutcome<R>()
  pthread_join(startThread(priority) { outcome.result.withLock { $0 = Result(catching: body) } }, nil)
  return try outcome.result.withLock { $0! }.get()
}

private final class ThreadOutcome<R: Sendable>: Sendable {
  let result = Mutex<Result<R, any Error>?>(nil)
}

/// Has the calling thread, and those that it starts, get a processor soon after they wake, if their turns on it are short: for
/// threads that people wait for while others compute. Without it a thread that wakes may wait for the end of another's turn of
/// some milliseconds.
package func takeShortTurns() { _ = scheduler_take_short_turns(shortTurnNanoseconds) }

private let shortTurnNanoseconds: UInt64 = 200_000

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
