/// Elements of so many bytes each, and a hand that goes round them for those that go when others need room (CLOCK): what was
/// used since the hand last passed it stays. That is nearly the choice of least recent use, without an order to keep.
package struct ClockRing<Key: Hashable, Element> {
  private struct Entry {
    var key: Key
    var element: Element
    var byteCount: Int
  }

  /// Nil where one went and no other came: the next one does, behind the hand, which comes to it last.
  private var entries: [Entry?] = []
  private var free: [Int] = []
  private var places: [Key: Int] = [:]
  private var hand = 0
  /// Of all elements.
  package private(set) var byteCount = 0

  package init() {}

  /// What the ring itself takes for each element.
  static var entryByteCount: Int { MemoryLayout<Entry>.stride + MemoryLayout<Key>.stride }

  package var count: Int { places.count }

  func contains(_ key: Key) -> Bool { places[key] != nil }

  /// Shows the element of a key to `body`; nil where there is none.
  @discardableResult
  package mutating func use<R>(_ key: Key, _ body: (inout Element) -> R) -> R? {
    guard let place = places[key] else { return nil }
    return body(&entries[place]!.element)
  }

  /// Counts bytes for a key, whose first ones bring its element.
  package mutating func add(_ byteCount: Int, to key: Key, _ element: @autoclosure () -> Element) {
    self.byteCount += byteCount
    if let place = places[key] {
      entries[place]!.byteCount += byteCount
      return
    }
    let entry = Entry(key: key, element: element(), byteCount: byteCount)
    if let place = free.popLast() {
      (entries[place], places[key]) = (entry, place)
    } else {
      places[key] = entries.count
      entries.append(entry)
    }
  }

  /// Takes elements out until no more than `limit` bytes are left, or none went in two rounds.
  ///
  /// - Parameter goes: whether an element goes; one that stays as it was used counts as unused from then on.
  package mutating func makeRoom(_ limit: Int, _ goes: (inout Element) -> Bool) {
    var stayed = 0
    while byteCount > limit, stayed <= 2 * entries.count {
      if hand >= entries.count { hand = 0 }
      if entries[hand] != nil, goes(&entries[hand]!.element) {
        remove(entries[hand]!.key)
        stayed = 0
      } else {
        stayed += 1
      }
      hand += 1
    }
  }

  package mutating func remove(_ key: Key) {
    guard let place = places.removeValue(forKey: key) else { return }
    byteCount -= entries[place]!.byteCount
    entries[place] = nil
    free.append(place)
  }
}
