import Buffers
import CZstd

extension Compressor {
  /// Appends `bytes`, compressed by zstd, to `output`; where they repeat, `sequences` knows already.
  ///
  /// zstd's own search, nine tenths of its time on noise such as embeddings, is left out.
  /// - Parameter sequences: literals, then a match, each; one without a match ends a block of at most 128 KiB. They cover
  ///   `bytes` exactly.
  package func compress(
    _ bytes: RawSpan, sequences: [ZSTD_Sequence], into output: inout BufferBuilder
  ) throws(ParquetError) {
    let start = output.byteCount
    unsafe output.appendUnsafely(capacity: ZSTD_compressBound(bytes.byteCount)) { room in
      unsafe bytes.withUnsafeBytes { source in
        let written = unsafe shrink(source, sequences, into: room)
        return ZSTD_isError(written) == 0 ? written : 0
      }
    }
    if output.byteCount == start { try compress(bytes, into: &output) }
  }

  private func shrink(
    _ source: UnsafeRawBufferPointer, _ sequences: [ZSTD_Sequence], into room: UnsafeMutableRawBufferPointer
  ) -> Int {
    let windowLog = Int32(max(10, Int.bitWidth - (source.count - 1).leadingZeroBitCount))
    unsafe ZSTD_CCtx_reset(zstd, ZSTD_reset_session_and_parameters)
    unsafe ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level)
    unsafe ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, windowLog)
    // Parameter 11: that the sequences bear the limits of blocks.
    unsafe ZSTD_CCtx_setParameter(
      zstd, ZSTD_c_experimentalParam11, Int32(ZSTD_sf_explicitBlockDelimiters.rawValue))
    defer { unsafe ZSTD_CCtx_reset(zstd, ZSTD_reset_session_and_parameters) }
    return unsafe sequences.withUnsafeBufferPointer { sequences in
      unsafe ZSTD_compressSequences(
        zstd, room.baseAddress, room.count, sequences.baseAddress, sequences.count, source.baseAddress, source.count)
    }
  }
}
