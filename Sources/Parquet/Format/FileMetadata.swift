import Buffers

/// What a file's footer says of it.
/// - Source: `parquet.thrift`, `FileMetaData`.
package struct FileMetadata: Sendable, Equatable {
  package var version = 2
  package var schema: [SchemaElement]
  package var rowCount: Int
  package var rowGroups: [RowGroupMetadata]
  package var keyValues: [KeyValue] = []
  package var createdBy: String?
  /// Whether `min_value` and `max_value` follow the order of the column's type, by leaf; empty in old files.
  package var columnOrders: [Bool] = []

  package init(schema: [SchemaElement], rowCount: Int, rowGroups: [RowGroupMetadata]) {
    self.schema = schema
    self.rowCount = rowCount
    self.rowGroups = rowGroups
  }

  /// - Throws: `.truncated`, `.malformed`, `.missingField`, `.outOfRange`, `.limitExceeded`, `.encrypted`.
  package init(decoding bytes: Buffer) throws(ParquetError) {
    var reader = ThriftReader(bytes)
    try self.init(from: &reader)
  }

  package init(from reader: inout ThriftReader) throws(ParquetError) {
    var fields = try reader.open("FileMetaData")
    var (schema, rowCount, rowGroups): ([SchemaElement]?, Int?, [RowGroupMetadata]?) = (nil, nil, nil)
    self.init(schema: [], rowCount: 0, rowGroups: [])
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: version = try reader.integer(field)
      case 2: schema = try reader.structures(field, SchemaElement.init(from:))
      case 3: rowCount = try reader.count(field)
      case 4: rowGroups = try reader.structures(field, RowGroupMetadata.init(from:))
      case 5: keyValues = try reader.structures(field, KeyValue.init(from:))
      case 6: createdBy = try reader.string(field)
      case 7: columnOrders = try reader.structures(field, Self.columnOrder)
      case 8: throw ParquetError(.encrypted)
      default: try reader.skip(field)
      }
    }
    self.schema = try fields.require(schema, "schema")
    self.rowCount = try fields.require(rowCount, "num_rows")
    self.rowGroups = try fields.require(rowGroups, "row_groups")
  }

  private static func columnOrder(_ reader: inout ThriftReader) throws(ParquetError) -> Bool {
    var fields = try reader.open("ColumnOrder")
    var isTypeOrder = false
    while let field = try fields.next(&reader) {
      isTypeOrder = field.id == 1
      try reader.skip(field)
    }
    return isTypeOrder
  }

  package func encoded() -> Buffer {
    var writer = ThriftWriter(capacity: 4096)
    writer.structure { encode(to: &$0) }
    return writer.take()
  }

  package func encode(to writer: inout ThriftWriter) {
    writer.int32(1, version)
    writer.structures(2, schema) { $0.encode(to: &$1) }
    writer.int64(3, rowCount)
    writer.structures(4, rowGroups) { $0.encode(to: &$1) }
    writer.structures(5, keyValues.isEmpty ? nil : keyValues) { $0.encode(to: &$1) }
    writer.string(6, createdBy)
    writer.structures(7, columnOrders.isEmpty ? nil : columnOrders) { isTypeOrder, writer in
      if isTypeOrder { writer.empty(1) }
    }
  }
}

/// An entry of the footer's free metadata.
/// - Source: `parquet.thrift`, `KeyValue`.
package struct KeyValue: Sendable, Hashable {
  package var key: String
  package var value: String?

  package init(key: String, value: String?) {
    self.key = key
    self.value = value
  }

  package init(from reader: inout ThriftReader) throws(ParquetError) {
    var fields = try reader.open("KeyValue")
    var (key, value): (String?, String?) = (nil, nil)
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: key = try reader.string(field)
      case 2: value = try reader.string(field)
      default: try reader.skip(field)
      }
    }
    self.init(key: try fields.require(key, "key"), value: value)
  }

  package func encode(to writer: inout ThriftWriter) {
    writer.string(1, key)
    writer.string(2, value)
  }
}

/// A horizontal part of the table: one chunk per leaf column, for the same rows.
/// - Source: `parquet.thrift`, `RowGroup`.
package struct RowGroupMetadata: Sendable, Equatable {
  package var columns: [ColumnChunkMetadata]
  /// Bytes of all pages before compression.
  package var totalByteCount: Int
  package var rowCount: Int
  package var sortingColumns: [SortingColumn] = []
  /// Where the first page begins.
  package var fileOffset: Int?
  package var totalCompressedByteCount: Int?
  package var ordinal: Int?

  package init(columns: [ColumnChunkMetadata], totalByteCount: Int, rowCount: Int) {
    self.columns = columns
    self.totalByteCount = totalByteCount
    self.rowCount = rowCount
  }

  package init(from reader: inout ThriftReader) throws(ParquetError) {
    var fields = try reader.open("RowGroup")
    var (columns, totalByteCount, rowCount): ([ColumnChunkMetadata]?, Int?, Int?) = (nil, nil, nil)
    self.init(columns: [], totalByteCount: 0, rowCount: 0)
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: columns = try reader.structures(field, ColumnChunkMetadata.init(from:))
      case 2: totalByteCount = try reader.integer(field)
      case 3: rowCount = try reader.count(field)
      case 4: sortingColumns = try reader.structures(field, SortingColumn.init(from:))
      case 5: fileOffset = try reader.integer(field)
      case 6: totalCompressedByteCount = try reader.integer(field)
      case 7: ordinal = try reader.integer(field)
      default: try reader.skip(field)
      }
    }
    self.columns = try fields.require(columns, "columns")
    self.totalByteCount = try fields.require(totalByteCount, "total_byte_size")
    self.rowCount = try fields.require(rowCount, "num_rows")
  }

  package func encode(to writer: inout ThriftWriter) {
    writer.structures(1, columns) { $0.encode(to: &$1) }
    writer.int64(2, totalByteCount)
    writer.int64(3, rowCount)
    writer.structures(4, sortingColumns.isEmpty ? nil : sortingColumns) { $0.encode(to: &$1) }
    writer.int64(5, fileOffset)
    writer.int64(6, totalCompressedByteCount)
    writer.int16(7, ordinal)
  }
}

/// One of the columns by which the rows of a row group are sorted.
/// - Source: `parquet.thrift`, `SortingColumn`.
package struct SortingColumn: Sendable, Hashable {
  /// Index among the leaf columns.
  package var column: Int
  package var isDescending: Bool
  package var nullsFirst: Bool

  package init(column: Int, isDescending: Bool = false, nullsFirst: Bool = false) {
    self.column = column
    self.isDescending = isDescending
    self.nullsFirst = nullsFirst
  }

  package init(from reader: inout ThriftReader) throws(ParquetError) {
    var fields = try reader.open("SortingColumn")
    var (column, isDescending, nullsFirst): (Int?, Bool, Bool) = (nil, false, false)
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: column = try reader.integer(field)
      case 2: isDescending = try reader.boolean(field)
      case 3: nullsFirst = try reader.boolean(field)
      default: try reader.skip(field)
      }
    }
    self.init(
      column: try fields.require(column, "column_idx"), isDescending: isDescending, nullsFirst: nullsFirst)
  }

  package func encode(to writer: inout ThriftWriter) {
    writer.int32(1, column)
    writer.boolean(2, isDescending)
    writer.boolean(3, nullsFirst)
  }
}
