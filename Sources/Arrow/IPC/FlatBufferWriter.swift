import Buffers

/// Writes a flatbuffer front to back: a table first, then what it refers to, whose distance is filled in afterwards.
/// `FlatBuffer.swift` gives the grammar.
struct FlatBufferWriter: ~Copyable {
  /// A field's value, in the order of the schema.
  enum Slot {
    case absent
    case byte(UInt8)
    case short(Int16)
    case int(Int32)
    case long(Int64)
    /// Something to be written after the table.
    case reference

    static func bool(_ value: Bool) -> Slot { .byte(value ? 1 : 0) }

    var byteCount: Int {
      switch self {
      case .absent: 0
      case .byte: 1
      case .short: 2
      case .int, .reference: 4
      case .long: 8
      }
    }
  }

  /// Where a reference is still to be filled in.
  struct Reference { let position: Int }

  /// What most messages fit in, and what `malloc` has at hand.
  private var bytes = BufferBuilder(capacity: 768)
  /// Where the flatbuffer begins.
  private let start: Int

  /// Begins with room for the reference to the root table.
  ///
  /// - Parameter prefix: bytes before the flatbuffer, a multiple of 8; where they are filled in, it is finished.
  init(after prefix: Buffer) {
    precondition(prefix.byteCount % 8 == 0, "\(prefix.byteCount) bytes are no multiple of 8")
    bytes.append(prefix)
    start = bytes.byteCount
    bytes.append(UInt32(0))
  }

  /// Goes on with what another writer wrote after a prefix of so many bytes.
  init(_ written: Buffer, start: Int) {
    self.start = start
    bytes.reserve(written.byteCount + 256)
    bytes.append(written)
  }

  var root: Reference { Reference(position: start) }

  /// Writes a table and points `reference` at it.
  /// - Returns: by the slots' places, the references among them.
  mutating func table<let count: Int>(_ slots: [count of Slot], at reference: Reference) -> [count of Reference] {
    var places = [count of Int](repeating: 0)
    var byteCount = 4
    for index in slots.indices {
      let width = slots[index].byteCount
      if width == 0 { continue }
      byteCount = (byteCount + width - 1) & ~(width - 1)
      places[index] = byteCount
      byteCount += width
    }
    let vtable = writeVTable(places.span, tableByteCount: byteCount)
    let position = bytes.byteCount
    point(reference)
    bytes.append(Int32(position - vtable))
    var references = [count of Reference](repeating: reference)
    for index in slots.indices where places[index] > 0 {
      references[index] = Reference(position: position + places[index])
      write(slots[index], at: position + places[index])
    }
    return references
  }

  /// Writes a vtable such that the table can follow at a multiple of 8.
  private mutating func writeVTable(_ places: Span<Int>, tableByteCount: Int) -> Int {
    let vtableByteCount = 4 + places.count * 2
    // The prefix is as long as leaves the flatbuffer's multiples of 8 where they are.
    bytes.append(zeroes: (8 - (bytes.byteCount + vtableByteCount) % 8) % 8)
    let start = bytes.byteCount
    bytes.append(UInt16(vtableByteCount))
    bytes.append(UInt16(tableByteCount))
    for index in places.indices { bytes.append(UInt16(places[index])) }
    return start
  }

  private mutating func write(_ slot: Slot, at position: Int) {
    bytes.append(zeroes: position - bytes.byteCount)
    switch slot {
    case .absent: break
    case .byte(let value): bytes.append(value)
    case .short(let value): bytes.append(value)
    case .int(let value): bytes.append(value)
    case .long(let value): bytes.append(value)
    case .reference: bytes.append(UInt32(0))
    }
  }

  /// Makes `reference` lead to what is written next.
  private mutating func point(_ reference: Reference) {
    bytes.overwrite(UInt32(bytes.byteCount - reference.position), atByteOffset: reference.position)
  }

  mutating func string(_ text: String, at reference: Reference) {
    bytes.pad(to: 4)
    point(reference)
    bytes.append(UInt32(text.utf8.count))
    bytes.append(utf8: text)
    bytes.append(UInt8(0))
  }

  /// References that lie one after another.
  struct References {
    let start: Int

    subscript(index: Int) -> Reference { Reference(position: start + index * 4) }
  }

  /// Writes a vector of references.
  mutating func references(count: Int, at reference: Reference) -> References {
    bytes.pad(to: 4)
    point(reference)
    bytes.append(UInt32(count))
    let start = bytes.byteCount
    bytes.append(zeroes: count * 4)
    return References(start: start)
  }

  /// Writes a vector of structs of `width` Int64s each.
  mutating func structs(_ words: [Int64], width: Int, at reference: Reference) {
    bytes.pad(to: 4)
    if bytes.byteCount % 8 == 0 { bytes.append(zeroes: 4) }
    point(reference)
    bytes.append(UInt32(words.count / width))
    bytes.append(contentsOf: words.span)
  }

  /// What is written so far.
  mutating func take() -> Buffer { bytes.take() }

  /// The prefix and the flatbuffer, filled up to a multiple of `alignment`.
  ///
  /// - Parameter countPlace: where the prefix says in 32 bits how many bytes follow it.
  mutating func finish(alignment: Int, countPlace: Int) -> Buffer {
    bytes.pad(to: alignment)
    bytes.overwrite(Int32(bytes.byteCount - start), atByteOffset: countPlace)
    return bytes.take()
  }
}
