import Buffers
import CBitPacking

/// Decodes fixed-width values whose first bytes stand together, then their second bytes, and so on.
/// - Source: Parquet `Encodings.md`, "Byte Stream Split (BYTE_STREAM_SPLIT = 9)".
enum ByteStreamSplitDecoder {
  static func append(
    _ bytes: RawSpan, width: Int, count: Int, to output: inout BufferBuilder
  ) throws(ParquetError) {
    guard count > 0 else { return }
    guard bytes.byteCount == count * width else {
      throw ParquetError(.countMismatch("BYTE_STREAM_SPLIT bytes", expected: count * width, actual: bytes.byteCount))
    }
    unsafe output.appendUnsafely(capacity: bytes.byteCount) { room in
      unsafe bytes.withUnsafeBytes { source in
        unsafe bytes_join_streams(
          source.assumingMemoryBound(to: UInt8.self).baseAddress,
          room.assumingMemoryBound(to: UInt8.self).baseAddress, count, width)
      }
      return count * width
    }
  }
}
