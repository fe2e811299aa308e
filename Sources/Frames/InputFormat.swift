import Buffers
import CZstd

/// What a command's input is, by its first bytes.
public enum InputFormat: Hashable, Sendable {
  /// No byte at all: an upstream stage that died before it wrote, or an empty file.
  case empty
  /// A stream of frames.
  case frames
  /// Text as it is.
  case text
  /// Text under a codec.
  case compressed(TextCodec)

  /// As many first bytes always suffice to tell.
  public static let prefixByteCount = 4 * ZstdFormat.blockByteCountLimit

  /// Tells the format of an input that begins with `prefix`.
  ///
  /// A zstd frame holds a frame's Arrow stream or compressed text; its first bytes are decompressed to tell.
  /// - Parameter isWhole: whether the input ends there.
  /// - Returns: nil when more bytes are needed.
  public static func detect(_ prefix: Buffer, isWhole: Bool) -> InputFormat? {
    if prefix.isEmpty { return isWhole ? .empty : nil }
    let isEnough = isWhole || prefix.byteCount >= prefixByteCount
    let bytes = prefix.bytes
    if bytes.integer(at: 0, byteCount: 1) == 0x1F, prefix.byteCount < 2 { return isEnough ? .text : nil }
    if prefix.byteCount >= 2, bytes.integer(at: 0, byteCount: 2) == 0x8B1F { return .compressed(.gzip) }
    guard prefix.byteCount >= 4 else {
      // A few bytes that begin a frame are no text: their writer died.
      return mayBeMagic(bytes) ? isEnough ? .frames : nil : .text
    }
    let magic = UInt32(bytes.integer(at: 0, byteCount: 4))
    if magic == ZstdFormat.controlMagic { return .frames }
    if magic == ZstdFormat.magic { return zstdFormat(prefix, isEnough: isEnough) }
    guard ZstdFormat.skippableMagics.contains(magic) else { return .text }
    return afterSkippable(prefix, isWhole: isWhole, isEnough: isEnough)
  }

  /// Whether fewer than four bytes may begin a zstd or skippable frame.
  private static func mayBeMagic(_ bytes: RawSpan) -> Bool {
    let magics: [UInt32] = [ZstdFormat.magic] + ZstdFormat.skippableMagics
    let mask = (UInt64(1) << UInt64(8 * bytes.byteCount)) - 1
    let start = bytes.integer(at: 0, byteCount: bytes.byteCount)
    return magics.contains { UInt64($0) & mask == start }
  }

  /// Foreign skippable frames are passed over; an input of them alone is taken for frames.
  private static func afterSkippable(_ prefix: Buffer, isWhole: Bool, isEnough: Bool) -> InputFormat? {
    guard prefix.byteCount >= 8 else { return isEnough ? .frames : nil }
    let end = 8 + Int(prefix.bytes.integer(at: 4, byteCount: 4))
    guard end < prefix.byteCount else { return isEnough ? .frames : nil }
    return detect(prefix.slice(end..<prefix.byteCount), isWhole: isWhole) ?? (isEnough ? .frames : nil)
  }

  /// Looks at the start of a zstd frame's content.
  private static func zstdFormat(_ prefix: Buffer, isEnough: Bool) -> InputFormat? {
    guard let (content, isAll) = Zstd.firstBytes(of: prefix, count: 8) else {
      // Damaged at its very start: whoever reads frames gives the better error.
      return .frames
    }
    guard content.byteCount >= 4 else { return isAll || isEnough ? .compressed(.zstd) : nil }
    return isArrow(content) ? .frames : .compressed(.zstd)
  }

  /// Whether content begins as an Arrow stream does: with -1, or before version 0.15 with the length of the schema
  /// message. Text has neither 0xFF nor zero bytes.
  private static func isArrow(_ content: Buffer) -> Bool {
    let word = content.bytes.integer(at: 0, byteCount: 4)
    return word == 0xFFFF_FFFF || word < 1 << 24
  }
}

extension Zstd {
  /// Up to `count` first bytes of a frame's content, as far as `prefix` gives them, and whether they are all of it; nil
  /// when it is corrupt.
  fileprivate static func firstBytes(of prefix: Buffer, count: Int) -> (Buffer, isAll: Bool)? {
    let stream = unsafe ZSTD_createDStream()
    defer { unsafe ZSTD_freeDStream(stream) }
    var content = BufferBuilder(capacity: count)
    var (isCorrupt, isAll) = (false, false)
    unsafe content.appendUnsafely(capacity: count) { room in
      unsafe prefix.withUnsafeBytes { source in
        var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
        var output = unsafe ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
        while unsafe input.pos < input.size && output.pos < output.size && !isCorrupt {
          let result = unsafe ZSTD_decompressStream(stream, &output, &input)
          isCorrupt = ZSTD_isError(result) != 0
          isAll = result == 0
          if isAll { break }
        }
        return unsafe output.pos
      }
    }
    return isCorrupt ? nil : (content.finish(), isAll)
  }
}
