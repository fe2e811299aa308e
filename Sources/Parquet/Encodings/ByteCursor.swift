/// A place in bytes that only moves forward, and never past their end.
struct ByteCursor: ~Copyable, ~Escapable {
  let bytes: RawSpan
  private(set) var offset = 0

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) { self.bytes = bytes }

  var available: Int { bytes.byteCount &- offset }

  /// A little-endian unsigned integer of 32 bits, as a length.
  mutating func length(of what: String) throws(ParquetError) -> Int {
    try require(4, what)
    let value = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
    offset &+= 4
    return Int(value)
  }

  mutating func byte(of what: String) throws(ParquetError) -> UInt8 {
    try require(1, what)
    defer { offset &+= 1 }
    return unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }

  /// An unsigned LEB128 integer of up to 64 bits.
  mutating func varint(of what: String) throws(ParquetError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let byte = try byte(of: what)
      guard shift < 63 || (shift == 63 && byte <= 1) else {
        throw ParquetError(.malformed("\(what): a varint of over 64 bits"))
      }
      value |= UInt64(byte & 0x7F) &<< shift
      if byte < 0x80 { return value }
      shift &+= 7
    }
  }

  /// A zigzag varint.
  mutating func signedVarint(of what: String) throws(ParquetError) -> Int64 {
    let value = try varint(of: what)
    return Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// The next `count` bytes.
  @_lifetime(copy self)
  mutating func take(_ count: Int, of what: String) throws(ParquetError) -> RawSpan {
    try require(count, what)
    defer { offset &+= count }
    return bytes.extracting(offset..<offset &+ count)
  }

  /// All that is left.
  @_lifetime(copy self)
  consuming func rest() -> RawSpan { bytes.extracting(offset..<bytes.byteCount) }

  func require(_ count: Int, _ what: String) throws(ParquetError) {
    guard count >= 0, count <= available else {
      throw ParquetError(.truncated(what, needed: count, available: available))
    }
  }
}
