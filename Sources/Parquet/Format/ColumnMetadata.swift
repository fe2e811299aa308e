import Buffers

/// How values become the bytes of a page.
/// - Source: `parquet.thrift`, `Encoding`; the raw values are Thrift's.
package enum Encoding: UInt8, Sendable, Hashable, CaseIterable {
  case plain = 0
  /// Dictionary indices, as old writers call them; for a dictionary page, PLAIN.
  case plainDictionary = 2
  case rle = 3
  /// The bit packing of levels before RLE; most significant bit first.
  case bitPacked = 4
  case deltaBinaryPacked = 5
  case deltaLengthByteArray = 6
  case deltaByteArray = 7
  case rleDictionary = 8
  case byteStreamSplit = 9

  /// - Throws: `.unsupportedEncoding`.
  init(code: Int) throws(ParquetError) {
    guard let value = UInt8(exactly: code).flatMap(Encoding.init(rawValue:)) else {
      throw ParquetError(.unsupportedEncoding(code))
    }
    self = value
  }
}

/// The smallest and largest value of a column chunk or page, PLAIN-encoded without a length, and counts.
/// - Source: `parquet.thrift`, `Statistics`.
package struct Statistics: Sendable, Equatable {
  /// Bounds in signed byte order, whatever the type: for signed integers and floats only these can be trusted.
  package var legacyMax: Buffer?
  package var legacyMin: Buffer?
  package var nullCount: Int?
  package var distinctCount: Int?
  package var maxValue: Buffer?
  package var minValue: Buffer?
  package var isMaxExact: Bool?
  package var isMinExact: Bool?

  package init(minValue: Buffer? = nil, maxValue: Buffer? = nil, nullCount: Int? = nil) {
    self.minValue = minValue
    self.maxValue = maxValue
    self.nullCount = nullCount
  }

  package init(from reader: inout ThriftReader, _ field: ThriftReader.Field) throws(ParquetError) {
    var fields = try reader.open("Statistics", field)
    self.init()
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: legacyMax = try reader.binary(field)
      case 2: legacyMin = try reader.binary(field)
      case 3: nullCount = try reader.integer(field)
      case 4: distinctCount = try reader.integer(field)
      case 5: maxValue = try reader.binary(field)
      case 6: minValue = try reader.binary(field)
      case 7: isMaxExact = try reader.boolean(field)
      case 8: isMinExact = try reader.boolean(field)
      default: try reader.skip(field)
      }
    }
  }

  package func encode(to writer: inout ThriftWriter) {
    writer.binary(1, legacyMax)
    writer.binary(2, legacyMin)
    writer.int64(3, nullCount)
    writer.int64(4, distinctCount)
    writer.binary(5, maxValue)
    writer.binary(6, minValue)
    writer.boolean(7, isMaxExact)
    writer.boolean(8, isMinExact)
  }
}

/// How many slots a chunk or page has at each level, and how many bytes its byte arrays take unencoded.
/// - Source: `parquet.thrift`, `SizeStatistics`.
package struct SizeStatistics: Sendable, Hashable {
  package var unencodedByteCount: Int?
  package var repetitionLevelHistogram: [Int]?
  package var definitionLevelHistogram: [Int]?

  package init() {}

  package init(from reader: inout ThriftReader, _ field: ThriftReader.Field) throws(ParquetError) {
    var fields = try reader.open("SizeStatistics", field)
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: unencodedByteCount = try reader.integer(field)
      case 2: repetitionLevelHistogram = try reader.integers(field)
      case 3: definitionLevelHistogram = try reader.integers(field)
      default: try reader.skip(field)
      }
    }
  }

  package func encode(to writer: inout ThriftWriter) {
    writer.int64(1, unencodedByteCount)
    writer.integers(2, .int64, repetitionLevelHistogram)
    writer.integers(3, .int64, definitionLevelHistogram)
  }
}

/// How many pages of a kind have an encoding.
/// - Source: `parquet.thrift`, `PageEncodingStats`.
package struct PageEncodingCount: Sendable, Hashable {
  package var pageType: PageType
  package var encoding: Encoding
  package var count: Int

  package init(pageType: PageType, encoding: Encoding, count: Int) {
    self.pageType = pageType
    self.encoding = encoding
    self.count = count
  }

  package func encode(to writer: inout ThriftWriter) {
    writer.int32(1, Int(pageType.rawValue))
    writer.int32(2, Int(encoding.rawValue))
    writer.int32(3, count)
  }
}

