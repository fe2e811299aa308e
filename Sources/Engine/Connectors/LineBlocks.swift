import Buffers
import Glibc

/// Reads the lines that begin within a range of a regular file, a block of whole lines at a time.
///
/// Ranges that tile a file tile its lines, so several threads may read one file without talking to each other.
package struct LineBlocks: ~Copyable {
  /// Small enough to stay in a core's own cache between the read and the parse.
  package static var blockByteCount: Int { 256 << 10 }
  /// A longer line is an error: memory stays bounded whatever the input is.
  package static var maximumLineByteCount: Int { 64 << 20 }

  private let file: OpenFile
  private let end: Int
  /// Where in the file the bytes of `block` begin.
  private(set) package var byteOffset: Int
  private var block = BufferBuilder(capacity: LineBlocks.blockByteCount)

  /// - Parameter range: bytes of the file. A line belongs to the range that holds its first byte.
  package init(_ file: OpenFile, range: Range<Int>) throws(SystemError) {
    self.file = file
    end = range.upperBound
    byteOffset = range.lowerBound
    if range.lowerBound > 0 { byteOffset = try nextLineStart(from: range.lowerBound - 1) }
  }

  /// The offset after the first newline at `start` or later; `end` or more if no line begins in the range.
  private mutating func nextLineStart(from start: Int) throws(SystemError) -> Int {
    var offset = start
    while offset < end {
      try fill(at: offset, byteCount: 64 << 10)
      if block.byteCount == 0 { return end }
      if let newline = block.bytes.firstNewline { return offset + newline + 1 }
      offset += block.byteCount
    }
    return end
  }

  private mutating func fill(at offset: Int, byteCount: Int) throws(SystemError) {
    block.truncate(to: 0)
    try append(at: offset, byteCount: byteCount)
  }

  private mutating func append(at offset: Int, byteCount: Int) throws(SystemError) {
    let file = file
    try unsafe block.appendUnsafely(capacity: byteCount) { room throws(SystemError) in
      try unsafe file.read(into: room, at: offset)
    }
  }

  /// Gives `body` the next block of whole lines and the offset of its first byte; false when there are no more.
  /// Only the last line of the file may lack its newline.
  package mutating func next(_ body: (_ lines: RawSpan, _ byteOffset: Int) throws -> Void) throws -> Bool {
    guard byteOffset < end else { return false }
    try fill(at: byteOffset, byteCount: Self.blockByteCount)
    var length = try wholeLines()
    if byteOffset + length > end { length = lineEnd(after: end - byteOffset, within: length) }
    guard length > 0 else { return false }
    try body(block.bytes.extracting(first: length), byteOffset)
    byteOffset += length
    return true
  }

  /// How many bytes of the block are whole lines, once it holds at least one line.
  private mutating func wholeLines() throws -> Int {
    var expected = Self.blockByteCount
    while true {
      if block.byteCount < expected { return block.byteCount }  // the file's end
      if let newline = block.bytes.lastNewline { return newline + 1 }
      guard block.byteCount < Self.maximumLineByteCount else {
        throw LineTooLong(path: file.path, byteOffset: byteOffset)
      }
      expected += block.byteCount
      try append(at: byteOffset + block.byteCount, byteCount: block.byteCount)
    }
  }

  /// The end of the line that holds byte `position - 1`.
  private func lineEnd(after position: Int, within length: Int) -> Int {
    let rest = block.bytes.extracting(position - 1..<length)
    return rest.firstNewline.map { position + $0 } ?? length
  }
}

/// A line that is longer than any event could be.
package struct LineTooLong: Error, CustomStringConvertible {
  package var path: String
  package var byteOffset: Int

  package init(path: String, byteOffset: Int) {
    self.path = path
    self.byteOffset = byteOffset
  }

  package var description: String {
    "\(path): byte \(byteOffset): a line is longer than \(LineBlocks.maximumLineByteCount >> 20) MiB; is this NDJSON?"
  }
}

extension RawSpan {
  /// The index of the first newline.
  package var firstNewline: Int? {
    unsafe withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, let found = unsafe memchr(base, 0x0A, bytes.count) else { return nil }
      return unsafe UnsafeRawPointer(found) - base
    }
  }

  /// The index of the last newline.
  package var lastNewline: Int? {
    unsafe withUnsafeBytes { bytes in
      var index = bytes.count - 1
      while index >= 0 {
        if unsafe bytes[index] == 0x0A { return index }
        index -= 1
      }
      return nil
    }
  }
}
