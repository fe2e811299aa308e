import Synchronization

/// What slots hold, as much of it as may be kept: bytes, or open files. Shared by threads.
///
/// It can be had again, so what is asked for least goes when others need room. What a reader has in hand lives on until it
/// is done.
final class SlotCache: Sendable {
  struct Statistics: Sendable {
    var size = 0
    var slotCount = 0
    /// What went to make room.
    var evictions = 0
  }

  private struct State {
    var ring = ClockRing<ObjectIdentifier, any Evictable>()
    var evictions = 0
  }

  private let limit: Int
  private let state = Mutex(State())

  /// - Parameter limit: of the sum of sizes.
  init(limit: Int) { self.limit = limit }

  var statistics: Statistics {
    state.withLock { Statistics(size: $0.ring.byteCount, slotCount: $0.ring.count, evictions: $0.evictions) }
  }

  /// Puts something into a slot, unless another thread was first.
  /// - Returns: what the slot has now.
  func keep<Value>(_ value: Value, size: Int, in slot: CacheSlot<Value>) -> Value {
    guard let known = slot.fill(value) else {
      note(size, in: slot)
      return value
    }
    return known
  }

  /// Counts what a slot's value takes, or takes besides, and makes room for it.
  func note(_ size: Int, in slot: any Evictable) {
    // What goes is freed after the lock is: it forgets slots of its own.
    let gone = state.withLock { state -> [any Sendable] in
      state.ring.add(size, to: ObjectIdentifier(slot), slot)
      var gone: [any Sendable] = []
      state.ring.makeRoom(limit) { other in
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

/// What a `SlotCache` can empty.
protocol Evictable: AnyObject, Sendable {
  /// Gives its value up, unless it was used since the last call.
  /// - Returns: the value; nil where it stays.
  func evictUnused() -> (any Sendable)?
}

/// A place for something that is had when it is asked for.
final class CacheSlot<Value: Sendable>: Evictable {
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
