import Buffers
import CLZ4
import CSnappy
import CZlib
import CZstd

/// Decompresses pages, keeping the libraries' contexts between them: one per thread.
@safe package struct Decompressor: ~Copyable {
  // SAFETY: the contexts are made here on first use, owned by this value alone and freed with it.
  private var zstd: OpaquePointer?
  private var zlib: UnsafeMutablePointer<z_stream>?

  package init() {}

  deinit {
    unsafe ZSTD_freeDCtx(zstd)
    if let zlib = unsafe zlib {
      unsafe inflateEnd(zlib)
      unsafe zlib.deallocate()
    }
  }

  /// Appends exactly `byteCount` decompressed bytes to `output`, never writing beyond them.
  ///
  /// - Throws: `.decompressionFailed` when `bytes` are malformed or hold more or fewer; `.unsupportedCodec` for Brotli
  ///   and LZO. `output` then is as before.
  package mutating func decompress(
    _ bytes: RawSpan, codec: CompressionCodec, byteCount: Int, into output: inout BufferBuilder
  ) throws(ParquetError) {
    guard codec != .uncompressed else {
      guard bytes.byteCount == byteCount else {
        throw ParquetError(
          .countMismatch("bytes in an uncompressed page", expected: byteCount, actual: bytes.byteCount))
      }
      return output.append(bytes)
    }
    let start = output.byteCount
    var isWhole = false
    // The room is 64 bytes at least: an empty page still is a valid stream that some codecs want room for.
    try unsafe output.appendUnsafely(capacity: max(byteCount, 64)) { (room) throws(ParquetError) in
      let room = unsafe UnsafeMutableRawBufferPointer(rebasing: room[..<byteCount])
      var failure: ParquetError?
      unsafe bytes.withUnsafeBytes { source in
        do throws(ParquetError) { isWhole = try unsafe expand(source, codec, into: room) } catch { failure = error }
      }
      if let failure { throw failure }
      return isWhole ? byteCount : 0
    }
    guard isWhole else {
      output.truncate(to: start)
      throw ParquetError(.decompressionFailed(codec: codec.name))
    }
  }

  /// Answers whether `source` expanded to just the size of `room`.
  private mutating func expand(
    _ source: UnsafeRawBufferPointer, _ codec: CompressionCodec, into room: UnsafeMutableRawBufferPointer
  ) throws(ParquetError) -> Bool {
    switch codec {
    case .zstd: unsafe expandZstd(source, into: room)
    case .snappy: unsafe expandSnappy(source, into: room)
    case .gzip: unsafe expandGzip(source, into: room)
    case .lz4Raw: unsafe expandLZ4Block(source, into: room)
    case .lz4: unsafe expandLZ4(source, into: room)
    case .uncompressed: false
    case .brotli, .lzo: throw ParquetError(.unsupportedCodec(codec.name))
    }
  }

  private mutating func expandZstd(
    _ source: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
  ) -> Bool {
    if unsafe zstd == nil { unsafe zstd = ZSTD_createDCtx() }
    return unsafe ZSTD_decompressDCtx(zstd, room.baseAddress, room.count, source.baseAddress, source.count)
      == room.count
  }

  private func expandSnappy(_ source: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Bool {
    let input = unsafe source.assumingMemoryBound(to: CChar.self).baseAddress
    let output = unsafe room.assumingMemoryBound(to: CChar.self).baseAddress
    var length = 0
    guard unsafe snappy_uncompressed_length(input, source.count, &length) == SNAPPY_OK, length == room.count else {
      return false
    }
    return unsafe snappy_uncompress(input, source.count, output, &length) == SNAPPY_OK && length == room.count
  }

  /// Gzip or zlib streams, one after the other.
  private mutating func expandGzip(
    _ source: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
  ) -> Bool {
    guard let stream = unsafe zlibStream(), source.count <= Int(UInt32.max), room.count <= Int(UInt32.max) else {
      return false
    }
    unsafe stream.pointee.next_in = UnsafeMutablePointer(
      mutating: source.assumingMemoryBound(to: UInt8.self).baseAddress)
    unsafe stream.pointee.avail_in = UInt32(source.count)
    unsafe stream.pointee.next_out = room.assumingMemoryBound(to: UInt8.self).baseAddress
    unsafe stream.pointee.avail_out = UInt32(room.count)
    repeat {
      guard unsafe inflateReset(stream) == Z_OK, unsafe inflate(stream, Z_FINISH) == Z_STREAM_END else { return false }
    } while unsafe stream.pointee.avail_in > 0 && stream.pointee.avail_out > 0
    return unsafe stream.pointee.avail_in == 0 && stream.pointee.avail_out == 0
  }

  private mutating func zlibStream() -> UnsafeMutablePointer<z_stream>? {
    if let zlib = unsafe zlib { return unsafe zlib }
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let detectHeader: Int32 = 32
    guard
      unsafe inflateInit2_(stream, MAX_WBITS + detectHeader, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else {
      unsafe stream.deallocate()
      return nil
    }
    unsafe zlib = stream
    return unsafe stream
  }
}
