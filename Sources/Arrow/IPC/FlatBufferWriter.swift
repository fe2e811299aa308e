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

  private var bytes = BufferBuilder(capacity: 1024)

  /// Room for the reference to the root table.
  init() { bytes.append(UInt32(0)) }

  static var root: Reference { Reference(position: 0) }

  /// Writes a table and points `reference` at it.
  /// - Returns: the references among its slots, in order.
  mutating func table(_ slots: [Slot], at reference: Reference) -> [Reference] {
    var places: [Int] = []
    var byteCount = 4
    for slot in slots {
      let width = slot.byteCount
      if width > 0 { byteCount = (byteCount + width - 1) / width * width }
      places.append(width == 0 ? 0 : byteCount)
      byteCount += width
    }
    let vtable = writeVTable(places, tableByteCount: byteCount)
    let position = bytes.byteCount
    point(reference)
    bytes.append(Int32(position - vtable))
    for (slot, place) in zip(slots, places) where place > 0 { write(slot, at: position + place) }
    return zip(slots, places).compactMap { slot, place in
      if case .reference = slot { Reference(position: position + place) } else { nil }
    }
  }

  /// Writes a vtable such that the table can follow at a multiple of 8.
  private mutating func writeVTable(_ places: [Int], tableByteCount: Int) -> Int {
    let vtableByteCount = 4 + places.count * 2
    bytes.pad(to: 2)
    while (bytes.byteCount + vtableByteCount) % 8 != 0 { bytes.append(zeroes: 2) }
    let start = bytes.byteCount
    bytes.append(UInt16(vtableByteCount))
    bytes.append(UInt16(tableByteCount))
    for place in places { bytes.append(UInt16(place)) }
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

  /// Writes a vector of references.
  mutating func references(count: Int, at reference: Reference) -> [Reference] {
    bytes.pad(to: 4)
    point(reference)
    bytes.append(UInt32(count))
    let start = bytes.byteCount
    bytes.append(zeroes: count * 4)
    return (0..<count).map { Reference(position: start + $0 * 4) }
  }

  /// Writes a vector of structs of `width` Int64s each.
  mutating func structs(_ words: [Int64], width: Int, at reference: Reference) {
    bytes.pad(to: 4)
    if bytes.byteCount % 8 == 0 { bytes.append(zeroes: 4) }
    point(reference)
    bytes.append(UInt32(words.count / width))
    bytes.append(contentsOf: words.span)
  }

  /// The flatbuffer, filled up so that it and `prefix` bytes before it end at a multiple of `alignment`.
  mutating func finish(prefix: Int, alignment: Int) -> Buffer {
    while (bytes.byteCount + prefix) % alignment != 0 { bytes.append(UInt8(0)) }
    return bytes.take()
  }
}
