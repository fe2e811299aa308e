import Buffers

//     deltas    ::= varint(block size), varint(miniblocks per block), varint(count), zigzag(first value), block*
//     block     ::= zigzag(least delta), bit width (u8) per miniblock, miniblock*
//     miniblock ::= (delta - least delta) in `bit width` bits each

/// Decodes integers stored as bit-packed differences.
/// - Source: Parquet `Encodings.md`, "Delta Encoding (DELTA_BINARY_PACKED = 5)".
enum DeltaBinaryPackedDecoder {
  private struct Header {
    let valuesPerMiniblock: Int
    let miniblocks: Int
    let first: Int64

    init(_ cursor: inout ByteCursor, count: Int) throws(ParquetError) {
      let what = "DELTA_BINARY_PACKED header"
      let blockSize = try cursor.varint(of: what)
      let miniblocks = try cursor.varint(of: what)
      let total = try cursor.varint(of: what)
      first = try cursor.signedVarint(of: what)
      guard total == UInt64(count) else {
        throw ParquetError(.countMismatch("DELTA_BINARY_PACKED values", expected: count, actual: Int(clamping: total)))
      }
      guard blockSize <= 1 << 24, miniblocks > 0, blockSize % miniblocks == 0, blockSize / miniblocks % 32 == 0,
        blockSize > 0
      else { throw ParquetError(.malformed("\(what): blocks of \(blockSize) values in \(miniblocks) parts")) }
      self.miniblocks = Int(miniblocks)
      valuesPerMiniblock = Int(blockSize / miniblocks)
    }
  }

  /// Appends `count` values as `Value`, wrapping around; the cursor then stands behind them.
  ///
  /// - Parameter total: how many there are; nil: no more than `count`.
  static func append<Value: FixedWidthInteger & BitwiseCopyable>(
    _ cursor: inout ByteCursor, count: Int, of total: Int? = nil, as type: Value.Type,
    to output: inout BufferBuilder, scratch: inout BufferBuilder
  ) throws(ParquetError) {
    guard count > 0 else { return }
    let header = try Header(&cursor, count: total ?? count)
    output.append(Value(truncatingIfNeeded: header.first))
    var last = Value(truncatingIfNeeded: header.first)
    var left = count - 1
    while left > 0 {
      let least = Value(truncatingIfNeeded: try cursor.signedVarint(of: "DELTA_BINARY_PACKED block"))
      let widths = try cursor.take(header.miniblocks, of: "DELTA_BINARY_PACKED bit widths")
      for miniblock in 0..<header.miniblocks where left > 0 {
        let width = Int(unsafe widths.unsafeLoad(fromByteOffset: miniblock, as: UInt8.self))
        guard width <= 64 else { throw ParquetError(.outOfRange("bit width", value: width, limit: 64)) }
        let values = min(left, header.valuesPerMiniblock)
        // The last miniblock's padding may be missing.
        let needed = (values * width + 7) / 8
        let size = max(needed, min(header.valuesPerMiniblock * width / 8, cursor.available))
        scratch.truncate(to: 0)
        BitUnpackingDecoder.appendLongs(
          try cursor.take(size, of: "DELTA_BINARY_PACKED miniblock"), width: width, count: values, to: &scratch)
        last = sum(scratch.bytes, count: values, least: least, last: last, to: &output)
        left -= values
      }
    }
  }

  /// Appends the running sum of `last` and each delta; answers the last.
  @inline(__always)
  private static func sum<Value: FixedWidthInteger & BitwiseCopyable>(
    _ deltas: RawSpan, count: Int, least: Value, last: Value, to output: inout BufferBuilder
  ) -> Value {
    var value = last
    unsafe output.appendUnsafely(capacity: count * MemoryLayout<Value>.stride) { room in
      let values = unsafe room.baseAddress!.assumingMemoryBound(to: Value.self)
      unsafe deltas.withUnsafeBytes { source in
        let deltas = unsafe source.baseAddress!.assumingMemoryBound(to: UInt64.self)
        for index in 0..<count {
          value &+= least &+ Value(truncatingIfNeeded: unsafe deltas[index])
          unsafe values[index] = value
        }
      }
      return count * MemoryLayout<Value>.stride
    }
    return value
  }
}
