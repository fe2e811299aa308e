import Synchronization

/// Footers, page indexes and dictionaries of data files, in a bounded amount of memory. Shared by threads.
///
/// They can be read again, so what was not asked for since the hand last passed it goes when others need room (CLOCK). What
/// a reader has in hand lives on until it is done.
package final class FileIndexCache: Sendable {
  package struct Statistics: Sendable {
    /// About.
    package var byteCount = 0
    package var slotCount = 0
    /// What went to make room.
    package var evictions = 0
  }

  fileprivate struct Entry {
    var slot: any Evictable
    var byteCount: Int
  }

  fileprivate struct State {
    var entries: [Entry] = []
    var places: [ObjectIdentifier: Int] = [:]
    var hand = 0
    var statistics = Statistics()
  }

  package let byteLimit: Int
  private let state = Mutex(State())

  package init(byteLimit: Int) { self.byteLimit = byteLimit }

  package var statistics: Statistics { state.withLock { $0.statistics } }

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
    let gone = state.withLock { state in
      state.add(byteCount, to: slot)
      return state.makeRoom(byteLimit, sparing: slot)
    }
    withExtendedLifetime(gone) {}
  }

  /// A slot is not there any more.
  func forget(_ slot: any Evictable) { state.withLock { $0.forget(slot) } }
}

extension FileIndexCache.State {
  fileprivate mutating func add(_ byteCount: Int, to slot: any Evictable) {
    statistics.byteCount += byteCount
    if let place = places[ObjectIdentifier(slot)] {
      entries[place].byteCount += byteCount
    } else {
      places[ObjectIdentifier(slot)] = entries.count
      entries.append(FileIndexCache.Entry(slot: slot, byteCount: byteCount))
      statistics.slotCount += 1
    }
  }

  fileprivate mutating func makeRoom(_ limit: Int, sparing newest: any Evictable) -> [any Sendable] {
    var gone: [any Sendable] = []
    var passed = 0
    while statistics.byteCount > limit, passed <= 2 * entries.count {
      if hand >= entries.count { hand = 0 }
      let slot = entries[hand].slot
      if slot !== newest, let value = slot.evictUnused() {
        gone.append(value)
        statistics.evictions += 1
        forget(slot)
      } else {
        (hand, passed) = (hand + 1, passed + 1)
      }
    }
    return gone
  }

  fileprivate mutating func forget(_ slot: any Evictable) {
    guard let place = places.removeValue(forKey: ObjectIdentifier(slot)) else { return }
    statistics.byteCount -= entries[place].byteCount
    statistics.slotCount -= 1
    let last = entries.removeLast()
    guard place < entries.count else { return }
    entries[place] = last
    places[ObjectIdentifier(last.slot)] = place
  }
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
