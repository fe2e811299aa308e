import Arrow
import Buffers
import CLZ4
import CZstd

/// The codecs of compressed buffers in other writers' Arrow streams.
public enum BufferCodecs {
  /// Decompresses `bytes` to exactly `byteCount` bytes; nil when they are corrupt or give another count.
  @Sendable public static func decompress(_ codec: IPCCodec, _ bytes: Buffer, _ byteCount: Int) -> Buffer? {
    guard byteCount / codec.largestRatio <= bytes.byteCount else { return nil }
    return switch codec {
    case .zstd: (try? Zstd.decompress(bytes, capacity: byteCount)).flatMap { $0.byteCount == byteCount ? $0 : nil }
    case .lz4Frame: lz4(bytes, byteCount)
    }
  }

  /// LZ4 through its frame format.
  private static func lz4(_ bytes: Buffer, _ byteCount: Int) -> Buffer? {
    var context: OpaquePointer?
    guard unsafe LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0 else { return nil }
    defer { unsafe LZ4F_freeDecompressionContext(context) }
    var plain = BufferBuilder(capacity: byteCount)
    var isWhole = false
    unsafe plain.appendUnsafely(capacity: byteCount) { room in
      unsafe bytes.withUnsafeBytes { source in
        var (taken, written) = (0, 0)
        while !isWhole {
          var (taking, writing) = (source.count - taken, room.count - written)
          let hint = unsafe LZ4F_decompress(
            context, room.baseAddress! + written, &writing, source.baseAddress! + taken, &taking, nil)
          taken += taking
          written += writing
          if LZ4F_isError(hint) != 0 || taking == 0 && writing == 0 && hint != 0 { break }
          isWhole = hint == 0
        }
        return written
      }
    }
    return isWhole && plain.byteCount == byteCount ? plain.finish() : nil
  }
}

extension IPCCodec {
  /// No codec makes more of a byte, so that a small buffer cannot claim a huge one: LZ4 repeats up to 255 bytes for
  /// one, zstd a block of 128 KiB for four.
  fileprivate var largestRatio: Int {
    switch self {
    case .lz4Frame: 255
    case .zstd: ZstdFormat.blockByteCountLimit / 4
    }
  }
}
