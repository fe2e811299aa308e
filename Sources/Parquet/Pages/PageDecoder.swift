import Buffers

/// What pages are decompressed with and into, kept from page to page: one per thread.
package struct PageDecoder: ~Copyable {
  var decompressor = Decompressor()
  /// The decompressed page at hand.
  var page = BufferBuilder()
  var work = PageWork()

  package init() {}
}

/// Memory that the decoding of a decompressed page needs.
struct PageWork: ~Copyable {
  var scratch = DecoderScratch()
  /// The definition levels of the page at hand.
  var levels = BufferBuilder()
  /// Values before nulls stand between them.
  var dense = BufferBuilder()
}

/// The parts of a data page. What the page's header says of sizes is checked against its bytes.
///
///     v1 ::= compressed { repetition levels, definition levels, values }
///     v2 ::= repetition levels, definition levels, compressed { values }
///
/// - Source: Parquet `README.md`, "Data Pages"; `parquet.thrift`, `DataPageHeaderV2`.
struct PageLayout {
  var valueCount: Int
  var encoding: Encoding
  /// Bytes before the compressed part: a v2 page's levels, repetition levels first.
  var repetitionLevelByteCount: Int?
  var definitionLevelByteCount: Int?
  var repetitionLevelEncoding = Encoding.rle
  var definitionLevelEncoding = Encoding.rle
  var isCompressed = true

  /// Nil for pages that are no data pages.
  init?(_ header: PageHeader) {
    switch header.kind {
    case .data(let count, let encoding, let definition, let repetition):
      valueCount = count
      self.encoding = encoding
      definitionLevelEncoding = definition
      repetitionLevelEncoding = repetition
    case .dataV2(let count, _, _, let encoding, let definition, let repetition, let isCompressed):
      valueCount = count
      self.encoding = encoding
      definitionLevelByteCount = definition
      repetitionLevelByteCount = repetition
      // Some writers compressed the values and said they had not.
      self.isCompressed = isCompressed || header.compressedByteCount != header.uncompressedByteCount
    case .dictionary, .other: return nil
    }
  }

  /// Bytes of levels before the compressed part.
  var levelByteCount: Int { (repetitionLevelByteCount ?? 0) + (definitionLevelByteCount ?? 0) }
}
