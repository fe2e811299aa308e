import Arrow
import Buffers

/// A column chunk that is complete but for its place in the file.
struct FinishedChunk {
  let column: LeafColumn
  /// In the order of the file: the dictionary page, where there is one, then the data pages.
  let buffers: [Buffer]
  let columnIndex: ColumnIndex?
  var bloomFilter: SplitBlockBloomFilter?
  /// With offsets counted from the chunk's first byte.
  private var metadata: ColumnMetadata
  private var offsetIndex: OffsetIndex

  init(
    _ column: LeafColumn, _ order: ValueOrder?, _ options: LeafOptions, _ encoded: EncodedChunk, _ pages: [PageRecord]
  ) {
    self.column = column
    buffers = (encoded.dictionary.map { [$0.bytes] } ?? []) + encoded.pages.map(\.bytes)
    let bounds = ChunkBounds(pages, order, limit: options.boundByteCount, isText: column.arrowType == .utf8)
    columnIndex = bounds.columnIndex
    offsetIndex = Self.offsetIndex(encoded, pages)
    metadata = Self.metadata(column, options, encoded, pages)
    metadata.statistics = bounds.statistics
  }

  private static func offsetIndex(_ encoded: EncodedChunk, _ pages: [PageRecord]) -> OffsetIndex {
    var byteOffset = encoded.dictionary?.byteCount ?? 0
    var firstRow = 0
    var locations: [PageLocation] = []
    for (page, record) in zip(encoded.pages, pages) {
      locations.append(PageLocation(byteOffset: byteOffset, byteCount: page.byteCount, firstRow: firstRow))
      byteOffset += page.byteCount
      firstRow += record.rowCount
    }
    return OffsetIndex(pages: locations)
  }

  private static func metadata(
    _ column: LeafColumn, _ options: LeafOptions, _ encoded: EncodedChunk, _ pages: [PageRecord]
  ) -> ColumnMetadata {
    let all = (encoded.dictionary.map { [$0] } ?? []) + encoded.pages
    var metadata = ColumnMetadata(
      physicalType: column.physicalType, encodings: [], path: column.path, codec: options.codec,
      valueCount: pages.reduce(0) { $0 + $1.slotCount },
      totalUncompressedByteCount: all.reduce(0) { $0 + $1.uncompressedByteCount },
      totalCompressedByteCount: all.reduce(0) { $0 + $1.byteCount },
      dataPageOffset: encoded.dictionary?.byteCount ?? 0)
    if encoded.dictionary != nil {
      metadata.dictionaryPageOffset = 0
      metadata.encodingCounts.append(PageEncodingCount(pageType: .dictionary, encoding: .plain, count: 1))
    }
    for encoding in Encoding.allCases {
      let count = encoded.pages.count { $0.encoding == encoding }
      if count > 0 {
        metadata.encodingCounts.append(PageEncodingCount(pageType: .data, encoding: encoding, count: count))
      }
    }
    let hasLevels = column.maxDefinitionLevel + column.maxRepetitionLevel > 0
    let used = Set(metadata.encodingCounts.map(\.encoding) + (hasLevels ? [.rle] : []))
    metadata.encodings = used.sorted { $0.rawValue < $1.rawValue }
    return metadata
  }

  var byteCount: Int { metadata.totalCompressedByteCount }
  var uncompressedByteCount: Int { metadata.totalUncompressedByteCount }

  /// The chunk's metadata when it begins at `byteOffset` of the file.
  func metadata(at byteOffset: Int) -> ColumnChunkMetadata {
    var placed = metadata
    placed.dataPageOffset += byteOffset
    placed.dictionaryPageOffset = placed.dictionaryPageOffset.map { $0 + byteOffset }
    return ColumnChunkMetadata(metadata: placed)
  }

  func offsetIndex(at byteOffset: Int) -> OffsetIndex {
    var placed = offsetIndex
    for index in placed.pages.indices { placed.pages[index].byteOffset += byteOffset }
    return placed
  }
}

/// The bounds of a chunk and of its pages, cut to their limit.
struct ChunkBounds {
  private(set) var statistics = Statistics()
  private(set) var columnIndex: ColumnIndex?

  init(_ pages: [PageRecord], _ order: ValueOrder?, limit: Int, isText: Bool) {
    statistics.nullCount = pages.reduce(0) { $0 + $1.nullCount }
    guard let order else { return }
    setStatistics(pages, order, limit, isText)
    setColumnIndex(pages, order, limit, isText)
  }

  private mutating func setStatistics(_ pages: [PageRecord], _ order: ValueOrder, _ limit: Int, _ isText: Bool) {
    let bounds = pages.compactMap(\.bounds)
    guard var (least, greatest) = bounds.first else { return }
    for bound in bounds.dropFirst() {
      if order.isLess(bound.least, least) { least = bound.least }
      if order.isLess(greatest, bound.greatest) { greatest = bound.greatest }
    }
    let cut = CutBounds(least, greatest, limit: limit, isText: isText)
    statistics.minValue = cut.least
    statistics.maxValue = cut.greatest
    statistics.isMinExact = cut.isLeastExact
    statistics.isMaxExact = cut.isGreatestExact
  }

  /// A column index needs bounds of every page that holds more than nulls: NaNs alone have none. It is left out where it
  /// spares next to nothing: of ids in short pages, bounds would take a twentieth of what the ids take.
  private mutating func setColumnIndex(_ pages: [PageRecord], _ order: ValueOrder, _ limit: Int, _ isText: Bool) {
    guard pages.allSatisfy({ $0.bounds != nil || $0.nullCount == $0.slotCount }) else { return }
    let cut = pages.map { $0.bounds.map { CutBounds($0.least, $0.greatest, limit: limit, isText: isText) } }
    let known = cut.compactMap { $0 }
    let boundaryOrder = Self.boundaryOrder(known, order)
    if boundaryOrder == .unordered, known.count == pages.count, Self.overlap(known, order) { return }
    columnIndex = ColumnIndex(
      isNullPage: cut.map { $0 == nil }, minValues: cut.map { $0?.least ?? .empty },
      maxValues: cut.map { $0?.greatest ?? .empty }, boundaryOrder: boundaryOrder, nullCounts: pages.map(\.nullCount))
  }

  /// Whether some value lies within all of the bounds.
  private static func overlap(_ bounds: [CutBounds], _ order: ValueOrder) -> Bool {
    guard var (least, greatest) = bounds.first.map({ ($0.least, $0.greatest) }) else { return false }
    for bound in bounds.dropFirst() {
      if order.isLess(least, bound.least) { least = bound.least }
      if order.isLess(bound.greatest, greatest) { greatest = bound.greatest }
    }
    return !order.isLess(greatest, least)
  }

  private static func boundaryOrder(_ bounds: [CutBounds], _ order: ValueOrder) -> ColumnIndex.BoundaryOrder {
    let pairs = zip(bounds, bounds.dropFirst())
    if pairs.allSatisfy({ !order.isLess($1.least, $0.least) && !order.isLess($1.greatest, $0.greatest) }) {
      return .ascending
    }
    if pairs.allSatisfy({ !order.isLess($0.least, $1.least) && !order.isLess($0.greatest, $1.greatest) }) {
      return .descending
    }
    return .unordered
  }
}
