import Buffers

// A flatbuffer, as far as Arrow's messages use it; all numbers are little-endian:
//
//   buffer    uint32: position of the root table, then tables, vtables, vectors and strings in any order
//   table     int32: own position minus that of its vtable, then the fields' values
//   vtable    uint16 byte count of the vtable, uint16 byte count of the table,
//             uint16 per field: its place within the table, 0 when absent (its value is the default)
//   reference uint32: distance from itself forward to a table, vector or string
//   vector    uint32 element count, then the elements: numbers, structs, or references
//   string    uint32 byte count, UTF-8 bytes, a zero byte
//
// Source: FlatBuffers "Internals". Every position is checked against the buffer before it is read.

/// The bytes of one message's metadata.
struct FlatBuffer {
  let bytes: Buffer
  /// Where the bytes begin in the stream, for errors.
  let byteOffset: Int

  func error(_ what: String, at position: Int = 0) -> IPCError {
    IPCError(.malformedMetadata(what), byteOffset: byteOffset + position)
  }

  func load<T: FixedWidthInteger & BitwiseCopyable>(_ position: Int, as type: T.Type) throws(IPCError) -> T {
    let width = MemoryLayout<T>.size
    guard position >= 0, position <= bytes.byteCount - width else { throw error("a value lies outside", at: position) }
    return T(littleEndian: unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: position, as: T.self))
  }

  /// Follows the reference at `position`.
  func follow(_ position: Int) throws(IPCError) -> Int {
    position + Int(try load(position, as: UInt32.self))
  }

  func root() throws(IPCError) -> FlatTable { try FlatTable(self, at: follow(0)) }
}

/// A table of a flatbuffer, whose fields go by their number in the schema.
struct FlatTable {
  let buffer: FlatBuffer
  let position: Int
  private let vtable: Int
  private let vtableByteCount: Int

  init(_ buffer: FlatBuffer, at position: Int) throws(IPCError) {
    self.buffer = buffer
    self.position = position
    vtable = position - Int(try buffer.load(position, as: Int32.self))
    vtableByteCount = Int(try buffer.load(vtable, as: UInt16.self))
    guard vtableByteCount >= 4, vtable + vtableByteCount <= buffer.bytes.byteCount else {
      throw buffer.error("a vtable lies outside", at: position)
    }
  }

  /// Where field `number` lies; nil when it is absent.
  private func place(_ number: Int) throws(IPCError) -> Int? {
    let slot = 4 + number * 2
    guard slot + 2 <= vtableByteCount else { return nil }
    let place = Int(try buffer.load(vtable + slot, as: UInt16.self))
    return place == 0 ? nil : position + place
  }

  func integer<T: FixedWidthInteger & BitwiseCopyable>(_ number: Int, default value: T) throws(IPCError) -> T {
    guard let place = try place(number) else { return value }
    return try buffer.load(place, as: T.self)
  }

  func bool(_ number: Int) throws(IPCError) -> Bool { try integer(number, default: UInt8(0)) != 0 }

  func table(_ number: Int) throws(IPCError) -> FlatTable? {
    guard let place = try place(number) else { return nil }
    return try FlatTable(buffer, at: buffer.follow(place))
  }

  func string(_ number: Int) throws(IPCError) -> String? {
    guard let place = try place(number) else { return nil }
    let vector = try FlatVector(buffer, at: buffer.follow(place), elementByteCount: 1)
    let text = buffer.bytes.slice(vector.start..<vector.start + vector.count)
    guard let string = unsafe text.withUnsafeBytes({ unsafe String(validating: $0, as: UTF8.self) }) else {
      throw buffer.error("a string is not UTF-8", at: vector.start)
    }
    return string
  }

  /// The vector in field `number`; an absent one is empty.
  func vector(_ number: Int, elementByteCount: Int) throws(IPCError) -> FlatVector {
    guard let place = try place(number) else { return FlatVector(empty: buffer) }
    return try FlatVector(buffer, at: buffer.follow(place), elementByteCount: elementByteCount)
  }
}

/// A vector of a flatbuffer that lies wholly within it.
struct FlatVector {
  let buffer: FlatBuffer
  /// The position of the first element.
  let start: Int
  let count: Int
  private let elementByteCount: Int

  init(empty buffer: FlatBuffer) {
    self.buffer = buffer
    (start, count, elementByteCount) = (0, 0, 1)
  }

  init(_ buffer: FlatBuffer, at position: Int, elementByteCount: Int) throws(IPCError) {
    self.buffer = buffer
    self.elementByteCount = elementByteCount
    count = Int(try buffer.load(position, as: UInt32.self))
    start = position + 4
    guard count <= (buffer.bytes.byteCount - start) / elementByteCount else {
      throw buffer.error("a vector of \(count) elements lies outside", at: position)
    }
  }

  /// The Int64 number `word` of element `index`, a struct of Int64s.
  func word(_ word: Int, of index: Int) throws(IPCError) -> Int64 {
    try buffer.load(start + index * elementByteCount + word * 8, as: Int64.self)
  }

  /// Element `index`, a reference to a table.
  func table(_ index: Int) throws(IPCError) -> FlatTable {
    try FlatTable(buffer, at: buffer.follow(start + index * 4))
  }
}
