import Buffers
import Frames

/// Whole lines of text and where they came from.
package struct TextBlock: Sendable {
  package var source: String
  /// The first byte's offset in the (decompressed) source.
  package var byteOffset: Int
  /// Only the last line of the source may lack its newline.
  package var bytes: Buffer
}

/// Cuts text that arrives piece by piece into blocks of whole lines, or of whole records of CSV.
///
/// A block is as large as what is there when it is asked for, up to a limit: a line that comes alone is handed on at
/// once, and under load blocks grow by themselves.
package struct TextStream: ~Copyable {
  /// Adds what there is next, waiting for at least one byte; adds nothing at the end, and throws `InputStopped` when the
  /// input is to be left where it is.
  package typealias Read = (inout BufferBuilder) throws -> Void

  private let source: String
  private let limit: Int
  private let read: Read
  private var csv: CSVRecordEnds?
  /// Whether `read` would answer without waiting.
  private let hasMore: () -> Bool
  private var pending = BufferBuilder()
  /// How many bytes of `pending` are whole lines.
  private var wholeByteCount = 0
  private var byteOffset = 0
  private var hasEnded = false

  /// - Parameters:
  ///   - limit: bytes of a block, unless one line is longer.
  ///   - prefix: bytes that were read already.
  ///   - isCSV: whether to cut where records of CSV end.
  package init(
    source: String, limit: Int, prefix: Buffer, isCSV: Bool = false, hasMore: @escaping () -> Bool,
    read: @escaping Read
  ) {
    self.source = source
    self.limit = limit
    csv = isCSV ? CSVRecordEnds() : nil
    self.hasMore = hasMore
    self.read = read
    pending.append(prefix)
    noteLines(from: 0)
  }

  /// Notes the last newline that ends a line among the bytes of `pending` from `start` on.
  private mutating func noteLines(from start: Int) {
    var ends = csv
    let newline = Self.lastEnd(in: pending.bytes.extracting(start..<pending.byteCount), &ends)
    csv = ends
    if let newline { wholeByteCount = start + newline + 1 }
  }

  private static func lastEnd(in bytes: RawSpan, _ csv: inout CSVRecordEnds?) -> Int? {
    if csv == nil { bytes.lastNewline } else { csv?.last(in: bytes) }
  }

  /// The next block; nil at the end. Where the input is left before its end, a line that is not yet whole is dropped.
  package mutating func next() throws -> TextBlock? {
    while !hasEnded {
      if wholeByteCount > 0, pending.byteCount >= limit || !hasMore() { return block(byteCount: wholeByteCount) }
      guard pending.byteCount < limit + LineBlocks.maximumLineByteCount else {
        throw LineTooLong(path: source, byteOffset: byteOffset)
      }
      let before = pending.byteCount
      do { try read(&pending) } catch is InputStopped { return stop() }
      hasEnded = pending.byteCount == before
      noteLines(from: before)
    }
    return pending.byteCount > 0 ? block(byteCount: pending.byteCount) : nil
  }

  private mutating func stop() -> TextBlock? {
    hasEnded = true
    let last = wholeByteCount > 0 ? block(byteCount: wholeByteCount) : nil
    pending = BufferBuilder()
    return last
  }

  private mutating func block(byteCount: Int) -> TextBlock {
    let all = pending.take()
    let rest = all.slice(byteCount..<all.byteCount)
    pending = BufferBuilder(capacity: max(limit, rest.byteCount))
    pending.append(rest)
    wholeByteCount = 0
    defer { byteOffset += byteCount }
    return TextBlock(source: source, byteOffset: byteOffset, bytes: all.slice(0..<byteCount))
  }
}

extension TextStream {
  /// Text as it is, from a pipe or device.
  init(_ file: OpenFile, prefix: Buffer, limit: Int, isCSV: Bool, mayRead: @escaping () -> Bool) {
    self.init(
      source: file.path, limit: limit, prefix: prefix, isCSV: isCSV, hasMore: { file.isReadable },
      read: { text in
        guard mayRead() else { throw InputStopped() }
        let room = max(limit - text.byteCount, 64 << 10)
        try unsafe text.appendUnsafely(capacity: room) { room throws(SystemError) in try unsafe file.read(into: room) }
      })
  }

  /// Compressed text.
  init(
    _ file: OpenFile, prefix: Buffer, codec: TextCodec, limit: Int, isCSV: Bool, mayRead: @escaping () -> Bool
  ) throws {
    let inflater = TextFile(file, prefix: prefix, codec: codec, mayRead: mayRead)
    self.init(
      source: file.path, limit: limit, prefix: .empty, isCSV: isCSV, hasMore: { inflater.isReadable },
      read: { try inflater.read(into: &$0) })
  }
}

/// The input is to be left where it is: somebody asked the run to stop.
struct InputStopped: Error {}
