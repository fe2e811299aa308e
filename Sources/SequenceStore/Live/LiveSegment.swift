import Buffers
import Engine
import Frames

/// The open segment of a live log, and the marker of what is durable. Belongs to one thread at a time.
final class LiveSegment {
  private let live: LiveDirectory
  private let files: any LiveFiles
  private let marker: any LiveFile
  private var file: any LiveFile
  /// All of the segment is durable up to here; what lies behind it is left of a write that failed.
  private(set) var durable: DurableMarker
  /// Bytes of an unfinished frame that opening the log cut off.
  let tornByteCount: Int

  var byteCount: Int { Int(durable.byteCount) }

  /// Opens a log whose lock the caller holds: cuts off what a writer that died left unfinished, or begins the first
  /// segment.
  ///
  /// - Parameter covered: the last segment that is in the tables, which is not written to any more.
  /// - Throws: `LiveLogError`, or `SystemError`.
  init(_ live: LiveDirectory, covered: UInt64, files: any LiveFiles) throws {
    self.live = live
    self.files = files
    marker = try files.open(live.durable)
    let known = DurableMarker(try marker.read(at: 0, byteCount: DurableMarker.encodedByteCount))
    let last = try files.names(in: live.path).compactMap(LiveDirectory.segmentNumber).max() ?? 0
    if let known, known.segment > max(last, covered) { throw LiveLogError.missing(path: live.segment(known.segment)) }
    if last > covered {
      let start = known.flatMap { $0.segment == last ? $0.byteCount : nil } ?? 0
      let tail = try LiveTail(live.segment(last), durable: start, files: files)
      (file, tornByteCount) = (tail.file, tail.tornByteCount)
      durable = DurableMarker(segment: last, byteCount: UInt64(tail.byteCount))
      // Who began it may have died before its name was on the disk; the marker must not get there first.
      try files.syncDirectory(live.path)
    } else {
      durable = DurableMarker(segment: max(last, covered) + 1, byteCount: 0)
      (file, tornByteCount) = (try Self.create(durable.segment, of: live, files), 0)
    }
    try publish()
  }

  /// An empty segment whose name will outlast a crash.
  private static func create(
    _ number: UInt64, of live: LiveDirectory, _ files: any LiveFiles
  ) throws(SystemError) -> any LiveFile {
    let file = try files.open(live.segment(number))
    try file.sync()
    try files.syncDirectory(live.path)
    return file
  }

  private func publish() throws(SystemError) { try marker.write(durable.encoded, at: 0) }

  /// Adds frames; when it returns they are durable and readers know.
  ///
  /// - Throws: after which nothing of them counts, and `append` may be tried again if the disk was full.
  func append(_ frames: [Buffer]) throws(SystemError) {
    var end = byteCount
    do throws(SystemError) {
      for frame in frames {
        try file.write(frame, at: end)
        end += frame.byteCount
      }
      try file.sync()
    } catch {
      // Pages whose sync failed may be lost though they look clean: the group is written anew from memory.
      if error.isFull { try file.truncate(to: byteCount) }
      throw error
    }
    durable.byteCount = UInt64(end)
    try publish()
  }

  /// Ends the segment, all of which is durable, and begins the next.
  /// - Returns: the number of the one that ended.
  func beginNext() throws(SystemError) -> UInt64 {
    let ended = durable.segment
    file = try Self.create(ended + 1, of: live, files)
    durable = DurableMarker(segment: ended + 1, byteCount: 0)
    try publish()
    return ended
  }
}

/// What a writer that ended, well or not, left of the segment that it wrote to.
private struct LiveTail {
  let file: any LiveFile
  /// Of the segment's whole frames.
  let byteCount: Int
  let tornByteCount: Int

  /// Keeps the whole frames behind what is known as durable, cuts off the rest, and syncs.
  ///
  /// - Parameter durable: how many bytes are known to have been synced; they are not looked at.
  init(_ path: String, durable: UInt64, files: any LiveFiles) throws {
    file = try files.open(path)
    let found = try file.byteCount()
    let start = Int(clamping: durable)
    guard start <= found else { throw LiveLogError.lost(path: path, durable: durable, found: found) }
    let tail = try file.read(at: start, byteCount: found - start)
    let whole = Self.wholeByteCount(tail)
    (byteCount, tornByteCount) = (start + whole, tail.byteCount - whole)
    if tornByteCount > 0 { try file.truncate(to: byteCount) }
    // A sync that failed leaves pages that look clean and are not on the disk: only what is written anew is synced.
    if whole > 0 { try file.write(tail.slice(0..<whole), at: start) }
    try file.sync()
  }

  /// How many bytes the frames take that are whole and whose checksums hold.
  private static func wholeByteCount(_ bytes: Buffer) -> Int {
    var splitter = FrameSplitter(over: bytes)
    var end = 0
    while let frame = try? splitter.next(), (try? frame.decode()) != nil {
      end = frame.byteOffset + frame.bytes.byteCount
    }
    return end
  }
}
