import Buffers

/// - Source: `parquet.thrift`, `PageType`; the raw values are Thrift's.
package enum PageType: UInt8, Sendable, Hashable {
  case data = 0
  case index = 1
  case dictionary = 2
  case dataV2 = 3
}

/// What precedes the bytes of a page.
/// - Source: `parquet.thrift`, `PageHeader`.
package struct PageHeader: Sendable, Equatable {
  package enum Kind: Sendable, Hashable {
    /// Levels (each with its byte count before it) and values are compressed together.
    case data(
      valueCount: Int, encoding: Encoding, definitionLevelEncoding: Encoding, repetitionLevelEncoding: Encoding)
    /// Levels stand uncompressed before the values, repetition levels first.
    case dataV2(
      valueCount: Int, nullCount: Int, rowCount: Int, encoding: Encoding, definitionLevelByteCount: Int,
      repetitionLevelByteCount: Int, isCompressed: Bool)
    case dictionary(valueCount: Int, encoding: Encoding, isSorted: Bool)
    /// Never written by anyone, or of a kind newer than this module: to be passed over.
    case other(Int)
  }

  package var kind: Kind
  package var uncompressedByteCount: Int
  /// Bytes that follow the header.
  package var compressedByteCount: Int
  /// CRC-32 of the bytes that follow the header.
  package var checksum: UInt32?
  package var statistics: Statistics?

  package init(kind: Kind, uncompressedByteCount: Int, compressedByteCount: Int, checksum: UInt32? = nil) {
    self.kind = kind
    self.uncompressedByteCount = uncompressedByteCount
    self.compressedByteCount = compressedByteCount
    self.checksum = checksum
  }

  /// Reads a header at the reader's position, which then stands at the page's bytes.
  /// - Throws: `.truncated` where more bytes would help; `.malformed`, `.missingField`, `.outOfRange`,
  ///   `.unsupportedEncoding`.
  package init(from reader: inout ThriftReader) throws(ParquetError) {
    var fields = try reader.open("PageHeader")
    var (type, uncompressed, compressed): (Int?, Int?, Int?) = (nil, nil, nil)
    var kind: Kind?
    var (checksum, statistics): (UInt32?, Statistics?) = (nil, nil)
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: type = try reader.integer(field)
      case 2: uncompressed = try reader.count(field, upTo: Int(Int32.max))
      case 3: compressed = try reader.count(field, upTo: Int(Int32.max))
      case 4: checksum = UInt32(truncatingIfNeeded: try reader.integer(field))
      case 5: kind = try Self.data(field, &reader, &statistics)
      case 7: kind = try Self.dictionary(field, &reader)
      case 8: kind = try Self.dataV2(field, &reader, &statistics)
      default: try reader.skip(field)
      }
    }
    let code = try fields.require(type, "type")
    self.init(
      kind: try Self.match(kind, code, fields),
      uncompressedByteCount: try fields.require(uncompressed, "uncompressed_page_size"),
      compressedByteCount: try fields.require(compressed, "compressed_page_size"), checksum: checksum)
    self.statistics = statistics
  }

  /// The kind that goes with the page type `code`.
  private static func match(_ kind: Kind?, _ code: Int, _ fields: ThriftReader.Fields) throws(ParquetError) -> Kind {
    switch (code, kind) {
    case (0, .data(let values, let encoding, let definition, let repetition)):
      return .data(
        valueCount: values, encoding: encoding, definitionLevelEncoding: definition,
        repetitionLevelEncoding: repetition)
    case (0, _): throw fields.missing("data_page_header")
    case (2, .dictionary(let values, let encoding, let isSorted)):
      return .dictionary(valueCount: values, encoding: encoding, isSorted: isSorted)
    case (2, _): throw fields.missing("dictionary_page_header")
    case (3, .some(let kind)):
      if case .dataV2 = kind { return kind }
      throw fields.missing("data_page_header_v2")
    case (3, _): throw fields.missing("data_page_header_v2")
    default: return .other(code)
    }
  }

  private static func data(
    _ field: ThriftReader.Field, _ reader: inout ThriftReader, _ statistics: inout Statistics?
  ) throws(ParquetError) -> Kind {
    var fields = try reader.open("DataPageHeader", field)
    var (count, encoding, definition, repetition): (Int?, Int?, Int?, Int?) = (nil, nil, nil, nil)
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: count = try reader.count(field, upTo: Int(Int32.max))
      case 2: encoding = try reader.integer(field)
      case 3: definition = try reader.integer(field)
      case 4: repetition = try reader.integer(field)
      case 5: statistics = try Statistics(from: &reader, field)
      default: try reader.skip(field)
      }
    }
    return .data(
      valueCount: try fields.require(count, "num_values"),
      encoding: try Encoding(code: try fields.require(encoding, "encoding")),
      definitionLevelEncoding: try Encoding(code: try fields.require(definition, "definition_level_encoding")),
      repetitionLevelEncoding: try Encoding(code: try fields.require(repetition, "repetition_level_encoding")))
  }

  private static func dictionary(
    _ field: ThriftReader.Field, _ reader: inout ThriftReader
  ) throws(ParquetError) -> Kind {
    var fields = try reader.open("DictionaryPageHeader", field)
    var (count, encoding, isSorted): (Int?, Int?, Bool) = (nil, nil, false)
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: count = try reader.count(field, upTo: Int(Int32.max))
      case 2: encoding = try reader.integer(field)
      case 3: isSorted = try reader.boolean(field)
      default: try reader.skip(field)
      }
    }
    return .dictionary(
      valueCount: try fields.require(count, "num_values"),
      encoding: try Encoding(code: try fields.require(encoding, "encoding")), isSorted: isSorted)
  }

  private static func dataV2(
    _ field: ThriftReader.Field, _ reader: inout ThriftReader, _ statistics: inout Statistics?
  ) throws(ParquetError) -> Kind {
    var fields = try reader.open("DataPageHeaderV2", field)
    var (count, nulls, rows, encoding): (Int?, Int?, Int?, Int?) = (nil, nil, nil, nil)
    var (definition, repetition, isCompressed): (Int?, Int?, Bool) = (nil, nil, true)
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: count = try reader.count(field, upTo: Int(Int32.max))
      case 2: nulls = try reader.count(field, upTo: Int(Int32.max))
      case 3: rows = try reader.count(field, upTo: Int(Int32.max))
      case 4: encoding = try reader.integer(field)
      case 5: definition = try reader.count(field, upTo: Int(Int32.max))
      case 6: repetition = try reader.count(field, upTo: Int(Int32.max))
      case 7: isCompressed = try reader.boolean(field)
      case 8: statistics = try Statistics(from: &reader, field)
      default: try reader.skip(field)
      }
    }
    return .dataV2(
      valueCount: try fields.require(count, "num_values"), nullCount: try fields.require(nulls, "num_nulls"),
      rowCount: try fields.require(rows, "num_rows"),
      encoding: try Encoding(code: try fields.require(encoding, "encoding")),
      definitionLevelByteCount: try fields.require(definition, "definition_levels_byte_length"),
      repetitionLevelByteCount: try fields.require(repetition, "repetition_levels_byte_length"),
      isCompressed: isCompressed)
  }

  package func encoded() -> Buffer {
    var writer = ThriftWriter(capacity: 64)
    writer.structure { encode(to: &$0) }
    return writer.take()
  }

  package func encode(to writer: inout ThriftWriter) {
    writer.int32(1, typeCode)
    writer.int32(2, uncompressedByteCount)
    writer.int32(3, compressedByteCount)
    writer.int32(4, checksum.map { Int(Int32(bitPattern: $0)) })
    switch kind {
    case .data(let count, let encoding, let definition, let repetition):
      writer.structure(5) { writer in
        writer.int32(1, count)
        writer.int32(2, Int(encoding.rawValue))
        writer.int32(3, Int(definition.rawValue))
        writer.int32(4, Int(repetition.rawValue))
        if let statistics { writer.structure(5) { statistics.encode(to: &$0) } }
      }
    case .dictionary(let count, let encoding, let isSorted):
      writer.structure(7) { writer in
        writer.int32(1, count)
        writer.int32(2, Int(encoding.rawValue))
        writer.boolean(3, isSorted ? true : nil)
      }
    case .dataV2(let count, let nulls, let rows, let encoding, let definition, let repetition, let isCompressed):
      writer.structure(8) { writer in
        writer.int32(1, count)
        writer.int32(2, nulls)
        writer.int32(3, rows)
        writer.int32(4, Int(encoding.rawValue))
        writer.int32(5, definition)
        writer.int32(6, repetition)
        writer.boolean(7, isCompressed ? nil : false)
        if let statistics { writer.structure(8) { statistics.encode(to: &$0) } }
      }
    case .other: break
    }
  }

  private var typeCode: Int {
    switch kind {
    case .data: Int(PageType.data.rawValue)
    case .dictionary: Int(PageType.dictionary.rawValue)
    case .dataV2: Int(PageType.dataV2.rawValue)
    case .other(let code): code
    }
  }
}
