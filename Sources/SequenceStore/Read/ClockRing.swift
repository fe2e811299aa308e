/// Elements of so many bytes each, and a hand that goes round them for those that go when others need room (CLOCK): what was
/// used since the hand last passed it stays. That is nearly the choice of least recent use, without an order to keep.
struct ClockRing<Key: Hashable, Element> {
  private struct Entry {
    var key: Key
    var element: Element
    var byteCount: Int
  }

  private var entries: [Entry] = []
  private var places: [Key: Int] = [:]
  private var hand = 0
  /// Of all elements.
  private(set) var byteCount = 0

  /// What the ring itself takes for each element.
  static var entryByteCount: Int { MemoryLayout<Entry>.stride + MemoryLayout<Key>.stride }

  var count: Int { entries.count }

  /// Shows the element of a key to `body`; nil where there is none.
  mutating func use<R>(_ key: Key, _ body: (inout Element) -> R) -> R? {
    guard let place = places[key] else { return nil }
    return body(&entries[place].element)
  }

  /// Counts bytes for a key, whose first ones bring its element.
  mutating func add(_ byteCount: Int, to key: Key, _ element: @autoclosure () -> Element) {
    self.byteCount += byteCount
    if let place = places[key] {
      entries[place].byteCount += byteCount
    } else {
      places[key] = entries.count
      entries.append(Entry(key: key, element: element(), byteCount: byteCount))
    }
  }

  /// Takes elements out until no more than `limit` bytes are left, or none went in two rounds.
  ///
  /// - Parameter goes: whether an element goes; one that stays as it was used counts as unused from then on.
  mutating func makeRoom(_ limit: Int, _ goes: (inout Element) -> Bool) {
    var stayed = 0
    while byteCount > limit, stayed <= 2 * entries.count {
      if hand >= entries.count { hand = 0 }
      if goes(&entries[hand].element) {
        remove(at: hand)
        stayed = 0
      } else {
        (hand, stayed) = (hand + 1, stayed + 1)
      }
    }
  }

  mutating func remove(_ key: Key) { places[key].map { remove(at: $0) } }

  /// The last entry takes the place.
  private mutating func remove(at place: Int) {
    let gone = entries[place]
    places[gone.key] = nil
    byteCount -= gone.byteCount
    let last = entries.removeLast()
    guard place < entries.count else { return }
    entries[place] = last
    places[last.key] = place
  }
}
