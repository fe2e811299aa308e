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
        switch width {
        case 4: unsafe split4(source, count, room)
        case 8: unsafe split8(source, count, room)
        default: unsafe splitAny(source, count, width, room)
        }
        return count * width
      }
    }
  }

  private static func split4(_ source: UnsafeRawBufferPointer, _ count: Int, _ room: UnsafeMutableRawBufferPointer) {
    guard count > 0, let input = source.baseAddress, let output = room.baseAddress else { return }
    for index in 0..<count {
      let value = unsafe input.loadUnaligned(fromByteOffset: index &* 4, as: UInt32.self)
      for byte in 0..<4 {
        unsafe output.storeBytes(
          of: UInt8(truncatingIfNeeded: value &>> UInt32(byte &* 8)), toByteOffset: byte &* count &+ index,
          as: UInt8.self)
      }
    }
  }

  private static func split8(_ source: UnsafeRawBufferPointer, _ count: Int, _ room: UnsafeMutableRawBufferPointer) {
    guard count > 0, let input = source.baseAddress, let output = room.baseAddress else { return }
    for index in 0..<count {
      let value = unsafe input.loadUnaligned(fromByteOffset: index &* 8, as: UInt64.self)
      for byte in 0..<8 {
        unsafe output.storeBytes(
          of: UInt8(truncatingIfNeeded: value &>> UInt64(byte &* 8)), toByteOffset: byte &* count &+ index,
          as: UInt8.self)
      }
    }
  }

  private static func splitAny(
    _ source: UnsafeRawBufferPointer, _ count: Int, _ width: Int, _ room: UnsafeMutableRawBufferPointer
  ) {
    for index in 0..<count {
      for byte in 0..<width { unsafe room[byte &* count &+ index] = source[index &* width &+ byte] }
    }
  }
}
