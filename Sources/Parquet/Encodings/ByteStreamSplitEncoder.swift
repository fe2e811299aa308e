import Buffers

/// Writes the first byte of every value, then the second of every value, and so on: bytes of equal meaning meet, which
/// is what lets a compressor shorten floats.
/// - Source: Parquet `Encodings.md`, "Byte Stream Split: (BYTE_STREAM_SPLIT = 9)".
enum ByteStreamSplitEncoder {
  /// - Parameter width: bytes per value, which divides the byte count of `values`.
  static func encode(_ values: RawSpan, width: Int, into output: inout BufferBuilder) {
    unsafe output.appendUnsafely(capacity: values.byteCount) { room in
      unsafe values.withUnsafeBytes { source in
        let count = source.count / width
        guard count > 0, let input = source.baseAddress, let output = room.baseAddress else { return 0 }
        unsafe split(input, count, width, output, streamByteCount: count)
        return count * width
      }
    }
  }

  /// The values of `lists`, one list after the other.
  static func encode(_ lists: borrowing DistinctLists, width: Int, into output: inout BufferBuilder) {
    let (listLength, total) = (lists.width / width, lists.byteCount / width)
    unsafe output.appendUnsafely(capacity: lists.byteCount) { room in
      guard let output = room.baseAddress else { return 0 }
      unsafe lists.forEachList { index, list in
        unsafe split(list, listLength, width, output + index &* listLength, streamByteCount: total)
      }
      return total * width
    }
  }

  /// - Parameter output: in the first stream; each further stream lies `streamByteCount` bytes on.
  @inline(__always) private static func split(
    _ input: UnsafeRawPointer, _ count: Int, _ width: Int, _ output: UnsafeMutableRawPointer, streamByteCount: Int
  ) {
    switch width {
    case 4: unsafe split4(input, count, output, streamByteCount)
    case 8: unsafe split8(input, count, output, streamByteCount)
    default: unsafe splitAny(input, count, width, output, streamByteCount)
    }
  }

  private static func split4(
    _ input: UnsafeRawPointer, _ count: Int, _ output: UnsafeMutableRawPointer, _ streamByteCount: Int
  ) {
    for index in 0..<count {
      let value = unsafe input.loadUnaligned(fromByteOffset: index &* 4, as: UInt32.self)
      for byte in 0..<4 {
        unsafe output.storeBytes(
          of: UInt8(truncatingIfNeeded: value &>> UInt32(byte &* 8)), toByteOffset: byte &* streamByteCount &+ index,
          as: UInt8.self)
      }
    }
  }

  private static func split8(
    _ input: UnsafeRawPointer, _ count: Int, _ output: UnsafeMutableRawPointer, _ streamByteCount: Int
  ) {
    for index in 0..<count {
      let value = unsafe input.loadUnaligned(fromByteOffset: index &* 8, as: UInt64.self)
      for byte in 0..<8 {
        unsafe output.storeBytes(
          of: UInt8(truncatingIfNeeded: value &>> UInt64(byte &* 8)), toByteOffset: byte &* streamByteCount &+ index,
          as: UInt8.self)
      }
    }
  }

  private static func splitAny(
    _ input: UnsafeRawPointer, _ count: Int, _ width: Int, _ output: UnsafeMutableRawPointer, _ streamByteCount: Int
  ) {
    for index in 0..<count {
      for byte in 0..<width {
        let value = unsafe input.load(fromByteOffset: index &* width &+ byte, as: UInt8.self)
        unsafe output.storeBytes(of: value, toByteOffset: byte &* streamByteCount &+ index, as: UInt8.self)
      }
    }
  }
}
