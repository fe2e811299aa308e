import Buffers
import Frames
import Glibc

/// A log file that grows while it is read, a block of whole lines at a time.
final class FollowedFile {
  let file: OpenFile
  let id: FileID
  /// The path under which positions know the file.
  private let knownAs: String
  /// Of the first byte that was not handed out: the start of a line.
  private(set) var offset: Int
  /// What bytes before this offset hold was looked at; those from `offset` on are no whole line.
  private var seenEnd: Int
  /// When it was last changed, as far as it was looked at.
  private(set) var modifiedNanos: Int64 = -1
  private(set) var generation: FileGeneration?
  /// Lines of it come before this file's: it is what this file's path led to before.
  var predecessor: FollowedFile?
  /// When the path was first found to lead elsewhere.
  var leftAt: Double?
  /// When bytes were last handed out, or the file was opened.
  private(set) var lastRead: Double
  var watch: Int32?
  /// Whether it is no text, and left alone.
  private(set) var isRefused = false

  /// - Parameters:
  ///   - knownAs: an absolute path.
  ///   - offset: the start of a line.
  init(_ file: OpenFile, _ status: FileStatus, knownAs: String, offset: Int, now: Double) throws(SystemError) {
    self.file = file
    self.knownAs = knownAs
    self.offset = offset
    id = status.id
    seenEnd = offset
    lastRead = now
    generation = try FileGeneration(file, inode: id.inode)
  }

  /// The source of positions; nil while there is no whole line.
  var sourceName: String? { generation?.sourceName(path: knownAs) }

  /// How far the file was read.
  var position: Control? {
    sourceName.map { .position(source: $0, partition: nil, offset: Int64(offset)) }
  }

  /// What a look at the file found.
  enum Look {
    case nothing
    case block(TextBlock)
    /// The file was emptied and begins anew.
    case truncated
    /// It is no text.
    case refused
  }

  /// Reads the next whole lines, `limit` bytes at most unless one line is longer.
  func next(limit: Int, now: Double) throws -> Look {
    if isRefused { return .nothing }
    let status = try FileStatus(file)
    guard status.byteCount != seenEnd || status.modifiedNanos != modifiedNanos else { return .nothing }
    if try !isText(status) {
      isRefused = true
      return .refused
    }
    let lines = try status.byteCount > offset ? wholeLines(status.byteCount, limit: limit) : .empty
    // The check comes after the read: what was read before the file was emptied is good.
    if try status.byteCount < offset || !(generation?.holds(for: file) ?? true) {
      restart()
      return .truncated
    }
    modifiedNanos = status.modifiedNanos
    if lines.isEmpty { return .nothing }
    if generation == nil { generation = try FileGeneration(file, inode: id.inode) }
    return .block(take(lines, now: now))
  }

  /// The whole lines at `offset`; none when there is no newline yet.
  private func wholeLines(_ byteCount: Int, limit: Int) throws -> Buffer {
    var wanted = min(byteCount - offset, limit)
    while true {
      let bytes = try file.bytes(at: offset, byteCount: wanted)
      if let newline = bytes.bytes.lastNewline {
        seenEnd = offset + newline + 1
        return bytes.slice(0..<newline + 1)
      }
      guard bytes.byteCount < LineBlocks.maximumLineByteCount else {
        throw LineTooLong(path: file.path, byteOffset: offset)
      }
      guard bytes.byteCount == wanted, wanted < byteCount - offset else {
        seenEnd = offset + bytes.byteCount
        return .empty
      }
      wanted = min(byteCount - offset, wanted * 2)
    }
  }

  private func take(_ lines: Buffer, now: Double) -> TextBlock {
    defer {
      offset += lines.byteCount
      lastRead = now
    }
    return TextBlock(source: file.path, byteOffset: offset, bytes: lines)
  }

  private func restart() {
    (offset, seenEnd, modifiedNanos, generation) = (0, 0, -1, nil)
  }

  /// Whether the file begins as text does, as far as it is there.
  private func isText(_ status: FileStatus) throws(SystemError) -> Bool {
    guard generation == nil, offset == 0, status.byteCount > 0 else { return true }
    return InputFormat.detect(try file.bytes(at: 0, byteCount: 64), isWhole: true) == .text
  }

  /// The last line of a file that nobody writes to any more, although it has no newline.
  func rest(now: Double) throws(SystemError) -> TextBlock? {
    guard seenEnd > offset, !isRefused else { return nil }
    let line = try file.bytes(at: offset, byteCount: seenEnd - offset)
    if line.isEmpty { return nil }
    if generation == nil { generation = FileGeneration(wholeFile: line, inode: id.inode) }
    return take(line, now: now)
  }

  /// Where the last line begins that is not yet whole; the file's end when there is none.
  static func endOfWholeLines(_ file: OpenFile, byteCount: Int) throws(SystemError) -> Int {
    var end = byteCount
    while end > 0 {
      let start = max(0, end - (64 << 10))
      let bytes = try file.bytes(at: start, byteCount: end - start)
      if let newline = bytes.bytes.lastNewline { return start + newline + 1 }
      end = start
    }
    return 0
  }
}
