import Buffers

/// Finds the frames in bytes that arrive in pieces of any size, without decompressing them.
///
/// So one thread can read and split while others decode. Foreign skippable frames are left out.
public struct FrameSplitter: ~Copyable {
  /// The largest content that a frame may hold or claim, in bytes.
  public static let defaultMaximumContent = 256 << 20

  /// Bytes not yet handed out, from the start of a frame: first those of `chunk`, else those of `pending`.
  private var chunk = Buffer.empty
  private var pending = BufferBuilder()
  private var progress: SplitProgress

  public init(maximumContent: Int = Self.defaultMaximumContent) {
    progress = SplitProgress(maximumContent: maximumContent)
  }

  /// Splits an input that is there as a whole: frames are slices of `bytes`, of which only the headers are looked at.
  public init(over bytes: Buffer, maximumContent: Int = Self.defaultMaximumContent) {
    self.init(maximumContent: maximumContent)
    chunk = bytes
  }

  /// Adds `bytes` at the end; take all frames with `next` before the next call.
  public mutating func push(_ bytes: Buffer) {
    keepRest()
    pending.append(bytes)
  }

  /// Lets `read` write bytes at the end: as many as the frame in hand lacks, where that is known.
  /// - Returns: how many `read` says it wrote.
  @unsafe public mutating func push<E: Error>(
    _ read: (UnsafeMutableRawBufferPointer) throws(E) -> Int
  ) throws(E) -> Int {
    keepRest()
    let before = pending.byteCount
    let wanted = progress.scan.wantedByteCount(after: before)
    try unsafe pending.appendUnsafely(capacity: wanted, read)
    return pending.byteCount - before
  }

  /// The next frame that is wholly there; nil when more bytes are needed.
  public mutating func next() throws(FrameError) -> RawFrame? {
    while true {
      if chunk.isEmpty {
        guard try pendingPartByteCount() != nil else { return nil }
        chunk = pending.take()
      }
      let chunk = chunk
      guard let byteCount = try progress.partByteCount(chunk.bytes) else {
        keepRest()
        return nil
      }
      let part = chunk.slice(0..<byteCount)
      self.chunk = byteCount == chunk.byteCount ? .empty : chunk.slice(byteCount..<chunk.byteCount)
      if let frame = progress.take(part) { return frame }
    }
  }

  /// The start of a stored frame whose rest is better read apart from its blocks' headers; nil when the bytes in hand are
  /// none. Call it when `next` answers nil; then either `pass` the frame, or push its bytes again.
  mutating func takeStoredStart() -> StoredFrameParts? {
    guard progress.skipByteCount == 0, progress.scan.isStored, let header = progress.scan.header,
      let layout = StoredFrameLayout(header), pending.byteCount <= layout.frameByteCount
    else { return nil }
    let parts = StoredFrameParts(layout, start: pending.bytes)
    guard parts.isAsExpected else { return nil }
    pending.truncate(to: 0)
    return parts
  }

  /// Goes past a frame that was read apart.
  mutating func pass(_ parts: StoredFrameBytes) -> RawFrame { progress.pass(parts) }

  /// Ends the input.
  /// - Throws: `.truncated` when it ends inside a frame.
  public mutating func finish() throws(FrameError) {
    let found = chunk.byteCount + pending.byteCount
    if found > 0 || progress.skipByteCount > 0 {
      throw FrameError(.truncated(found: found), byteOffset: progress.byteOffset)
    }
  }

  private mutating func pendingPartByteCount() throws(FrameError) -> Int? {
    var progress = progress
    defer { self.progress = progress }
    return try progress.partByteCount(pending.bytes)
  }

  /// Moves what is left of the chunk, the start of a frame, to where the rest of it will come.
  private mutating func keepRest() {
    if chunk.isEmpty { return }
    pending.append(chunk)
    chunk = .empty
  }
}

/// Where a splitter stands.
struct SplitProgress {
  private let maximumContent: Int
  /// How far the frame in hand was looked at.
  private(set) var scan: FrameScan
  /// Bytes of a foreign skippable frame still to be dropped.
  private(set) var skipByteCount = 0
  /// Where the bytes in hand begin in the stream.
  private(set) var byteOffset = 0

  init(maximumContent: Int) {
    self.maximumContent = maximumContent
    scan = FrameScan(limit: maximumContent)
  }

  /// The byte count of the frame at the start of `bytes`, or of the part of it to be dropped; nil when more bytes are
  /// needed.
  mutating func partByteCount(_ bytes: RawSpan) throws(FrameError) -> Int? {
    if skipByteCount > 0 { return bytes.isEmpty ? nil : min(skipByteCount, bytes.byteCount) }
    guard bytes.byteCount >= 4 else { return nil }
    let magic = UInt32(bytes.integer(at: 0, byteCount: 4))
    if ZstdFormat.skippableMagics.contains(magic) { return try skippableByteCount(bytes, magic) }
    guard magic == ZstdFormat.magic else { throw FrameError(.notAFrame(magic: magic), byteOffset: byteOffset) }
    do throws(FrameFault) {
      return try scan.advance(over: bytes)
    } catch {
      throw error.error(limit: maximumContent, byteOffset: byteOffset)
    }
  }

  private mutating func skippableByteCount(_ bytes: RawSpan, _ magic: UInt32) throws(FrameError) -> Int? {
    guard bytes.byteCount >= 8 else { return nil }
    let byteCount = 8 + Int(bytes.integer(at: 4, byteCount: 4))
    guard magic == ZstdFormat.controlMagic else {
      skipByteCount = byteCount
      return min(byteCount, bytes.byteCount)
    }
    guard byteCount - 8 <= Control.byteCountLimit else {
      throw FrameError(.contentTooLarge(limit: Control.byteCountLimit), byteOffset: byteOffset)
    }
    return byteCount <= bytes.byteCount ? byteCount : nil
  }

  mutating func pass(_ parts: StoredFrameBytes) -> RawFrame {
    defer {
      byteOffset += parts.byteCount
      scan = FrameScan(limit: maximumContent)
    }
    return RawFrame(parts, byteOffset: byteOffset)
  }

  /// Goes past `part`.
  /// - Returns: the frame that it is; nil when it is to be dropped.
  mutating func take(_ part: Buffer) -> RawFrame? {
    defer { byteOffset += part.byteCount }
    if skipByteCount > 0 {
      skipByteCount -= part.byteCount
      return nil
    }
    defer { scan = FrameScan(limit: maximumContent) }
    return RawFrame(part, byteOffset: byteOffset, scan: scan)
  }
}
