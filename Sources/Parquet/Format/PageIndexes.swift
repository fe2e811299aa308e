import Buffers

/// The bounds of each data page of a column chunk.
/// - Source: `parquet.thrift`, `ColumnIndex`; `PageIndex.md`.
package struct ColumnIndex: Sendable, Equatable {
  /// - Source: `parquet.thrift`, `BoundaryOrder`; the raw values are Thrift's.
  package enum BoundaryOrder: UInt8, Sendable, Hashable {
    case unordered = 0
    case ascending = 1
    case descending = 2
  }

  /// Whether a page holds nothing but nulls; its bounds then mean nothing.
  package var isNullPage: [Bool]
  package var minValues: [Buffer]
  package var maxValues: [Buffer]
  package var boundaryOrder: BoundaryOrder
  package var nullCounts: [Int]?
  package var repetitionLevelHistograms: [Int]?
  package var definitionLevelHistograms: [Int]?

  package init(
    isNullPage: [Bool], minValues: [Buffer], maxValues: [Buffer], boundaryOrder: BoundaryOrder, nullCounts: [Int]?
  ) {
    self.isNullPage = isNullPage
    self.minValues = minValues
    self.maxValues = maxValues
    self.boundaryOrder = boundaryOrder
    self.nullCounts = nullCounts
  }

  package var pageCount: Int { isNullPage.count }

  /// - Throws: also `.countMismatch` where the lists differ in length.
  package init(decoding bytes: Buffer) throws(ParquetError) {
    var reader = ThriftReader(bytes)
    try self.init(from: &reader)
  }

  package init(from reader: inout ThriftReader) throws(ParquetError) {
    var fields = try reader.open("ColumnIndex")
    var (isNullPage, minValues, maxValues): ([Bool]?, [Buffer]?, [Buffer]?) = (nil, nil, nil)
    self.init(isNullPage: [], minValues: [], maxValues: [], boundaryOrder: .unordered, nullCounts: nil)
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: isNullPage = try reader.booleans(field)
      case 2: minValues = try reader.binaries(field)
      case 3: maxValues = try reader.binaries(field)
      case 4: boundaryOrder = BoundaryOrder(rawValue: UInt8(clamping: try reader.integer(field))) ?? .unordered
      case 5: nullCounts = try reader.integers(field)
      case 6: repetitionLevelHistograms = try reader.integers(field)
      case 7: definitionLevelHistograms = try reader.integers(field)
      default: try reader.skip(field)
      }
    }
    self.isNullPage = try fields.require(isNullPage, "null_pages")
    self.minValues = try fields.require(minValues, "min_values")
    self.maxValues = try fields.require(maxValues, "max_values")
    for count in [self.minValues.count, self.maxValues.count, nullCounts?.count ?? pageCount] where count != pageCount {
      throw ParquetError(.countMismatch("page bounds", expected: pageCount, actual: count))
    }
  }

  package func encoded() -> Buffer {
    var writer = ThriftWriter(capacity: 1024)
    writer.structure { writer in
      writer.booleans(1, isNullPage)
      writer.binaries(2, minValues)
      writer.binaries(3, maxValues)
      writer.int32(4, Int(boundaryOrder.rawValue))
      writer.integers(5, .int64, nullCounts)
      writer.integers(6, .int64, repetitionLevelHistograms)
      writer.integers(7, .int64, definitionLevelHistograms)
    }
    return writer.take()
  }
}

