import Buffers

/// Where the bytes of a file come from: the reader itself does no I/O.
package protocol ByteSource: Sendable {
  var byteCount: Int { get }

  /// The bytes `range` of the file, all of them.
  func read(_ range: Range<Int>) throws -> Buffer
}

/// A file in memory, or mapped into it.
extension Buffer: ByteSource {
  package func read(_ range: Range<Int>) throws -> Buffer {
    guard range.lowerBound >= 0, range.upperBound <= byteCount else {
      throw ParquetError(.truncated("file", needed: range.upperBound, available: byteCount))
    }
    return slice(range)
  }
}
