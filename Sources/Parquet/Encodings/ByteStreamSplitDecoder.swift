import Buffers
import CBitPacking

/// Decodes fixed-width values whose first bytes stand together, then their second bytes, and so on.
/// - Source: Parquet `Encodings.md`, "Byte Stream Split (BYTE_STREAM_SPLIT = 9)".
enum ByteStreamSplitDecoder {
  /// Appends those values of the page that are wanted.
  static func append(
    _ page: PageValues, _ bytes: RawSpan, width: Int, to output: inout BufferBuilder
  ) throws(ParquetError) {
    guard bytes.byteCount == page.total * width else {
      throw ParquetError(
        .countMismatch("BYTE_STREAM_SPLIT bytes", expected: page.total * width, actual: bytes.byteCount))
    }
    guard page.count > 0 else { return }
    unsafe output.appendUnsafely(capacity: page.count * width) { room in
      unsafe bytes.withUnsafeBytes { source in
        unsafe bytes_join_streams(
          source.assumingMemoryBound(to: UInt8.self).baseAddress! + page.skipped,
          room.assumingMemoryBound(to: UInt8.self).baseAddress, page.count, width, page.total)
      }
      return page.count * width
    }
  }
}
