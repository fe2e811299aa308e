import Arrow
import Buffers

/// The values of a utf8 or binary array, in memory.
///
/// Offsets are checked once: each value lies within the data.
// SAFETY: reads are unchecked behind that check; a row is below `count`, which the kernels' loops see to.
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

  /// Of all values.
  var byteCount: Int { start(count) - start(0) }

  /// Copies value `row` to `memory` at byte `end`; answers where it ends.
  @unsafe @inline(__always) func copy(_ row: Int, to memory: UnsafeMutableRawBufferPointer, at end: Int) -> Int {
    let length = byteCount(row)
    precondition(end &+ length <= memory.count, "\(length) bytes at \(end) of \(memory.count)")
    if length > 0 {
      unsafe withBytes(row) { value in
        unsafe (memory.baseAddress! + end).copyMemory(from: value.baseAddress!, byteCount: length)
      }
    }
    return end &+ length
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
