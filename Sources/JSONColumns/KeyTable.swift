/// A declared key of one object, as the walker compares it, and what its value is.
struct KeyEntry: BitwiseCopyable {
  /// The first eight bytes of the key and its closing quote, the first one lowest.
  var head: UInt64 = 0
  /// Which bits of `head` count.
  var mask: UInt64 = 0
  /// The last eight bytes of a key of eight or more and its quote.
  var tail: UInt64 = 0
  var scale: Int64 = 1
  /// How many bytes the key has; -1 marks an empty slot.
  var byteCount: Int32 = -1
  /// The node below the key.
  var node: Int32 = -1
  /// Where the key's bytes lie among all keys' bytes.
  var start: Int32 = 0
  /// The next entry in the same slot, counted from the table's first; -1 when there is none.
  var next: Int32 = -1
  /// The node's slots.
  var slots: Int32 = -1
  var kind = PathNode.Kind.other
  // Fills 64 bytes, so that finding a slot is a shift.
  private var filler: UInt64 = 0

  /// An empty slot, which no text matches: a key does not begin with a control character.
  init() {
    head = 1
    mask = 0xFF
  }

  init(_ key: [UInt8], node: Int) {
    let quoted = key + [UInt8(ascii: "\"")]
    head = Self.word(quoted.prefix(8))
    mask = Self.word([UInt8](repeating: 0xFF, count: 8).prefix(quoted.count))
    tail = quoted.count > 8 ? Self.word(quoted.suffix(8)) : 0
    byteCount = Int32(key.count)
    self.node = Int32(node)
  }

  private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

/// A hash table over an object's declared keys: `slotCount` slots, each with the first of its entries.
///
/// The hash takes a key's first four bytes and its length. The multiplier is chosen so that few keys, and nearly always
/// none, share a slot.
struct KeyTable {
  static let slotBits: UInt64 = 6
  static let slotCount = 1 << Int(slotBits)

  var multiplier: UInt64 = 1
  var entries: [KeyEntry] = []
  /// The keys one after the other.
  var bytes: [UInt8] = []

  init(_ keys: [(key: [UInt8], node: Int)]) {
    let words = keys.map { Self.word($0.key) }
    var fewest = Int.max
    for attempt in 1...2_000 as ClosedRange<UInt64> where fewest > 0 {
      let candidate = (attempt &* 0x9E37_79B9_7F4A_7C15) | 1
      let collisions = words.count - Set(words.map { Self.slot($0, candidate) }).count
      if collisions < fewest { (multiplier, fewest) = (candidate, collisions) }
    }
    entries = Array(repeating: KeyEntry(), count: Self.slotCount)
    for (key, node) in keys { insert(key, node) }
  }

  /// What is hashed: four bytes of text from the key's first one on, and the distance from its quote to the colon.
  @inline(__always) static func word(_ text: UInt64, distance: Int) -> UInt64 {
    text & 0xFFFF_FFFF | UInt64(truncatingIfNeeded: distance) &<< 32
  }

  @inline(__always) static func slot(_ word: UInt64, _ multiplier: UInt64) -> Int {
    Int(truncatingIfNeeded: (word &* multiplier) &>> (64 - slotBits))
  }

  /// The same for a key in compact text: a quote, the key, a quote, a colon. A key of one byte leaves the fourth byte open.
  private static func word(_ key: [UInt8]) -> UInt64 {
    let text = (key + [UInt8(ascii: "\""), UInt8(ascii: ":")]).prefix(4)
    return word(text.reversed().reduce(0) { $0 << 8 | UInt64($1) }, distance: key.count + 2)
  }

  private mutating func insert(_ key: [UInt8], _ node: Int) {
    var entry = KeyEntry(key, node: node)
    entry.start = Int32(bytes.count)
    bytes += key
    let slot = Self.slot(Self.word(key), multiplier)
    if entries[slot].byteCount < 0 {
      entries[slot] = entry
    } else {
      entry.next = entries[slot].next
      entries[slot].next = Int32(entries.count)
      entries.append(entry)
    }
  }
}
