import Buffers

/// The memory that encoding needs between pages: compressors and scratch. One per thread serves any number of writers.
package struct ParquetEncoderContext: ~Copyable {
  private var compressors: [PageCompressor] = []
  /// A page before compression.
  var body = BufferBuilder()
  /// Dictionary indices of a page, UInt32 each.
  var numbers = BufferBuilder()
  var runs = RunLengthEncoder(width: 1)
  var repeats = RowRepeats()

  package init() {}

  /// The compressor of that codec and level, made when first asked for.
  mutating func compressor(_ codec: CompressionCodec, level: Int) throws(ParquetError) -> PageCompressor {
    for known in compressors where known.codec == codec && known.level == level { return known }
    let made = try PageCompressor(codec, level: level)
    compressors.append(made)
    return made
  }
}

/// A compressor with the memory it writes into.
final class PageCompressor {
  private let compressor: Compressor
  let level: Int
  /// The last page compressed.
  private(set) var output = BufferBuilder()

  var codec: CompressionCodec { compressor.codec }

  init(_ codec: CompressionCodec, level: Int) throws(ParquetError) {
    compressor = try Compressor(codec, level: level)
    self.level = level
  }

  func compress(_ bytes: RawSpan) throws(ParquetError) {
    output.truncate(to: 0)
    try compressor.compress(bytes, into: &output)
  }

  func compress(_ bytes: RawSpan, _ repeats: borrowing RowRepeats) throws(ParquetError) {
    output.truncate(to: 0)
    try compressor.compress(bytes, sequences: repeats.sequences, into: &output)
  }
}
