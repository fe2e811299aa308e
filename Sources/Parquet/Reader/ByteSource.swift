import Buffers

/// Where the bytes of a file come from: the reader itself does no I/O.
package protocol ByteSource: Sendable {
  var byteCount: Int { get }

  /// The bytes `range` of the file, all of them.
  func read(_ range: Range<Int>) throws -> Buffer

  /// Ranges are read soon: a source that waits for what it fetches may begin to fetch all of them.
  func willRead(_ ranges: ArraySlice<Range<Int>>)
}

/// What lies between two ranges that are read at once, at most: to copy it costs no more than another call would.
private let gapByteCount = 4 << 10

extension ByteSource {
  package func willRead(_ ranges: ArraySlice<Range<Int>>) {}

  /// - Throws: `.truncated` for a range that is not the file's.
  package func check(_ range: Range<Int>) throws(ParquetError) {
    guard range.lowerBound >= 0, range.upperBound <= byteCount else {
      throw ParquetError(.truncated("file", needed: range.upperBound, available: byteCount))
    }
  }

  /// Reads several ranges, those that follow each other closely at once: they then share memory.
  package func read(_ ranges: [Range<Int>]) throws -> [Buffer] {
    var buffers: [Buffer] = []
    buffers.reserveCapacity(ranges.count)
    while buffers.count < ranges.count {
      let (first, start) = (buffers.count, ranges[buffers.count].lowerBound)
      var (count, end) = (first + 1, ranges[first].upperBound)
      while count < ranges.count, ranges[count].lowerBound >= end, ranges[count].lowerBound - end <= gapByteCount {
        end = ranges[count].upperBound
        count += 1
      }
      if first == 0, count < ranges.count { willRead(ranges[count...]) }
      let bytes = try read(start..<end)
      for range in ranges[first..<count] {
        buffers.append(bytes.slice(range.lowerBound - start..<range.upperBound - start))
      }
    }
    return buffers
  }
}

/// A file in memory, or mapped into it.
extension Buffer: ByteSource {
  package func read(_ range: Range<Int>) throws -> Buffer {
    try check(range)
    return slice(range)
  }
}
