import Buffers
import CLZ4
import CSnappy
import CZlib
import CZstd

/// Compresses pages with one codec, keeping the library's context between them: one per thread.
@safe package struct Compressor: ~Copyable {
  // SAFETY: the contexts are made in `init`, owned by this value alone and freed with it.
  package let codec: CompressionCodec
  let level: Int32
  let zstd: OpaquePointer?

  /// - Parameter level: zstd's (1...22) or gzip's (1...9); the others have none.
  /// - Throws: `.unsupportedCodec` for Brotli, LZO and the deprecated LZ4.
  package init(_ codec: CompressionCodec, level: Int? = nil) throws(ParquetError) {
    switch codec {
    case .uncompressed, .snappy, .gzip, .zstd, .lz4Raw: break
    case .brotli, .lzo, .lz4: throw ParquetError(.unsupportedCodec(codec.name))
    }
    self.codec = codec
    self.level = Int32(clamping: level ?? (codec == .zstd ? 3 : 6))
    unsafe zstd = codec == .zstd ? ZSTD_createCCtx() : nil
  }

  deinit { unsafe ZSTD_freeCCtx(zstd) }

  /// Appends `bytes`, compressed, to `output`.
  /// - Throws: `.limitExceeded` for more bytes than the codec takes at once.
  package func compress(_ bytes: RawSpan, into output: inout BufferBuilder) throws(ParquetError) {
    guard codec != .uncompressed else { return output.append(bytes) }
    let room = bound(bytes.byteCount)
    guard bytes.byteCount <= Int(LZ4_MAX_INPUT_SIZE) else {
      throw ParquetError(.limitExceeded("page", value: bytes.byteCount, limit: Int(LZ4_MAX_INPUT_SIZE)))
    }
    unsafe output.appendUnsafely(capacity: room) { room in
      unsafe bytes.withUnsafeBytes { source in
        let written = unsafe shrink(source, into: room)
        precondition(written > 0, "\(codec.name) refused \(source.count) bytes")
        return written
      }
    }
  }

  private func bound(_ byteCount: Int) -> Int {
    switch codec {
    case .zstd: ZSTD_compressBound(byteCount)
    case .snappy: snappy_max_compressed_length(byteCount)
    case .gzip: Int(compressBound(UInt(byteCount))) + 32
    default: Int(LZ4_compressBound(Int32(clamping: byteCount)))
    }
  }

  /// Answers how many bytes were written, 0 on failure.
  private func shrink(_ source: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Int {
    let input = unsafe source.assumingMemoryBound(to: CChar.self).baseAddress
    let output = unsafe room.assumingMemoryBound(to: CChar.self).baseAddress
    switch codec {
    case .zstd:
      let size = unsafe ZSTD_compressCCtx(zstd, room.baseAddress, room.count, source.baseAddress, source.count, level)
      return ZSTD_isError(size) == 0 ? size : 0
    case .snappy:
      var size = room.count
      return unsafe snappy_compress(input, source.count, output, &size) == SNAPPY_OK ? size : 0
    case .lz4Raw: return Int(unsafe LZ4_compress_default(input, output, Int32(source.count), Int32(room.count)))
    case .gzip: return unsafe shrinkGzip(source, into: room)
    default: return 0
    }
  }

  private func shrinkGzip(_ source: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Int {
    var stream = unsafe z_stream()
    let gzipHeader: Int32 = 16
    guard
      unsafe deflateInit2_(
        &stream, level, Z_DEFLATED, MAX_WBITS + gzipHeader, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return 0 }
    defer { unsafe deflateEnd(&stream) }
    unsafe stream.next_in = UnsafeMutablePointer(mutating: source.assumingMemoryBound(to: UInt8.self).baseAddress)
    unsafe stream.avail_in = UInt32(source.count)
    unsafe stream.next_out = room.assumingMemoryBound(to: UInt8.self).baseAddress
    unsafe stream.avail_out = UInt32(clamping: room.count)
    return unsafe deflate(&stream, Z_FINISH) == Z_STREAM_END ? Int(stream.total_out) : 0
  }
}
