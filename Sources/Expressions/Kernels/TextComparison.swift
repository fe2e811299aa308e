import Arrow
import Buffers
import Glibc

/// The values of a utf8 or binary array, in memory.
///
/// Offsets are checked once: each value lies within the data.
struct TextValues: ~Escapable {
  private let offsets: Span<Int32>
  private let data: RawSpan
  let count: Int

  @_lifetime(borrow offsets, borrow data)
  init(offsets: borrowing Buffer, data: borrowing Buffer, count: Int) {
    let ends = offsets.span(of: Int32.self)
    precondition(ends.count > count, "\(ends.count) offsets for \(count) values")
    var isOrdered = ends[0] >= 0 && Int(ends[count]) <= data.byteCount
    for row in 0..<count { isOrdered = isOrdered && (unsafe ends[unchecked: row] <= ends[unchecked: row &+ 1]) }
    precondition(isOrdered, "offsets beyond their data")
    self.offsets = ends
    self.data = data.bytes
    self.count = count
  }

  @inline(__always) func start(_ row: Int) -> Int { Int(unsafe offsets[unchecked: row]) }

  @inline(__always) func byteCount(_ row: Int) -> Int {
    Int(unsafe offsets[unchecked: row &+ 1]) &- Int(unsafe offsets[unchecked: row])
  }

  /// How many of the first rows have `byteCount` readable bytes from their start.
  func readableRows(_ byteCount: Int) -> Int {
    var rows = count
    while rows > 0, start(rows - 1) + byteCount > data.byteCount { rows -= 1 }
    return rows
  }

  /// The 8 bytes from `place` of the value on.
  /// - Precondition: they are readable.
  @inline(__always) func word(_ row: Int, at place: Int = 0) -> UInt64 {
    unsafe data.unsafeLoadUnaligned(fromUncheckedByteOffset: start(row) &+ place, as: UInt64.self)
  }

  /// Calls `body` with the value's memory.
  @inline(__always) func withBytes<R>(_ row: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    unsafe data.withUnsafeBytes { bytes in
      unsafe body(UnsafeRawBufferPointer(rebasing: bytes[start(row)..<start(row) &+ byteCount(row)]))
    }
  }

  /// One bit per row: whether `test` holds.
  @inline(__always) func bits(_ test: (Int) -> Bool) -> Bitmap {
    var words = BufferBuilder(capacity: (count + 63) / 64 * 8)
    var start = 0
    while start < count {
      var word: UInt64 = 0
      for place in 0..<min(64, count &- start) { word |= bit(test(start &+ place)) &<< UInt64(place) }
      words.append(word)
      start &+= 64
    }
    return Bitmap(words.finish(), count: count)
  }
}

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

extension Comparison {
  /// Compares texts with a constant by bytes, which is by code points.
  func textBits(_ array: ArrowArray, with constant: [UInt8]) -> Bitmap {
    let (offsets, data) = (array.offsets.aligned(for: Int32.self), array.data)
    let values = TextValues(offsets: offsets, data: data, count: array.count)
    if isEquality {
      let equal = TextConstant(constant).bits(values)
      return self == .equal ? equal : equal.inverted()
    }
    return values.bits { row in
      unsafe values.withBytes(row) { value in
        unsafe constant.withUnsafeBytes { unsafe holds(compareBytes(value, $0), 0) }
      }
    }
  }

  func textBits(_ left: ArrowArray, _ right: ArrowArray) -> Bitmap {
    let (leftOffsets, leftData) = (left.offsets.aligned(for: Int32.self), left.data)
    let (rightOffsets, rightData) = (right.offsets.aligned(for: Int32.self), right.data)
    let first = TextValues(offsets: leftOffsets, data: leftData, count: left.count)
    let second = TextValues(offsets: rightOffsets, data: rightData, count: right.count)
    return first.bits { row in
      if isEquality, first.byteCount(row) != second.byteCount(row) { return self == .notEqual }
      return unsafe first.withBytes(row) { left in
        unsafe second.withBytes(row) { right in holds(unsafe compareBytes(left, right), 0) }
      }
    }
  }
}

/// Below, at or above 0 as the first is less than, equal to or greater than the second.
@inline(__always) func compareBytes(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Int {
  let shared = min(first.count, second.count)
  if shared > 0 {
    let order = unsafe memcmp(first.baseAddress!, second.baseAddress!, shared)
    if order != 0 { return Int(order) }
  }
  return first.count - second.count
}
