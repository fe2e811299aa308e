import Buffers
import CZstd
import Synchronization

/// What libzstd says went wrong.
struct ZstdError: Error {
  let code: ZSTD_ErrorCode

  init(_ result: Int) { code = ZSTD_getErrorCode(result) }

  var message: String { unsafe String(cString: ZSTD_getErrorString(code)) }
  var isOutOfRoom: Bool { code == ZSTD_error_dstSize_tooSmall }
  var isChecksum: Bool { code == ZSTD_error_checksum_wrong }
}

/// Whole zstd frames through libzstd.
enum Zstd {
  /// Decompresses one frame.
  /// - Parameter capacity: more content than this is an error.
  static func decompress(_ frame: Buffer, capacity: Int) throws(ZstdError) -> Buffer {
    let context = decompressors.take()
    defer { decompressors.give(context) }
    var content = BufferBuilder(capacity: capacity)
    try unsafe content.appendUnsafely(capacity: capacity) { room throws(ZstdError) -> Int in
      try unsafe frame.withUnsafeBytes { source throws(ZstdError) -> Int in
        let result = unsafe ZSTD_decompressDCtx(
          context.pointer, room.baseAddress, room.count, source.baseAddress, source.count)
        if ZSTD_isError(result) != 0 { throw ZstdError(result) }
        return result
      }
    }
    // A frame that states no size was given room for the largest content that its blocks allow.
    return content.byteCount < capacity / 2 ? Buffer(copying: content.bytes) : content.finish()
  }

  /// Compresses `content` as one frame with content size and checksum.
  static func compress(_ content: Buffer, level: Int) -> Buffer {
    let context = compressors.take()
    defer { compressors.give(context) }
    unsafe ZSTD_CCtx_setParameter(context.pointer, ZSTD_c_compressionLevel, Int32(level))
    unsafe ZSTD_CCtx_setParameter(context.pointer, ZSTD_c_checksumFlag, 1)
    let capacity = ZSTD_compressBound(content.byteCount)
    var frame = BufferBuilder(capacity: capacity)
    unsafe frame.appendUnsafely(capacity: capacity) { room in
      unsafe content.withUnsafeBytes { source in
        let result = unsafe ZSTD_compress2(
          context.pointer, room.baseAddress, room.count, source.baseAddress, source.count)
        precondition(ZSTD_isError(result) == 0, "libzstd cannot compress: \(ZstdError(result).message)")
        return result
      }
    }
    return frame.finish()
  }

  private static let decompressors = Pool { unsafe Context(ZSTD_createDCtx()) }
  private static let compressors = Pool { unsafe Context(ZSTD_createCCtx()) }

  /// A context of libzstd's, which serves one call at a time.
  @safe struct Context: @unchecked Sendable {
    // SAFETY: only one thread has it between `take` and `give`.
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer?) {
      guard let pointer = unsafe pointer else { fatalError("out of memory for a zstd context") }
      unsafe self.pointer = unsafe pointer
    }
  }

  /// Contexts cost megabytes to set up, so they are kept: as many as were ever in use at once.
  final class Pool: Sendable {
    private let idle = Mutex<[Context]>([])
    private let make: @Sendable () -> Context

    init(_ make: @escaping @Sendable () -> Context) { self.make = make }

    func take() -> Context { idle.withLock { $0.popLast() } ?? make() }

    func give(_ context: Context) { idle.withLock { $0.append(context) } }
  }
}
