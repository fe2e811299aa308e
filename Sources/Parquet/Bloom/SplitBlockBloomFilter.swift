import Buffers
import Glibc

/// A set of values that answers "perhaps" or "certainly not", by their XXH64.
///
///     filter ::= header, { block }
///     block  ::= 8 words of 32 bits, in each of which a value sets one bit
///
/// - Source: Parquet `BloomFilter.md`.
package struct SplitBlockBloomFilter: Sendable {
  private static let salt: InlineArray<8, UInt32> = [
    0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31,
  ]

  private let bitset: Buffer

  /// The filter whose bitset is `bytes`, which are not copied.
  /// - Throws: `.malformed` unless they are whole blocks.
  package init(bitset bytes: Buffer) throws(ParquetError) {
    guard bytes.byteCount > 0, bytes.byteCount % 32 == 0 else {
      throw ParquetError(.malformed("bloom filter of \(bytes.byteCount) bytes"))
    }
    bitset = bytes
  }

  fileprivate init(words: [UInt32]) { bitset = Buffer(words) }

  /// A header has no more.
  static let headerByteCount = 64

  /// How many bytes a filter takes whose header these bytes begin with.
  package static func byteCount(header bytes: Buffer) throws(ParquetError) -> Int {
    var reader = ThriftReader(bytes)
    let header = try BloomFilterHeader(from: &reader)
    return reader.position + header.byteCount
  }

  /// Reads header and bitset, which begin at `bytes`' start.
  /// - Throws: also `.unsupported` for another algorithm, hash or compression.
  package init(decoding bytes: Buffer) throws(ParquetError) {
    var reader = ThriftReader(bytes)
    let header = try BloomFilterHeader(from: &reader)
    guard header.isSupported else { throw ParquetError(.unsupported("a bloom filter that is not split-block XXH64")) }
    let available = bytes.byteCount - reader.position
    guard header.byteCount <= available else {
      throw ParquetError(.truncated("bloom filter", needed: header.byteCount, available: available))
    }
    try self.init(bitset: bytes.slice(reader.position..<reader.position + header.byteCount))
  }

  /// Of the bitset.
  package var byteCount: Int { bitset.byteCount }

  /// The hash of a value: of its PLAIN bytes, without a length.
  package static func hash(_ value: RawSpan) -> UInt64 { XXHash64.hash(value) }

  /// False: no value of this hash is in the set.
  package func mayContain(_ hash: UInt64) -> Bool {
    let block = Self.block(hash, wordCount: bitset.byteCount / 4)
    return (0..<8).allSatisfy { bitset.load(block + $0, as: UInt32.self) & Self.bit(hash, $0) != 0 }
  }

  /// The first word of the hash's block.
  fileprivate static func block(_ hash: UInt64, wordCount: Int) -> Int {
    let blocks = UInt64(wordCount / 8)
    return Int(((hash >> 32) &* blocks) >> 32) * 8
  }

  fileprivate static func bit(_ hash: UInt64, _ index: Int) -> UInt32 {
    1 << ((UInt32(truncatingIfNeeded: hash) &* salt[index]) >> 27)
  }

  /// Header and bitset.
  package func encoded() -> Buffer {
    var output = BufferBuilder(capacity: bitset.byteCount + 32)
    output.append(BloomFilterHeader(byteCount: bitset.byteCount).encoded())
    output.append(bitset)
    return output.finish()
  }
}

/// Makes a bloom filter.
struct SplitBlockBloomFilterBuilder {
  private var words: [UInt32]

  /// A filter for `valueCount` distinct values, of which `falsePositiveRate` of the others are taken for members.
  init(valueCount: Int, falsePositiveRate: Double) {
    let bits = -8 * Double(max(valueCount, 1)) / log(1 - pow(falsePositiveRate, 1 / 8))
    var byteCount = 32
    while byteCount < 128 << 20, Double(byteCount * 8) < bits { byteCount *= 2 }
    words = Array(repeating: 0, count: byteCount / 4)
  }

  mutating func insert(_ hash: UInt64) {
    let block = SplitBlockBloomFilter.block(hash, wordCount: words.count)
    for index in 0..<8 { words[block + index] |= SplitBlockBloomFilter.bit(hash, index) }
  }

  consuming func finish() -> SplitBlockBloomFilter { SplitBlockBloomFilter(words: words) }
}