/// Where a data page lies.
/// - Source: `parquet.thrift`, `PageLocation`.
package struct PageLocation: Sendable, Hashable {
  /// Of the page's header, in the file.
  package var byteOffset: Int
  /// Header included.
  package var byteCount: Int
  /// The page's first row, counted from the row group's first.
  package var firstRow: Int

  package init(byteOffset: Int, byteCount: Int, firstRow: Int) {
    self.byteOffset = byteOffset
    self.byteCount = byteCount
    self.firstRow = firstRow
  }

  package init(from reader: inout ThriftReader) throws(ParquetError) {
    var fields = try reader.open("PageLocation")
    var (byteOffset, byteCount, firstRow): (Int?, Int?, Int?) = (nil, nil, nil)
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: byteOffset = try reader.count(field)
      case 2: byteCount = try reader.count(field, upTo: Int(Int32.max))
      case 3: firstRow = try reader.count(field)
      default: try reader.skip(field)
      }
    }
    self.init(
      byteOffset: try fields.require(byteOffset, "offset"),
      byteCount: try fields.require(byteCount, "compressed_page_size"),
      firstRow: try fields.require(firstRow, "first_row_index"))
  }
}

/// Where the data pages of a column chunk lie, in order of their rows.
/// - Source: `parquet.thrift`, `OffsetIndex`; `PageIndex.md`.
package struct OffsetIndex: Sendable, Hashable {
  package var pages: [PageLocation]
  package var unencodedByteCounts: [Int]?

  package init(pages: [PageLocation]) { self.pages = pages }

  package init(decoding bytes: Buffer) throws(ParquetError) {
    var reader = ThriftReader(bytes)
    try self.init(from: &reader)
  }

  package init(from reader: inout ThriftReader) throws(ParquetError) {
    var fields = try reader.open("OffsetIndex")
    var pages: [PageLocation]?
    self.init(pages: [])
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: pages = try reader.structures(field, PageLocation.init(from:))
      case 2: unencodedByteCounts = try reader.integers(field)
      default: try reader.skip(field)
      }
    }
    self.pages = try fields.require(pages, "page_locations")
  }

  package func encoded() -> Buffer {
    var writer = ThriftWriter(capacity: 1024)
    writer.structure { writer in
      writer.structures(1, pages) { page, writer in
        writer.int64(1, page.byteOffset)
        writer.int32(2, page.byteCount)
        writer.int64(3, page.firstRow)
      }
      writer.integers(2, .int64, unencodedByteCounts)
    }
    return writer.take()
  }
}

/// What precedes the bitset of a bloom filter.
/// - Source: `parquet.thrift`, `BloomFilterHeader`; `BloomFilter.md`.
package struct BloomFilterHeader: Sendable, Hashable {
  /// Bytes of the bitset that follows.
  package var byteCount: Int
  /// Whether algorithm, hash and compression are the format's only ones: split blocks, XXH64, none.
  package var isSupported: Bool

  package init(byteCount: Int) {
    self.byteCount = byteCount
    isSupported = true
  }

  package init(from reader: inout ThriftReader) throws(ParquetError) {
    var fields = try reader.open("BloomFilterHeader")
    var (byteCount, algorithm, hash, compression): (Int?, Int?, Int?, Int?) = (nil, nil, nil, nil)
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: byteCount = try reader.count(field, upTo: Int(Int32.max))
      case 2: algorithm = try Self.choice(field, &reader)
      case 3: hash = try Self.choice(field, &reader)
      case 4: compression = try Self.choice(field, &reader)
      default: try reader.skip(field)
      }
    }
    self.byteCount = try fields.require(byteCount, "numBytes")
    isSupported = algorithm == 1 && hash == 1 && compression == 1
  }

  /// The id of a union's only field.
  private static func choice(
    _ field: ThriftReader.Field, _ reader: inout ThriftReader
  ) throws(ParquetError) -> Int? {
    var fields = try reader.open("BloomFilterHeader choice", field)
    var id: Int?
    while let field = try fields.next(&reader) {
      id = field.id
      try reader.skip(field)
    }
    return id
  }

  package func encoded() -> Buffer {
    var writer = ThriftWriter(capacity: 32)
    writer.structure { writer in
      writer.int32(1, byteCount)
      for id in 2...4 { writer.structure(id) { $0.empty(1) } }
    }
    return writer.take()
  }
}
