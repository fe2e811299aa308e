import Synchronization

/// A value that is made of files which others replace while it is in use.
final class Followed<Value: Sendable>: Sendable {
  private struct State {
    var value: Value
    /// Of the files that the value was made of, or could not be made of.
    var stamp: String?
  }

  private let state: Mutex<State>

  /// - Parameter stamp: of the files that it was made of; nil: the first `refresh` makes it anew.
  init(_ value: Value, stamp: String?) { state = Mutex(State(value: value, stamp: stamp)) }

  var current: Value { state.withLock { $0.value } }

  /// Makes the next `refresh` make the value anew, whatever the stamp.
  func forget() { state.withLock { $0.stamp = nil } }

  /// Makes the value anew if its files have another stamp than they had the last time.
  ///
  /// - Parameter make: is given the value as it is.
  /// - Throws: what `make` throws, once for each stamp; the value stays as it was.
  func refresh<E: Error>(stamp: String, _ make: (Value) throws(E) -> Value) throws(E) {
    let known = state.withLock { state -> Value? in
      defer { state.stamp = stamp }
      return state.stamp == stamp ? nil : state.value
    }
    guard let known else { return }
    let made = try make(known)
    state.withLock { $0.value = made }
  }
}
