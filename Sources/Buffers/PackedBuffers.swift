import Glibc

/// One piece of memory for copies of several buffers: each then takes its bytes and up to 7 more, where memory of its own takes some
/// 200 besides them.
@safe public struct PackedBuffers: ~Copyable {
  // SAFETY: `base` is where the memory of `whole` begins; only bytes behind `end` are written, which no buffer has yet.
  private let whole: Buffer
  private let base: UnsafeMutableRawPointer
  private var end = 0

  /// - Parameter capacity: the sum of what the buffers take.
  public init(capacity: Int) {
    var builder = BufferBuilder(capacity: max(capacity, 8))
    unsafe base = builder.base
    unsafe builder.appendUnsafely(capacity: capacity) { _ in capacity }
    whole = builder.take()
  }

  /// What a buffer takes.
  public static func byteCount(of buffer: Buffer) -> Int { (buffer.byteCount + 7) & ~7 }

  /// What all of it takes in memory.
  public var memoryByteCount: Int { whole.byteCount + Self.fixedByteCount }

  /// The allocator's, the alignment's, the owner's.
  private static var fixedByteCount: Int { BufferBuilder.slack + 144 }

  /// The same bytes, beginning at a multiple of 8.
  /// - Precondition: there is room.
  public mutating func append(_ buffer: Buffer) -> Buffer {
    let copy = whole.slice(end..<end + buffer.byteCount)
    unsafe buffer.withUnsafeBytes { bytes in
      if let start = bytes.baseAddress { unsafe (base + end).copyMemory(from: start, byteCount: bytes.count) }
    }
    end += Self.byteCount(of: buffer)
    return copy
  }
}
