import Glibc

/// State behind a lock, with a way to wait for it to change.
///
/// The standard library's `Mutex` has no condition variable, which blocking pipeline threads need.
@safe package final class Monitor<State: ~Copyable>: @unchecked Sendable {
  // SAFETY: `state` is touched only while `mutex` is held; both pthread objects live as long as this one.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var state: State

  package init(_ state: consuming sending State) {
    self.state = state
    unsafe pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    unsafe pthread_condattr_init(&attributes)
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    unsafe pthread_cond_init(changed, &attributes)
  }

  deinit {
    unsafe pthread_cond_destroy(changed)
    unsafe pthread_mutex_destroy(mutex)
    unsafe changed.deallocate()
    unsafe mutex.deallocate()
  }

  /// Runs `body` alone on the state, then wakes all that wait.
  package func update<R, E: Error>(_ body: (inout State) throws(E) -> R) throws(E) -> R {
    unsafe pthread_mutex_lock(mutex)
    defer {
      unsafe pthread_cond_broadcast(changed)
      unsafe pthread_mutex_unlock(mutex)
    }
    return try body(&state)
  }

  /// Blocks until `isReady`, then runs `body` alone on the state and wakes all that wait.
  package func wait<R>(until isReady: (borrowing State) -> Bool, then body: (inout State) -> R) -> R {
    wait(until: isReady, seconds: nil, then: body)
  }

  /// Blocks until `isReady`, but no longer than `seconds`, then runs `body` alone on the state and wakes all that wait.
  package func wait<R>(
    until isReady: (borrowing State) -> Bool, seconds: Double?, then body: (inout State) -> R
  ) -> R {
    var deadline = seconds.map(Self.deadline)
    unsafe pthread_mutex_lock(mutex)
    while !isReady(state) {
      guard deadline != nil else {
        unsafe pthread_cond_wait(changed, mutex)
        continue
      }
      if unsafe pthread_cond_timedwait(changed, mutex, &deadline!) == ETIMEDOUT { break }
    }
    defer {
      unsafe pthread_cond_broadcast(changed)
      unsafe pthread_mutex_unlock(mutex)
    }
    return body(&state)
  }

  private static func deadline(in seconds: Double) -> timespec {
    let nanoseconds = monotonicNanoseconds() + Int64(max(0, min(seconds, 1e9)) * 1e9)
    return timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
  }
}

/// A clock that only goes forward, for measuring.
package func monotonicNanoseconds() -> Int64 {
  var now = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &now)
  return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}
