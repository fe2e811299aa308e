import Buffers
import CZlib
import CZstd
import Engine
import Synchronization

/// Compresses a body, whole or in pieces, each of which the client can read when it comes.
///
/// - Source: RFC 8878 (zstd; its window is within the 8 MiB of RFC 9659), RFC 1952 (gzip).
@safe final class ContentEncoder: @unchecked Sendable {
  // SAFETY: the stream is made in `init`, used by this object alone, and freed in `deinit`. One thread has the object at a
  // time: a pool or a lock hands it over.
  @unsafe private enum Stream {
    case zstd(OpaquePointer)
    case gzip(UnsafeMutablePointer<z_stream>)
  }

  private let stream: Stream

  /// Bodies are made once and sent once: little time for most of the gain.
  private static let zstdLevel: Int32 = 1
  private static let gzipLevel: Int32 = 1

  init(_ coding: ContentCoding) {
    switch coding {
    case .zstd:
      guard let context = unsafe ZSTD_createCCtx() else { fatalError("out of memory for a zstd context") }
      unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Self.zstdLevel)
      unsafe stream = .zstd(context)
    case .gzip:
      let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
      unsafe state.initialize(to: z_stream())
      // 15 bits of window, and 16 more for gzip's frame.
      let status = unsafe deflateInit2_(
        state, Self.gzipLevel, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size))
      precondition(status == Z_OK, "zlib cannot begin: \(status)")
      unsafe stream = .gzip(state)
    }
  }

  deinit {
    switch unsafe stream {
    case .zstd(let context): unsafe ZSTD_freeCCtx(context)
    case .gzip(let state):
      unsafe deflateEnd(state)
      unsafe state.deallocate()
    }
  }

  /// The whole of `body`.
  static func encode(_ body: Buffer, as coding: ContentCoding) -> Buffer {
    pool.use(coding) { $0.encode(body, isLast: true) }
  }

  private static let pool = EncoderPool()

  /// Begins a new stream.
  fileprivate func reset() {
    switch unsafe stream {
    case .zstd(let context): unsafe ZSTD_CCtx_reset(context, ZSTD_reset_session_only)
    case .gzip(let state): unsafe deflateReset(state)
    }
  }

  /// All bytes for `piece`, and the end of the stream after the last one.
  func encode(_ piece: Buffer, isLast: Bool) -> Buffer {
    switch unsafe stream {
    case .zstd(let context): unsafe encode(piece, isLast, zstd: context)
    case .gzip(let state): unsafe encode(piece, isLast, gzip: state)
    }
  }

  private func encode(_ piece: Buffer, _ isLast: Bool, zstd context: OpaquePointer) -> Buffer {
    var output = BufferBuilder()
    let mode = isLast ? ZSTD_e_end : ZSTD_e_flush
    unsafe piece.withUnsafeBytes { bytes in
      var input = unsafe ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
      var remaining = 1
      while remaining > 0 {
        unsafe output.appendUnsafely(capacity: ZSTD_compressBound(bytes.count)) { room in
          var target = unsafe ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
          remaining = unsafe ZSTD_compressStream2(context, &target, &input, mode)
          precondition(ZSTD_isError(remaining) == 0, "libzstd cannot compress: \(remaining)")
          return unsafe target.pos
        }
      }
    }
    return output.finish()
  }

  private func encode(_ piece: Buffer, _ isLast: Bool, gzip state: UnsafeMutablePointer<z_stream>) -> Buffer {
    var output = BufferBuilder()
    unsafe piece.withUnsafeBytes { bytes in
      unsafe state.pointee.next_in = UnsafeMutablePointer(
        mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
      unsafe state.pointee.avail_in = UInt32(bytes.count)
      var isFull = true
      while isFull {
        unsafe output.appendUnsafely(capacity: max(256, bytes.count / 2)) { room in
          unsafe state.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
          unsafe state.pointee.avail_out = UInt32(room.count)
          unsafe deflate(state, isLast ? Z_FINISH : Z_SYNC_FLUSH)
          isFull = unsafe state.pointee.avail_out == 0
          return unsafe room.count - Int(state.pointee.avail_out)
        }
      }
    }
    return output.finish()
  }
}

/// Encoders between answers: a context costs more to set up than a small body to compress.
private final class EncoderPool: Sendable {
  private let idle = Mutex<[ContentCoding: [ContentEncoder]]>([:])

  func use(_ coding: ContentCoding, _ body: (ContentEncoder) -> Buffer) -> Buffer {
    let encoder = idle.withLock { $0[coding]?.popLast() } ?? ContentEncoder(coding)
    let output = body(encoder)
    encoder.reset()
    idle.withLock { idle in
      if idle[coding, default: []].count < processorCount { idle[coding, default: []].append(encoder) }
    }
    return output
  }
}

/// A body's pieces, compressed.
final class EncodedChunks: HTTPChunks {
  private let chunks: any HTTPChunks
  /// nil after the last piece.
  private let encoder: Mutex<ContentEncoder?>

  init(_ chunks: any HTTPChunks, as coding: ContentCoding) {
    self.chunks = chunks
    encoder = Mutex(ContentEncoder(coding))
  }

  func next() throws -> Buffer? {
    try encoder.withLock { encoder in
      guard let current = encoder else { return nil }
      if let piece = try chunks.next() { return current.encode(piece, isLast: false) }
      encoder = nil
      return current.encode(Buffer.empty, isLast: true)
    }
  }
}
