import Buffers

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
      checksum: pageChecksum(packed)
    ).encoded()
    var output = BufferBuilder(capacity: header.byteCount + packed.byteCount)
    output.append(header)
    output.append(packed)
    bytes = output.finish()
    byteCount = bytes.byteCount
    self.encoding = encoding
    self.uncompressedByteCount = uncompressedByteCount + header.byteCount
  }
}
