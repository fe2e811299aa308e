import Engine
import Glibc

/// The request to end (SIGTERM or SIGINT), turned into a call.
///
/// Make it before other threads are started: they inherit that the signals are blocked and wait to be asked for.
package struct Termination: Sendable {
  package init() {
    var signals = Self.signals
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  private static var signals: sigset_t {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGTERM)
    unsafe sigaddset(&signals, SIGINT)
    return signals
  }

  /// Runs `body`, on a thread of its own, when the request comes; once.
  package func then(_ body: @escaping @Sendable () -> Void) {
    _ = startThread {
      var signals = Self.signals
      var signal: Int32 = 0
      unsafe sigwait(&signals, &signal)
      body()
    }
  }
}
