import CScheduler
import Glibc

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

/// Starts a thread that runs `body`; the caller joins it.
///
/// - Parameter isBackground: whether it gets a tenth of a processor's time while others want it; so do threads that it starts.
package func startThread(isBackground: Bool = false, _ body: @escaping @Sendable () -> Void) -> pthread_t {
  let body = isBackground ? { @Sendable in runInBackground(body) } : body
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
private func runInBackground(_ body: () -> Void) {
  _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
  body()
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
