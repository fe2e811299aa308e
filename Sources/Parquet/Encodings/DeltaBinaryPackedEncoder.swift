import Buffers

/// Encodes integers as packed differences to their predecessors.
///
///     values ::= varint 128, varint 4, varint count, zigzag first, { block }
///     block  ::= zigzag least difference, 4 widths in a byte each, 4 miniblocks
///     miniblock ::= 32 differences less the least, `width` bits each, lowest first; absent past the last value
///
/// Differences wrap around, so any values can follow each other.
/// - Source: Parquet `Encodings.md`, "Delta Encoding (DELTA_BINARY_PACKED = 5)".
enum DeltaBinaryPackedEncoder {
  private static let blockCount = 128
  private static let miniblockCount = 32

  static func encode<Value: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ values: Span<Value>, into output: inout BufferBuilder
  ) {
    output.appendVarint(UInt64(blockCount))
    output.appendVarint(UInt64(blockCount / miniblockCount))
    output.appendVarint(UInt64(values.count))
    output.appendZigzag(Int64(values.isEmpty ? 0 : values[0]))
    var differences = InlineArray<128, UInt64>(repeating: 0)
    var start = 1
    while start < values.count {
      let count = min(blockCount, values.count - start)
      encodeBlock(values, start, count, &differences, &output)
      start += count
    }
  }

  @inline(__always) private static func encodeBlock<Value: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ values: Span<Value>, _ start: Int, _ count: Int, _ differences: inout InlineArray<128, UInt64>,
    _ output: inout BufferBuilder
  ) {
    var least = Value.max
    for index in 0..<count {
      let difference = values[start &+ index] &- values[start &+ index &- 1]
      least = min(least, difference)
      differences[index] = UInt64(truncatingIfNeeded: difference)
    }
    output.appendZigzag(Int64(least))
    let mask = Value.bitWidth == 64 ? UInt64.max : 1 &<< UInt64(Value.bitWidth) &- 1
    let base = UInt64(truncatingIfNeeded: least)
    for index in 0..<count { differences[index] = (differences[index] &- base) & mask }
    for index in count..<blockCount { differences[index] = 0 }
    encodeMiniblocks(differences.span, count, &output)
  }

  private static func encodeMiniblocks(
    _ differences: Span<UInt64>, _ count: Int, _ output: inout BufferBuilder
  ) {
    var widths = InlineArray<4, Int>(repeating: 0)
    for miniblock in 0..<4 {
      var bits: UInt64 = 0
      for index in 0..<miniblockCount { bits |= differences[miniblock &* miniblockCount &+ index] }
      widths[miniblock] = 64 - bits.leadingZeroBitCount
      output.append(UInt8(widths[miniblock]))
    }
    for miniblock in 0..<4 where miniblock * miniblockCount < count && widths[miniblock] > 0 {
      var packer = BitPacker()
      for index in 0..<miniblockCount {
        packer.append(differences[miniblock &* miniblockCount &+ index], width: widths[miniblock], to: &output)
      }
      packer.flush(to: &output)
    }
  }
}

/// Packs values of up to 64 bits, lowest bits first, into whole words.
struct BitPacker {
  private var word: UInt64 = 0
  private var used = 0

  init() {}

  @inline(__always) mutating func append(_ value: UInt64, width: Int, to output: inout BufferBuilder) {
    word |= value &<< UInt64(used)
    let total = used &+ width
    if total >= 64 {
      output.append(word)
      word = used == 0 ? 0 : value &>> UInt64(64 &- used)
      used = total &- 64
    } else {
      used = total
    }
  }

  /// Writes the bytes that are begun.
  mutating func flush(to output: inout BufferBuilder) {
    while used > 0 {
      output.append(UInt8(truncatingIfNeeded: word))
      word &>>= 8
      used &-= 8
    }
    (word, used) = (0, 0)
  }
}

extension BufferBuilder {
  /// Seven bits a byte, lowest first, all but the last with the top bit set.
  mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 128 {
      append(UInt8(truncatingIfNeeded: rest) | 128)
      rest >>= 7
    }
    append(UInt8(rest))
  }

  /// A varint whose lowest bit is the sign.
  mutating func appendZigzag(_ value: Int64) { appendVarint(UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))) }
}