/// What the footer says of the pages of one leaf column in one row group.
/// - Source: `parquet.thrift`, `ColumnMetaData`.
package struct ColumnMetadata: Sendable, Equatable {
  package var physicalType: PhysicalType
  /// The encodings of its pages and levels; those unknown to this module are left out.
  package var encodings: [Encoding]
  package var path: [String]
  package var codec: CompressionCodec
  /// Slots, nulls and empty lists included.
  package var valueCount: Int
  /// Of all pages with their headers.
  package var totalUncompressedByteCount: Int
  package var totalCompressedByteCount: Int
  package var dataPageOffset: Int
  package var dictionaryPageOffset: Int?
  package var statistics: Statistics?
  package var encodingCounts: [PageEncodingCount] = []
  package var bloomFilterOffset: Int?
  package var bloomFilterByteCount: Int?
  package var sizeStatistics: SizeStatistics?

  package init(
    physicalType: PhysicalType, encodings: [Encoding], path: [String], codec: CompressionCodec, valueCount: Int,
    totalUncompressedByteCount: Int, totalCompressedByteCount: Int, dataPageOffset: Int
  ) {
    self.physicalType = physicalType
    self.encodings = encodings
    self.path = path
    self.codec = codec
    self.valueCount = valueCount
    self.totalUncompressedByteCount = totalUncompressedByteCount
    self.totalCompressedByteCount = totalCompressedByteCount
    self.dataPageOffset = dataPageOffset
  }

  package init(from reader: inout ThriftReader, _ field: ThriftReader.Field) throws(ParquetError) {
    var fields = try reader.open("ColumnMetaData", field)
    var (type, path, codec): (Int?, [String]?, Int?) = (nil, nil, nil)
    var (valueCount, uncompressed, compressed, offset): (Int?, Int?, Int?, Int?) = (nil, nil, nil, nil)
    self.init(
      physicalType: .boolean, encodings: [], path: [], codec: .uncompressed, valueCount: 0,
      totalUncompressedByteCount: 0, totalCompressedByteCount: 0, dataPageOffset: 0)
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: type = try reader.integer(field)
      case 2: encodings = try reader.integers(field).compactMap { UInt8(exactly: $0).flatMap(Encoding.init(rawValue:)) }
      case 3: path = try reader.strings(field)
      case 4: codec = try reader.integer(field)
      case 5: valueCount = try reader.count(field)
      case 6: uncompressed = try reader.count(field)
      case 7: compressed = try reader.count(field)
      case 9: offset = try reader.count(field)
      case 11: dictionaryPageOffset = try reader.integer(field)
      case 12: statistics = try Statistics(from: &reader, field)
      case 14: bloomFilterOffset = try reader.count(field)
      case 15: bloomFilterByteCount = try reader.count(field)
      case 16: sizeStatistics = try SizeStatistics(from: &reader, field)
      default: try reader.skip(field)
      }
    }
    let code = try fields.require(type, "type")
    guard let type = UInt8(exactly: code).flatMap(PhysicalType.init(rawValue:)) else {
      throw ParquetError(.malformed("column type \(code)"))
    }
    physicalType = type
    self.path = try fields.require(path, "path_in_schema")
    self.codec = try Self.codec(try fields.require(codec, "codec"))
    self.valueCount = try fields.require(valueCount, "num_values")
    totalUncompressedByteCount = try fields.require(uncompressed, "total_uncompressed_size")
    totalCompressedByteCount = try fields.require(compressed, "total_compressed_size")
    dataPageOffset = try fields.require(offset, "data_page_offset")
  }

  private static func codec(_ code: Int) throws(ParquetError) -> CompressionCodec {
    guard let codec = UInt8(exactly: code).flatMap(CompressionCodec.init(rawValue:)) else {
      throw ParquetError(.unsupportedCodec("\(code)"))
    }
    return codec
  }

  package func encode(to writer: inout ThriftWriter) {
    writer.int32(1, Int(physicalType.rawValue))
    writer.integers(2, .int32, encodings.map { Int($0.rawValue) })
    writer.strings(3, path)
    writer.int32(4, Int(codec.rawValue))
    writer.int64(5, valueCount)
    writer.int64(6, totalUncompressedByteCount)
    writer.int64(7, totalCompressedByteCount)
    writer.int64(9, dataPageOffset)
    writer.int64(11, dictionaryPageOffset)
    if let statistics { writer.structure(12) { statistics.encode(to: &$0) } }
    writer.structures(13, encodingCounts.isEmpty ? nil : encodingCounts) { $0.encode(to: &$1) }
    writer.int64(14, bloomFilterOffset)
    writer.int32(15, bloomFilterByteCount)
    if let sizeStatistics { writer.structure(16) { sizeStatistics.encode(to: &$0) } }
  }
}

/// One leaf column in one row group: its pages' metadata and where its indexes lie.
/// - Source: `parquet.thrift`, `ColumnChunk`.
package struct ColumnChunkMetadata: Sendable, Equatable {
  /// Another file that holds the pages; no known writer sets it.
  package var filePath: String?
  package var fileOffset: Int
  /// Nil only where it is encrypted.
  package var metadata: ColumnMetadata?
  package var offsetIndexOffset: Int?
  package var offsetIndexByteCount: Int?
  package var columnIndexOffset: Int?
  package var columnIndexByteCount: Int?
  /// Whether the column is encrypted with a key of its own.
  package var isEncrypted = false

  package init(metadata: ColumnMetadata?, fileOffset: Int = 0) {
    self.metadata = metadata
    self.fileOffset = fileOffset
  }

  package init(from reader: inout ThriftReader) throws(ParquetError) {
    var fields = try reader.open("ColumnChunk")
    self.init(metadata: nil)
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: filePath = try reader.string(field)
      case 2: fileOffset = try reader.integer(field)
      case 3: metadata = try ColumnMetadata(from: &reader, field)
      case 4: offsetIndexOffset = try reader.count(field)
      case 5: offsetIndexByteCount = try reader.count(field)
      case 6: columnIndexOffset = try reader.count(field)
      case 7: columnIndexByteCount = try reader.count(field)
      case 8, 9:
        isEncrypted = true
        try reader.skip(field)
      default: try reader.skip(field)
      }
    }
  }

  package func encode(to writer: inout ThriftWriter) {
    writer.string(1, filePath)
    writer.int64(2, fileOffset)
    if let metadata { writer.structure(3) { metadata.encode(to: &$0) } }
    writer.int64(4, offsetIndexOffset)
    writer.int32(5, offsetIndexByteCount)
    writer.int64(6, columnIndexOffset)
    writer.int32(7, columnIndexByteCount)
  }
}
