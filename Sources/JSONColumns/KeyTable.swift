/// A declared key of one object, as the walker compares it.
struct KeyEntry: BitwiseCopyable {
  /// The first seven bytes, zero after the key's end.
  var head: UInt64 = 0
  /// The last eight bytes of a key of eight or more.
  var tail: UInt64 = 0
  var byteCount: Int32 = 0
  /// The node below the key; -1 marks an empty slot.
  var node: Int32 = -1
  /// Where the key's bytes lie in the table's `bytes`.
  var start: Int32 = 0
  /// The next entry with the same head; -1 when there is none.
  var next: Int32 = -1
}

/// A hash table over key heads in which no two heads share a slot, so that one probe decides.
struct KeyTable {
  var multiplier: UInt64 = 0
  var shift: UInt64 = 63
  /// A power of two of slots, then the entries that share a head with a slot.
  var entries: [KeyEntry] = []
  var bytes: [UInt8] = []

  init(_ keys: [(key: [UInt8], node: Int)]) {
    let heads = Set(keys.map { Self.head($0.key) })
    var bits: UInt64 = 1
    while (1 << bits) < 2 * heads.count { bits += 1 }
    var attempt: UInt64 = 0
    repeat {
      attempt += 1
      if attempt % 256 == 0 { bits += 1 }
      multiplier = (attempt &* 0x9E37_79B9_7F4A_7C15) | 1
      shift = 64 - bits
    } while Set(heads.map(slot)).count < heads.count
    entries = Array(repeating: KeyEntry(), count: 1 << Int(bits))
    for (key, node) in keys { insert(key, node) }
  }

  private func slot(_ head: UInt64) -> Int { Int((head &* multiplier) >> shift) }

  private static func head(_ key: [UInt8]) -> UInt64 { word(key.prefix(7)) }

  private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private mutating func insert(_ key: [UInt8], _ node: Int) {
    let head = Self.head(key)
    var entry = KeyEntry(head: head, byteCount: Int32(key.count), node: Int32(node), start: Int32(bytes.count))
    if key.count >= 8 { entry.tail = Self.word(key.suffix(8)) }
    bytes += key
    let slot = slot(head)
    if entries[slot].node < 0 {
      entries[slot] = entry
    } else {
      entry.next = entries[slot].next
      entries[slot].next = Int32(entries.count)
      entries.append(entry)
    }
  }
}
