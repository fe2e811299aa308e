import Buffers
import Parquet

/// A regular file, read where its reader looks: in memory is what was asked for and no more.
package struct FileBytes: ByteSource {
  private let file: OpenFile
  package let byteCount: Int

  /// Nil for what is no regular file.
  package init?(_ file: OpenFile) {
    guard let size = file.regularSize else { return nil }
    (self.file, byteCount) = (file, size)
  }

  /// - Throws: `ParquetError` `.truncated` where the file has become shorter, `SystemError`.
  package func read(_ range: Range<Int>) throws -> Buffer {
    try check(range)
    let bytes = try file.bytes(at: range.lowerBound, byteCount: range.count)
    guard bytes.byteCount == range.count else {
      throw ParquetError(.truncated("file", needed: range.upperBound, available: range.lowerBound + bytes.byteCount))
    }
    return bytes
  }

  package func willRead(_ ranges: ArraySlice<Range<Int>>) {
    for range in ranges { file.fetch(range) }
  }
}
