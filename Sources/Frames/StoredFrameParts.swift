import Buffers
import Glibc

/// Where the content of a stored frame lies whose blocks are all full but the last, as `StoredFrame` writes them.
struct StoredFrameLayout: Sendable {
  let header: FrameHeader
  let contentByteCount: Int

  /// Frames of less content are read with others in one piece; for more no memory is taken on a header's word alone.
  private static let contentByteCounts = 64 << 10...32 << 20
  private static let blockByteCount = ZstdFormat.blockByteCountLimit
  private static let stride = blockByteCount + BlockHeader.byteCount

  /// Nil for a frame that is not worth it.
  init?(_ header: FrameHeader) {
    guard let count = header.contentByteCount, Self.contentByteCounts.contains(count) else { return nil }
    self.header = header
    contentByteCount = count
  }

  var blockCount: Int { (contentByteCount + Self.blockByteCount - 1) / Self.blockByteCount }
  /// All that is not content: the frame's header, those of its blocks, the checksum.
  var wrappingByteCount: Int {
    header.byteCount + blockCount * BlockHeader.byteCount + (header.hasChecksum ? 4 : 0)
  }
  var frameByteCount: Int { wrappingByteCount + contentByteCount }

  /// Whether the byte at `offset` of the frame is content, and how many bytes from there on are of the same kind.
  func run(at offset: Int) -> (isContent: Bool, byteCount: Int) {
    let position = offset - header.byteCount - BlockHeader.byteCount
    if position < 0 { return (false, -position) }
    let (block, place) = position.quotientAndRemainder(dividingBy: Self.stride)
    let size = blockByteCount(block)
    if place < size { return (true, size - place) }
    return (false, block == blockCount - 1 ? frameByteCount - offset : Self.stride - place)
  }

  /// Where in the wrapping a block's header lies, and what it must be.
  func blockHeader(_ block: Int) -> (offset: Int, word: UInt32) {
    (
      header.byteCount + block * BlockHeader.byteCount,
      BlockHeader.raw(size: blockByteCount(block), isLast: block == blockCount - 1)
    )
  }

  private func blockByteCount(_ block: Int) -> Int {
    min(Self.blockByteCount, contentByteCount - block * Self.blockByteCount)
  }
}

/// A stored frame as it arrives, its content in one piece: nobody has to copy the blocks together.
struct StoredFrameParts: ~Copyable {
  let layout: StoredFrameLayout
  private var content: BufferBuilder
  private var wrapping: BufferBuilder
  private var checkedBlockCount = 0
  /// Whether no block's header contradicts the layout so far.
  private(set) var isAsExpected = true

  /// - Parameter start: the frame's first bytes.
  init(_ layout: StoredFrameLayout, start: RawSpan) {
    self.layout = layout
    content = BufferBuilder(capacity: layout.contentByteCount)
    wrapping = BufferBuilder(capacity: layout.wrappingByteCount)
    var offset = 0
    while offset < start.byteCount {
      let (isContent, byteCount) = layout.run(at: offset)
      let bytes = start.extracting(offset..<min(offset + byteCount, start.byteCount))
      if isContent { content.append(bytes) } else { wrapping.append(bytes) }
      offset += bytes.byteCount
    }
    check()
  }

  /// How much of the frame has come.
  var byteCount: Int { content.byteCount + wrapping.byteCount }
  var isComplete: Bool { isAsExpected && byteCount == layout.frameByteCount }

  /// Reads what there is of the rest. What it waits for is certain to come: headers were checked.
  /// - Returns: how many bytes came, 0 at the end.
  mutating func read(from device: Device, byteOffset: Int) throws(FrameError) -> Int {
    let count = try Self.read(from: device, byteOffset: byteOffset, layout, into: &content, &wrapping)
    check()
    return count
  }

