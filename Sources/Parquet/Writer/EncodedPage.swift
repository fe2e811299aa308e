import Buffers
import CZlib

/// A page as it stands in the file: header and compressed bytes.
struct EncodedPage {
  /// Header and compressed bytes.
  let bytes: Buffer
  let byteCount: Int
  let encoding: Encoding
  /// With the header, before compression.
  let uncompressedByteCount: Int

  /// - Parameter packed: the page's bytes after compression.
  init(_ kind: PageHeader.Kind, encoding: Encoding, uncompressedByteCount: Int, packed: RawSpan) {
    let header = PageHeader(
      kind: kind, uncompressedByteCount: uncompressedByteCount, compressedByteCount: packed.byteCount,
      checksum: Self.checksum(packed)
    ).encoded()
    var output = BufferBuilder(capacity: header.byteCount + packed.byteCount)
    output.append(header)
    output.append(packed)
    bytes = output.finish()
    byteCount = bytes.byteCount
    self.encoding = encoding
    self.uncompressedByteCount = uncompressedByteCount + header.byteCount
  }

  /// CRC-32 as gzip has it.
  private static func checksum(_ bytes: RawSpan) -> UInt32 {
    unsafe bytes.withUnsafeBytes { bytes in
      UInt32(truncatingIfNeeded: unsafe crc32_z(0, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count))
    }
  }
}
