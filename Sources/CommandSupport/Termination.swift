import Engine
import Glibc

/// The request to end (SIGTERM or SIGINT), turned into a call. A second one ends the process at once.
///
/// Make it before other threads are started: they inherit that the signals are blocked and wait to be asked for. A signal
/// that the process was started to ignore, as SIGINT is behind a script's `&`, stays ignored.
package struct Termination: Sendable {
  package init() { Self.signals.block() }

  private static var signals: sigset_t { sigset_t([SIGTERM, SIGINT].filter { !isIgnored($0) }) }

  private static func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    guard unsafe sigaction(signal, nil, &action) == 0 else { return false }
    return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Runs `body`, on a thread of its own, when the request comes; once.
  package func then(_ body: @escaping @Sendable () -> Void) {
    _ = startThread {
      var signals = Self.signals
      var signal: Int32 = 0
      unsafe sigwait(&signals, &signal)
      body()
      // This thread takes the next signal, and its default is to end the process.
      unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
      while true { pause() }
    }
  }
}

/// The request to read configuration again (SIGHUP), turned into calls. Make it before other threads are started.
package struct ReloadRequest: Sendable {
  package init() { Self.signals.block() }

  private static var signals: sigset_t { sigset_t([SIGHUP]) }

  /// Runs `body`, on a thread of its own, whenever the request comes.
  package func then(_ body: @escaping @Sendable () -> Void) {
    _ = startThread {
      var signals = Self.signals
      var signal: Int32 = 0
      while unsafe sigwait(&signals, &signal) == 0 { body() }
    }
  }
}

extension sigset_t {
  fileprivate init(_ signals: [Int32]) {
    self.init()
    unsafe sigemptyset(&self)
    for signal in signals { unsafe sigaddset(&self, signal) }
  }

  /// Lets no thread that is started from now on be interrupted by them.
  fileprivate func block() {
    var signals = self
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
  }
}

extension StopRequest {
  /// A request that SIGTERM or SIGINT makes, and calls `body`. Make it before other threads are started.
  package static func onTermination(_ body: (@Sendable () -> Void)? = nil) -> StopRequest {
    let stop = StopRequest()
    Termination().then {
      stop.make()
      body?()
    }
    return stop
  }
}
