import Buffers

/// Decodes levels of old files: bit-packed from the most significant bit down, without a length before them.
/// - Source: Parquet `Encodings.md`, "Bit-packed (Deprecated) (BIT_PACKED = 4)".
enum BitPackedLevelDecoder {
  /// Appends `count` levels of `width` bits, 0...8, as bytes; the cursor then stands behind them.
  static func append(
    _ cursor: inout ByteCursor, width: Int, count: Int, to output: inout BufferBuilder
  ) throws(ParquetError) {
    let bytes = try cursor.take((count * width + 7) / 8, of: "\(count) BIT_PACKED levels")
    var (word, bits, position) = (UInt32(0), 0, 0)
    for _ in 0..<count {
      if bits < width {
        word = word << 8 | UInt32(unsafe bytes.unsafeLoad(fromByteOffset: position, as: UInt8.self))
        position += 1
        bits += 8
      }
      bits -= width
      output.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)) & UInt8(truncatingIfNeeded: (1 << width) - 1))
    }
  }
}
