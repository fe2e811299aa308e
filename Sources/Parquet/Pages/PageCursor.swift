import Buffers

/// A page as stored: its header, and its bytes as they lie in the file.
struct StoredPage {
  var header: PageHeader
  var body: Buffer
  /// Where the header begins in the file.
  var byteOffset: Int

  /// - Throws: `.checksumMismatch`, if the header has a checksum.
  func verifyChecksum() throws(ParquetError) {
    guard let expected = header.checksum else { return }
    let actual = pageChecksum(body.bytes)
    guard actual == expected else { throw ParquetError(.checksumMismatch(expected: expected, actual: actual)) }
  }
}

/// Walks over the pages of one column chunk that lie in the segments at hand.
struct PageCursor {
  /// Bytes of the file, pages from their first to their last byte.
  struct Segment {
    var byteOffset: Int
    var bytes: Buffer
  }

  private var segments: [Segment]
  private var index = 0
  private var position = 0

  init(_ segments: [Segment]) { self.segments = segments }

  /// The next page, or nil behind the last.
  mutating func next() throws(ParquetError) -> StoredPage? {
    while index < segments.count, position >= segments[index].bytes.byteCount {
      index += 1
      position = 0
    }
    guard index < segments.count else { return nil }
    let segment = segments[index]
    let byteOffset = segment.byteOffset + position
    do throws(ParquetError) {
      var reader = ThriftReader(segment.bytes, position: position)
      let header = try PageHeader(from: &reader)
      let available = segment.bytes.byteCount - reader.position
      guard header.compressedByteCount <= available else {
        throw ParquetError(.truncated("page", needed: header.compressedByteCount, available: available))
      }
      position = reader.position + header.compressedByteCount
      return StoredPage(
        header: header, body: segment.bytes.slice(reader.position..<position), byteOffset: byteOffset)
    } catch {
      throw error.located(byteOffset: byteOffset)
    }
  }
}
