import Buffers

/// A constant text, cut for comparison by words.
struct TextConstant: Sendable {
  let bytes: [UInt8]
  /// The first 8 bytes, zero past the end, and which of their bits count.
  let head: UInt64
  let mask: UInt64
  /// The last 8 bytes of a text of 8 to 16.
  let tail: UInt64

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    head = Self.word(bytes.prefix(8))
    mask = bytes.count >= 8 ? .max : (1 &<< UInt64(bytes.count * 8)) &- 1
    tail = Self.word(bytes.suffix(8))
  }

  private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 &<< 8 | UInt64($1) }
  }

  /// Whether value `row` is this text.
  /// - Precondition: 16 bytes are readable from the value's start.
  @inline(__always) func equals(_ values: borrowing TextValues, _ row: Int) -> Bool {
    let isHead = (values.word(row) & mask == head) && values.byteCount(row) == bytes.count
    if bytes.count <= 8 { return isHead }
    if bytes.count <= 16 { return isHead && values.word(row, at: bytes.count &- 8) == tail }
    return isHead && equalsSlowly(values, row)
  }

  func equalsSlowly(_ values: borrowing TextValues, _ row: Int) -> Bool {
    unsafe values.withBytes(row) { value in
      unsafe value.count == bytes.count && begins(value, with: bytes)
    }
  }

  /// One bit per value: whether it is this text.
  func bits(_ values: borrowing TextValues) -> Bitmap {
    let fast = values.readableRows(16)
    if bytes.count <= 8 {
      return values.bits { row in
        if row < fast {
          return bit(values.word(row) & mask == head) & bit(values.byteCount(row) == bytes.count) == 1
        }
        return equalsSlowly(values, row)
      }
    }
    return values.bits { row in row < fast ? equals(values, row) : equalsSlowly(values, row) }
  }
}
