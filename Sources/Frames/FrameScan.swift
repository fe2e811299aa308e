import Buffers

/// Walks over the blocks of one data frame as its bytes arrive, without decompressing them.
struct FrameScan {
  /// Nil until the whole header has come.
  private(set) var header: FrameHeader?
  /// Whether all blocks so far are raw.
  private(set) var isStored = true
  /// No more content than this can come out of the blocks so far.
  private(set) var contentBound = 0
  /// Where the next block's header lies in the frame.
  private var position = 0
  private var sawLastBlock = false
  private let limit: Int

  /// - Parameter limit: the largest content, in bytes.
  init(limit: Int) { self.limit = limit }

  /// Goes on over `bytes`, all of the frame that has come.
  /// - Returns: the frame's byte count; nil until all of it is there.
  mutating func advance(over bytes: RawSpan) throws(FrameFault) -> Int? {
    if header == nil {
      guard let header = try FrameHeader(bytes) else { return nil }
      if let stated = header.contentByteCount, stated > limit { throw .tooLarge }
      self.header = header
      position = header.byteCount
    }
    while !sawLastBlock {
      guard position + BlockHeader.byteCount <= bytes.byteCount else { return nil }
      try note(BlockHeader(bytes, at: position))
    }
    return byteCount.flatMap { $0 <= bytes.byteCount ? $0 : nil }
  }

  private mutating func note(_ block: BlockHeader) throws(FrameFault) {
    if block.type != .raw { isStored = false }
    contentBound += block.type == .compressed ? ZstdFormat.blockByteCountLimit : block.size
    position += BlockHeader.byteCount + block.bodyByteCount
    sawLastBlock = block.isLast
    // Blocks may be empty, so a frame could go on without end; no writer spends a hundredth of it on block headers.
    if position > limit + limit / 64 + (1 << 20) { throw .tooLarge }
  }

  /// Of the whole frame; nil until its last block has begun.
  private var byteCount: Int? {
    sawLastBlock ? position + (header!.hasChecksum ? 4 : 0) : nil
  }

  /// Room for a small frame, while of a large one little is read that has to be moved to its place.
  private static let startByteCount = 16 << 10

  /// How many bytes to ask for when `count` of the frame have come: what is certainly missing, or is likely to be.
  func wantedByteCount(after count: Int) -> Int {
    guard let header else { return Self.startByteCount }
    if let byteCount { return byteCount - count }
    guard isStored, let content = header.contentByteCount else { return max(position + 3 - count, 256 << 10) }
    let blocks = (content + ZstdFormat.blockByteCountLimit - 1) / ZstdFormat.blockByteCountLimit
    let likely = header.byteCount + content + blocks * BlockHeader.byteCount + (header.hasChecksum ? 4 : 0)
    return max(min(likely - count, 4 << 20), position + 3 - count)
  }
}
