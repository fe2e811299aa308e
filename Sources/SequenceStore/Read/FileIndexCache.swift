import Synchronization

/// Footers, page indexes and dictionaries of data files, in a bounded amount of memory. Shared by threads.
///
/// They can be read again, so those that are asked for least go when others need room. What a reader has in hand lives on
/// until it is done.
package final class FileIndexCache: Sendable {
  package struct Statistics: Sendable {
    /// About.
    package var byteCount = 0
    package var slotCount = 0
    /// What went to make room.
    package var evictions = 0
  }

  private struct State {
    var ring = ClockRing<ObjectIdentifier, any Evictable>()
    var evictions = 0
  }

  package let byteLimit: Int
  private let state = Mutex(State())

  package init(byteLimit: Int) { self.byteLimit = byteLimit }

  package var statistics: Statistics {
    state.withLock {
      Statistics(byteCount: $0.ring.byteCount, slotCount: $0.ring.count, evictions: $0.evictions)
    }
  }

  /// Puts what was read into a slot, unless another thread was first.
  /// - Returns: what the slot has now.
  func keep<Value>(_ value: Value, byteCount: Int, in slot: IndexSlot<Value>) -> Value {
    guard let known = slot.fill(value) else {
      note(byteCount, in: slot)
      return value
    }
    return known
  }

  /// Counts bytes that a slot's value takes, or takes besides, and makes room for them.
  func note(_ byteCount: Int, in slot: any Evictable) {
    // What goes is freed after the lock is: it forgets slots of its own.
    let gone = state.withLock { state -> [any Sendable] in
      state.ring.add(byteCount, to: ObjectIdentifier(slot), slot)
      var gone: [any Sendable] = []
      state.ring.makeRoom(byteLimit) { other in
        guard other !== slot, let value = other.evictUnused() else { return false }
        gone.append(value)
        return true
      }
      state.evictions += gone.count
      return gone
    }
    withExtendedLifetime(gone) {}
  }

  /// A slot is not there any more.
  func forget(_ slot: any Evictable) { state.withLock { $0.ring.remove(ObjectIdentifier(slot)) } }
}

/// What a `FileIndexCache` can empty.
protocol Evictable: AnyObject, Sendable {
  /// Gives its value up, unless it was used since the last call.
  /// - Returns: the value; nil where it stays.
  func evictUnused() -> (any Sendable)?
}

/// A place for something that is read when it is asked for.
final class IndexSlot<Value: Sendable>: Evictable {
  private struct State {
    var value: Value?
    var isUsed = false
  }

  private let state = Mutex(State())

  var value: Value? {
    state.withLock { state in
      state.isUsed = true
      return state.value
    }
  }

  /// - Returns: the value that was there first; nil when there was none.
  fileprivate func fill(_ value: Value) -> Value? {
    state.withLock { state in
      if let known = state.value { return known }
      state.value = value
      return nil
    }
  }

  func evictUnused() -> (any Sendable)? {
    state.withLock { state in
      if state.isUsed {
        state.isUsed = false
        return nil
      }
      return state.value.take()
    }
  }
}
