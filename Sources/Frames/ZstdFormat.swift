import Buffers

// A stream of frames, all numbers little-endian; `docs/formats/frames.md` draws it:
//
//   stream     data frames and skippable frames in any order
//   data frame uint32 0xFD2FB528, descriptor, [window byte], [dictionary id], [content size], blocks, [checksum]
//   descriptor bits 7-6: size of the content size (0: 0 bytes, or 1 when single-segment; 1: 2; 2: 4; 3: 8)
//              bit 5: single segment, no window byte; bit 3: reserved, 0; bit 2: a checksum ends the frame
//              bits 1-0: size of the dictionary id (0, 1, 2, 4 bytes)
//   block      uint24: bit 0 last, bits 2-1 type (0 raw, 1 run of one byte, 2 compressed, 3 reserved), the rest its size;
//              then size bytes (a run: 1 byte)
//   checksum   the low 32 bits of the content's XXH64
//   skippable  uint32 0x184D2A50...0x184D2A5F, uint32 size, size bytes; ours is 0x184D2A5E and holds a JSON object
//
// Source: RFC 8878, "Zstandard Compression and the 'application/zstd' Media Type", section 3.

/// Numbers of the zstd format.
enum ZstdFormat {
  static let magic: UInt32 = 0xFD2F_B528
  static let skippableMagics: ClosedRange<UInt32> = 0x184D_2A50...0x184D_2A5F
  static let controlMagic: UInt32 = 0x184D_2A5E
  /// No block holds more, before or after decompression.
  static let blockByteCountLimit = 128 << 10
  static let headerByteCountLimit = 18

  enum BlockType: UInt32 {
    case raw, run, compressed, reserved
  }
}

/// What a data frame's header states.
struct FrameHeader: Hashable, Sendable {
  /// Of the header, the magic number included.
  let byteCount: Int
  /// Bytes of content; nil when not stated.
  let contentByteCount: Int?
  let hasChecksum: Bool

  /// Reads the header at the start of `bytes`, which begin with the magic number; nil when more bytes are needed.
  init?(_ bytes: RawSpan) throws(FrameFault) {
    guard bytes.byteCount >= 5 else { return nil }
    let descriptor = bytes.integer(at: 4, byteCount: 1)
    guard descriptor & 0x08 == 0 else { throw .malformedHeader }
    let isSingleSegment = descriptor & 0x20 != 0
    let sizeByteCount = [isSingleSegment ? 1 : 0, 2, 4, 8][Int(descriptor >> 6)]
    let sizeOffset = 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][Int(descriptor & 3)]
    byteCount = sizeOffset + sizeByteCount
    guard bytes.byteCount >= byteCount else { return nil }
    let size = bytes.integer(at: sizeOffset, byteCount: sizeByteCount)
    hasChecksum = descriptor & 0x04 != 0
    guard sizeByteCount > 0 else {
      contentByteCount = nil
      return
    }
    contentByteCount = Int(clamping: sizeByteCount == 2 ? size + 256 : size)
  }
}

/// What breaks the format of a frame, wherever it lies.
enum FrameFault: Error {
  case malformedHeader, malformedBlock, tooLarge

  func error(limit: Int, byteOffset: Int) -> FrameError {
    switch self {
    case .malformedHeader: FrameError(.malformedHeader, byteOffset: byteOffset)
    case .malformedBlock: FrameError(.malformedBlock, byteOffset: byteOffset)
    case .tooLarge: FrameError(.contentTooLarge(limit: limit), byteOffset: byteOffset)
    }
  }
}

/// A block's header.
struct BlockHeader {
  static let byteCount = 3

  let isLast: Bool
  let type: ZstdFormat.BlockType
  /// Of content, for raw blocks and runs; of compressed bytes otherwise.
  let size: Int

  /// - Precondition: three bytes lie at `offset`.
  init(_ bytes: RawSpan, at offset: Int) throws(FrameFault) {
    let word = UInt32(bytes.integer(at: offset, byteCount: 3))
    isLast = word & 1 != 0
    type = ZstdFormat.BlockType(rawValue: word >> 1 & 3)!
    size = Int(word >> 3)
    guard type != .reserved, size <= ZstdFormat.blockByteCountLimit else { throw .malformedBlock }
  }

  /// How many bytes follow the header.
  var bodyByteCount: Int { type == .run ? 1 : size }

  /// The header of a raw block.
  static func raw(size: Int, isLast: Bool) -> UInt32 { UInt32(size) << 3 | (isLast ? 1 : 0) }
}

extension RawSpan {
  /// The little-endian number of up to eight bytes at `offset`.
  func integer(at offset: Int, byteCount: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<byteCount {
      value |= UInt64(unsafe unsafeLoad(fromByteOffset: offset + index, as: UInt8.self)) << UInt64(8 * index)
    }
    return value
  }
}
