import Glibc

/// State behind a lock, with a way to wait for it to change.
///
/// The standard library's `Mutex` has no condition variable, which blocking pipeline threads need.
@safe package final class Monitor<State>: @unchecked Sendable {
  // SAFETY: `state` is touched only while `mutex` is held; both pthread objects live as long as this one.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var state: State

  package init(_ state: sending State) {
    self.state = state
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(changed, nil)
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
  package func wait<R>(until isReady: (State) -> Bool, then body: (inout State) -> R) -> R {
    unsafe pthread_mutex_lock(mutex)
    while !isReady(state) { unsafe pthread_cond_wait(changed, mutex) }
    defer {
      unsafe pthread_cond_broadcast(changed)
      unsafe pthread_mutex_unlock(mutex)
    }
    return body(&state)
  }
}
