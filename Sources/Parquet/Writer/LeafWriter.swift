import Arrow
import Buffers

/// What the writer's options say of one leaf.
struct LeafOptions {
  var codec: CompressionCodec
  var level: Int
  var encoding: Encoding?
  var avoidedEncodings: Set<Encoding>
  var usesDictionary: Bool
  var dictionaryByteCount: Int
  var hasBounds: Bool
  var boundByteCount: Int
  var hasBloomFilter: Bool
  var storesMilliseconds: Bool
  /// Whether an unfinished page holds equal lists once, which leaves no bytes of it in one piece.
  var keepsListsOnce: Bool

  init(_ options: ParquetWriterOptions, column name: String, leaf: LeafColumn) {
    let column = options.columns[name] ?? ParquetWriterOptions.Column()
    let isRepeatedFloat = leaf.maxRepetitionLevel > 0 && leaf.arrowType.isFloat
    codec = options.codec
    level = column.level ?? options.level
    encoding = column.encoding
    avoidedEncodings = options.avoidedEncodings
    usesDictionary =
      (column.encoding ?? .rleDictionary) == .rleDictionary && (column.usesDictionary ?? !isRepeatedFloat)
      && leaf.physicalType != .boolean && leaf.arrowType != .null
    dictionaryByteCount = options.dictionaryByteCount
    hasBounds = column.hasBounds ?? !isRepeatedFloat
    boundByteCount = options.boundByteCount
    hasBloomFilter = column.hasBloomFilter && leaf.physicalType != .boolean && leaf.arrowType != .null
    storesMilliseconds = column.storesMilliseconds
    keepsListsOnce = isRepeatedFloat && codec == .zstd && !usesDictionary && !hasBounds && !hasBloomFilter
  }
}

/// Writes the chunks of one leaf column: takes levels and values, cuts no pages itself, keeps the finished ones.
final class LeafWriter {
  let column: LeafColumn
  private let options: LeafOptions
  private let order: ValueOrder?

  var page: LeafPage

  // The unfinished chunk.
  private var encoder: PageEncoder
  private var pages: [PageRecord] = []
  private var hashes: [UInt64] = []

  init(_ column: LeafColumn, type: DataType, options: LeafOptions) throws(ParquetError) {
    self.column = column
    self.options = options
    order = options.hasBounds ? ValueOrder(column) : nil
    if let encoding = options.encoding, !encoding.suits(column.physicalType) {
      throw ParquetError(.unsupportedEncoding(Int(encoding.rawValue)), column: column.name)
    }
    do {
      page = try LeafPage(column, type: type, options: options)
    } catch {
      throw error.located(column: column.name)
    }
    encoder = PageEncoder(column, width: page.values.conversion.width, options: options)
  }

  /// Compressed bytes of the unfinished chunk that are held here.
  var byteCount: Int { encoder.byteCount }

  /// Of the unfinished chunk's last page, as it is stored; nil where that has no values to judge it by.
  var lastPageByteCount: Int? { encoder.lastPageByteCount }

  /// Whether values are lists of floats, whose pages pay when they are larger.
  var isVector: Bool { column.maxRepetitionLevel > 0 && column.arrowType.isFloat && !options.usesDictionary }

  // MARK: Pages

  func closePage(rowCount: Int, using context: inout ParquetEncoderContext) throws(ParquetError) {
    page.closeLevels()
    pages.append(
      PageRecord(
        rowCount: rowCount, slotCount: page.slotCount, nullCount: page.slotCount - page.values.count,
        bounds: order.flatMap { $0.bounds(of: page.values) }))
    if options.hasBloomFilter { collectHashes() }
    try encoder.encode(page, using: &context)
    page.removeAll()
  }

  private func collectHashes() {
    let width = page.values.conversion.width
    if width == 0 {
      page.values.withByteArrays { values in
        for index in 0..<values.count { collect(SplitBlockBloomFilter.hash(values.bytes(index))) }
      }
    } else {
      for index in 0..<page.values.count {
        collect(SplitBlockBloomFilter.hash(page.values.bytes.extracting(index * width..<(index + 1) * width)))
      }
    }
  }

  private func collect(_ hash: UInt64) {
    if hashes.last != hash { hashes.append(hash) }
  }

  // MARK: Chunks

  func closeChunk(falsePositiveRate: Double, using context: inout ParquetEncoderContext) throws(ParquetError)
    -> FinishedChunk
  {
    let encoded = try encoder.finish(using: &context)
    var chunk = FinishedChunk(column, order, options, encoded, pages)
    if options.hasBloomFilter { chunk.bloomFilter = bloomFilter(falsePositiveRate) }
    pages = []
    hashes = []
    return chunk
  }

  private func bloomFilter(_ falsePositiveRate: Double) -> SplitBlockBloomFilter {
    hashes.sort()
    var count = 0
    for index in hashes.indices where index == 0 || hashes[index] != hashes[index - 1] { count += 1 }
    var filter = SplitBlockBloomFilterBuilder(valueCount: count, falsePositiveRate: falsePositiveRate)
    for hash in hashes { filter.insert(hash) }
    return filter.finish()
  }
}

extension Encoding {
  /// Whether the writer may encode values of `type` so.
  fileprivate func suits(_ type: PhysicalType) -> Bool {
    switch self {
    case .plain: true
    case .rleDictionary: type != .boolean
    case .rle: type == .boolean
    case .deltaBinaryPacked: type == .int32 || type == .int64
    case .deltaLengthByteArray: type == .byteArray
    case .deltaByteArray: type == .byteArray || type == .fixedLenByteArray
    case .byteStreamSplit: type != .boolean && type != .byteArray && type != .int96
    case .plainDictionary, .bitPacked: false
    }
  }
}

/// What is remembered of a page for statistics and indexes.
struct PageRecord {
  let rowCount: Int
  let slotCount: Int
  let nullCount: Int
  /// Whole, not cut; nil where no value counts.
  let bounds: (least: Buffer, greatest: Buffer)?
}
