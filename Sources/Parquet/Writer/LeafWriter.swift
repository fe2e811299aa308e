import Arrow
import Buffers

/// What the writer's options say of one leaf.
struct LeafOptions {
  var codec: CompressionCodec
  var level: Int
  var encoding: Encoding?
  var usesDictionary: Bool
  var dictionaryByteCount: Int
  var hasBounds: Bool
  var boundByteCount: Int
  var hasBloomFilter: Bool
  var storesMilliseconds: Bool

  init(_ options: ParquetWriterOptions, column name: String, leaf: LeafColumn) {
    let column = options.columns[name] ?? ParquetWriterOptions.Column()
    let isRepeatedFloat = leaf.maxRepetitionLevel > 0 && leaf.arrowType.isFloat
    codec = options.codec
    level = column.level ?? options.level
    encoding = column.encoding
    usesDictionary =
      column.encoding == nil && (column.usesDictionary ?? !isRepeatedFloat) && leaf.physicalType != .boolean
      && leaf.arrowType != .null
    dictionaryByteCount = options.dictionaryByteCount
    hasBounds = column.hasBounds ?? !isRepeatedFloat
    boundByteCount = options.boundByteCount
    hasBloomFilter = column.hasBloomFilter && leaf.physicalType != .boolean && leaf.arrowType != .null
    storesMilliseconds = column.storesMilliseconds
  }
}

/// Writes the chunks of one leaf column: takes levels and values, cuts no pages itself, keeps the finished ones.
final class LeafWriter {
  let column: LeafColumn
  private let options: LeafOptions
  private let order: ValueOrder?

  // The unfinished page.
  private var values: LeafValues
  private var definitionLevels: RunLengthEncoder
  private var repetitionLevels: RunLengthEncoder
  private var slotCount = 0
  /// How many values each list of the page has: nil before the first, 0 when they differ.
  private var listLength: Int?
  /// The closed page's levels.
  private var levels = BufferBuilder()

  // The unfinished chunk.
  private var encoder: PageEncoder
  private var pages: [PageRecord] = []
  private var hashes: [UInt64] = []

  init(_ column: LeafColumn, type: DataType, options: LeafOptions) throws(ParquetError) {
    self.column = column
    self.options = options
    order = options.hasBounds ? ValueOrder(column) : nil
    do {
      values = try LeafValues(type, storesMilliseconds: options.storesMilliseconds)
    } catch {
      throw error.located(column: column.name)
    }
    definitionLevels = RunLengthEncoder(width: RunLengthEncoder.width(for: column.maxDefinitionLevel))
    repetitionLevels = RunLengthEncoder(width: RunLengthEncoder.width(for: column.maxRepetitionLevel))
    encoder = PageEncoder(column, width: values.conversion.width, options: options)
  }

  /// Compressed bytes of the unfinished chunk.
  var byteCount: Int { encoder.byteCount }

  // MARK: Slots and values

  /// Adds `count` slots of these levels, which stand for values only at the column's own definition level.
  func append(definitionLevel: Int, repetitionLevel: Int, count: Int = 1) {
    slotCount &+= count
    if column.maxDefinitionLevel > 0 { definitionLevels.append(UInt32(definitionLevel), count: count) }
    if column.maxRepetitionLevel > 0 { repetitionLevels.append(UInt32(repetitionLevel), count: count) }
  }

  /// Adds the values of slots, none of which is null.
  func append(_ array: ArrowArray, _ range: Range<Int>) throws(ParquetError) {
    if range.isEmpty { return }
    do {
      try values.append(array, range)
    } catch {
      throw error.located(column: column.name)
    }
  }

  /// Notes that the next `length` values are one list's.
  func beginList(length: Int) {
    if listLength != length { listLength = listLength == nil ? length : 0 }
  }

  // MARK: Pages

  func closePage(rowCount: Int, using context: inout ParquetEncoderContext) throws(ParquetError) {
    closeLevels()
    pages.append(
      PageRecord(
        rowCount: rowCount, slotCount: slotCount, nullCount: slotCount - values.count,
        bounds: order.flatMap { $0.bounds(of: values) }))
    if options.hasBloomFilter { collectHashes() }
    try encoder.encode(
      values, levels: levels, slotCount: slotCount, listLength: listLength ?? 0, using: &context)
    values.removeAll()
    slotCount = 0
    listLength = nil
  }

  private func closeLevels() {
    levels.truncate(to: 0)
    if column.maxRepetitionLevel > 0 { repetitionLevels.finish(into: &levels, hasByteCount: true) }
    if column.maxDefinitionLevel > 0 { definitionLevels.finish(into: &levels, hasByteCount: true) }
  }

  private func collectHashes() {
    let width = values.conversion.width
    if width == 0 {
      values.withByteArrays { values in
        for index in 0..<values.count { collect(SplitBlockBloomFilter.hash(values.bytes(index))) }
      }
    } else {
      for index in 0..<values.count {
        collect(SplitBlockBloomFilter.hash(values.bytes.extracting(index * width..<(index + 1) * width)))
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
    var filter = SplitBlockBloomFilter(valueCount: count, falsePositiveRate: falsePositiveRate)
    for hash in hashes { filter.insert(hash) }
    return filter
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