  private static func read(
    from device: Device, byteOffset: Int, _ layout: StoredFrameLayout, into content: inout BufferBuilder,
    _ wrapping: inout BufferBuilder
  ) throws(FrameError) -> Int {
    let start = content.byteCount + wrapping.byteCount
    var count = 0
    try unsafe content.appendUnsafely(capacity: layout.contentByteCount - content.byteCount) {
      contentRoom throws(FrameError) in
      var contentCount = 0
      try unsafe wrapping.appendUnsafely(capacity: layout.wrappingByteCount - wrapping.byteCount) {
        wrappingRoom throws(FrameError) in
        let vectors = unsafe vectors(layout, from: start, contentRoom, wrappingRoom)
        count = try unsafe device.read(into: vectors, byteOffset: byteOffset)
        contentCount = layout.contentByteCount(in: start..<start + count)
        return count - contentCount
      }
      return contentCount
    }
    return count
  }

  /// The rooms' parts in the order of the frame's bytes from `start` on.
  private static func vectors(
    _ layout: StoredFrameLayout, from start: Int, _ content: UnsafeMutableRawBufferPointer,
    _ wrapping: UnsafeMutableRawBufferPointer
  ) -> [iovec] {
    var vectors: [iovec] = unsafe []
    var (offset, contentOffset, wrappingOffset) = (start, 0, 0)
    while offset < layout.frameByteCount {
      let (isContent, byteCount) = layout.run(at: offset)
      if isContent {
        unsafe vectors.append(iovec(iov_base: content.baseAddress! + contentOffset, iov_len: byteCount))
        contentOffset += byteCount
      } else {
        unsafe vectors.append(iovec(iov_base: wrapping.baseAddress! + wrappingOffset, iov_len: byteCount))
        wrappingOffset += byteCount
      }
      offset += byteCount
    }
    return unsafe vectors
  }

  /// Compares the block headers that have come since the last time with what they must be.
  private mutating func check() {
    while checkedBlockCount < layout.blockCount, isAsExpected {
      let (offset, word) = layout.blockHeader(checkedBlockCount)
      guard offset + BlockHeader.byteCount <= wrapping.byteCount else { return }
      isAsExpected = wrapping.bytes.integer(at: offset, byteCount: BlockHeader.byteCount) == UInt64(word)
      checkedBlockCount += 1
    }
  }

  /// The bytes so far as they came.
  consuming func joined() -> Buffer { finish().joined() }

  consuming func finish() -> StoredFrameBytes {
    StoredFrameBytes(layout: layout, content: content.take(), wrapping: wrapping.take())
  }
}

extension StoredFrameLayout {
  /// How many bytes of content are among those of the frame.
  fileprivate func contentByteCount(in range: Range<Int>) -> Int {
    var (offset, count) = (range.lowerBound, 0)
    while offset < range.upperBound {
      let run = run(at: offset)
      if run.isContent { count += min(run.byteCount, range.upperBound - offset) }
      offset += run.byteCount
    }
    return count
  }
}

/// A stored frame, or the beginning of one, its content apart.
struct StoredFrameBytes: Sendable {
  let layout: StoredFrameLayout
  let content: Buffer
  let wrapping: Buffer

  var byteCount: Int { content.byteCount + wrapping.byteCount }

  /// The frame's bytes in one piece.
  func joined() -> Buffer {
    var output = BufferBuilder(capacity: byteCount)
    var (contentOffset, wrappingOffset) = (0, 0)
    while output.byteCount < byteCount {
      let (isContent, runByteCount) = layout.run(at: output.byteCount)
      let count = min(runByteCount, byteCount - output.byteCount)
      if isContent {
        output.append(content.slice(contentOffset..<contentOffset + count))
        contentOffset += count
      } else {
        output.append(wrapping.slice(wrappingOffset..<wrappingOffset + count))
        wrappingOffset += count
      }
    }
    return output.finish()
  }

  /// Whether the content is what the frame's checksum says.
  var hasRightChecksum: Bool {
    guard layout.header.hasChecksum else { return true }
    let stated = wrapping.bytes.integer(at: wrapping.byteCount - 4, byteCount: 4)
    return XXHash64.hash(content.bytes) & 0xFFFF_FFFF == stated
  }
}
