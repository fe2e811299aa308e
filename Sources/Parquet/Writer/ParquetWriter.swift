import Arrow
import Buffers

/// Writes record batches as one Parquet file, handing out its bytes as they become final.
///
///     file      ::= "PAR1" { row group } { bloom filter } { column index } { offset index } footer
///     row group ::= { chunk }
///     chunk     ::= [ dictionary page ] { data page }
///     footer    ::= FileMetaData, its byte count in 4 bytes, "PAR1"
///
/// Rows are cut into pages and row groups by what they are alone: the same rows give the same bytes, however they were
/// cut into batches. Pages are compressed as soon as they are full, so an open writer holds the compressed pages of one
/// row group and a page's worth of values per column; of float lists, the widest as a rule, each distinct one once; and of
/// the row groups before, the encoded indexes, some 30 bytes a page. Data pages are of version 1, whose levels are
/// compressed too.
/// - Source: parquet-format `README.md`.
package struct ParquetWriter: ~Copyable {
  package let schema: ParquetSchema
  private let options: ParquetWriterOptions
  private let columns: [ColumnShredder]
  private let leaves: [LeafWriter]
  /// Row groups may end early only at multiples of this many rows, where every column's page ends.
  private let checkRowCount: Int
  private let keyValues: [KeyValue]
  private let sortingColumns: [SortingColumn]

  private var output: [Buffer] = []
  private var byteOffset = 0
  private var groupOffset = 4
  private var rowsInGroup = 0
  private var rowGroups: [RowGroupMetadata] = []
  // By row group, what is written at the file's end.
  private var bloomFilters: [EncodedIndexes] = []
  private var columnIndexes: [EncodedIndexes] = []
  private var offsetIndexes: [EncodedIndexes] = []
  package private(set) var rowCount = 0

  /// - Throws: `.invalidSchema`, `.unsupportedType`, `.unsupported`.
  package init(schema arrow: Schema, options: ParquetWriterOptions = ParquetWriterOptions()) throws(ParquetError) {
    let schema = try ParquetSchema(arrow: arrow.stored(options))
    let made = try Self.columns(schema, arrow, options)
    let sortingColumns = try Self.sortingColumns(schema, options)
    self.schema = schema
    self.options = options
    self.sortingColumns = sortingColumns
    (columns, checkRowCount) = made
    leaves = made.0.flatMap(\.leaves)
    let metadata = arrow.metadata.merging(options.metadata) { $1 }
    keyValues = metadata.sorted { $0.key < $1.key }.map { KeyValue(key: $0.key, value: $0.value) }
    flush(Buffer(Array("PAR1".utf8)))
  }

  private static func columns(
    _ schema: ParquetSchema, _ arrow: Schema, _ options: ParquetWriterOptions
  ) throws(ParquetError) -> ([ColumnShredder], Int) {
    var columns: [ColumnShredder] = []
    var checkRowCount = 1
    for (node, field) in zip(schema.columns, arrow.fields) {
      let types = field.type.leafTypes
      var leaves: [LeafWriter] = []
      for (index, type) in zip(node.leaves, types) {
        let leaf = schema.leaves[index]
        leaves.append(
          try LeafWriter(leaf, type: type, options: LeafOptions(options, column: field.name, leaf: leaf)))
      }
      let isVector = leaves.contains { $0.isVector }
      let pageSize = pageSize(options, fixed: options.columns[field.name]?.pageRowCount, isVector: isVector)
      checkRowCount = max(checkRowCount, pageSize.greatestRowCount)
      columns.append(
        ColumnShredder(node, leaves: leaves, pageSize: pageSize, pageByteCount: options.pageByteCount))
    }
    return (columns, checkRowCount)
  }

  private static func pageSize(_ options: ParquetWriterOptions, fixed: Int?, isVector: Bool) -> PageSize {
    if let rows = fixed ?? (isVector ? options.vectorPageRowCount : nil) { return PageSize(rowCount: max(1, rows)) }
    let rows = max(1, options.pageRowCount)
    guard let byteCount = options.storedPageByteCount else { return PageSize(rowCount: rows) }
    return PageSize(rowCounts: min(rows, max(1, options.leastPageRowCount))...rows, byteCount: byteCount)
  }

  private static func sortingColumns(
    _ schema: ParquetSchema, _ options: ParquetWriterOptions
  ) throws(ParquetError) -> [SortingColumn] {
    var columns: [SortingColumn] = []
    for name in options.sortedBy {
      guard let leaf = schema.leafIndex(of: name) else {
        throw ParquetError(.unsupported("sorting by '\(name)', which is no plain column,"))
      }
      columns.append(SortingColumn(column: leaf))
    }
    return columns
  }

  // MARK: Rows

  /// Adds the rows of `batch`, whose columns are those of the schema; a column may be dictionary-encoded or not.
  /// - Throws: `.unsupportedType` for other columns, `.unsupported` for a null or a value that the schema does not allow;
  ///   the writer is of no use then.
  package mutating func append(
    _ batch: RecordBatch, using context: inout ParquetEncoderContext
  ) throws(ParquetError) {
    guard batch.columns.count == columns.count else {
      throw ParquetError(.countMismatch("columns in a batch", expected: columns.count, actual: batch.columns.count))
    }
    var start = 0
    while start < batch.rowCount {
      let room = min(options.rowGroupRowCount - rowsInGroup, checkRowCount - rowsInGroup % checkRowCount)
      let end = min(batch.rowCount, start + room)
      for (column, array) in zip(columns, batch.columns) { try column.append(array, start..<end, using: &context) }
      rowsInGroup += end - start
      rowCount += end - start
      start = end
      if isGroupFull { try closeRowGroup(&context) }
    }
  }

  private var isGroupFull: Bool {
    if rowsInGroup == options.rowGroupRowCount { return true }
    return rowsInGroup % checkRowCount == 0 && heldByteCount >= options.rowGroupByteCount
  }

  /// Compressed bytes of the row group under way that are held until it is full.
  package var heldByteCount: Int { leaves.reduce(0) { $0 + $1.byteCount } }

  private mutating func closeRowGroup(_ context: inout ParquetEncoderContext) throws(ParquetError) {
    var finished: [FinishedChunk] = []
    for column in columns {
      finished += try column.closeChunks(falsePositiveRate: options.bloomFalsePositiveRate, using: &context)
    }
    let byteOffsets = place(finished)
    var group = RowGroupMetadata(
      columns: zip(finished, byteOffsets).map { $0.metadata(at: $1) },
      totalByteCount: finished.reduce(0) { $0 + $1.uncompressedByteCount }, rowCount: rowsInGroup)
    group.sortingColumns = sortingColumns
    group.fileOffset = groupOffset
    group.totalCompressedByteCount = byteOffset - groupOffset
    group.ordinal = rowGroups.count <= Int16.max ? rowGroups.count : nil
    rowGroups.append(group)
    bloomFilters.append(EncodedIndexes(finished.map { $0.bloomFilter?.encoded() }))
    columnIndexes.append(EncodedIndexes(finished.map { $0.columnIndex?.encoded() }))
    offsetIndexes.append(EncodedIndexes(zip(finished, byteOffsets).map { $0.offsetIndex(at: $1).encoded() }))
    rowsInGroup = 0
    groupOffset = byteOffset
  }

  /// Writes the chunks in the schema's order; answers where each begins.
  ///
  /// The first column's chunk must come first: parquet-mr tells by its offset which split of a file a row group is in.
  private mutating func place(_ finished: [FinishedChunk]) -> [Int] {
    finished.map { chunk in
      let start = byteOffset
      flush(chunk.buffers)
      return start
    }
  }

  // MARK: Bytes

  private mutating func flush(_ buffers: [Buffer]) {
    for buffer in buffers { flush(buffer) }
  }

  private mutating func flush(_ buffer: Buffer) {
    output.append(buffer)
    byteOffset += buffer.byteCount
  }

  /// The file's bytes since the last call, in order.
  package mutating func takeBytes() -> [Buffer] {
    defer { output = [] }
    return output
  }

  /// Completes the file.
  package consuming func finish(using context: inout ParquetEncoderContext) throws(ParquetError) -> ParquetFileSummary {
    if rowsInGroup > 0 { try closeRowGroup(&context) }
    writeIndexes()
    var metadata = FileMetadata(schema: schema.elements, rowCount: rowCount, rowGroups: rowGroups)
    metadata.keyValues = keyValues
    metadata.createdBy = options.createdBy
    metadata.columnOrders = schema.leaves.map { _ in true }
    let footer = metadata.encoded()
    flush(footer)
    var tail = BufferBuilder(capacity: 8)
    tail.append(UInt32(footer.byteCount))
    tail.append(utf8: "PAR1")
    flush(tail.finish())
    return ParquetFileSummary(bytes: output, byteCount: byteOffset, metadata: metadata)
  }

  private mutating func writeIndexes() {
    write(bloomFilters) { chunk, byteOffset, byteCount in
      chunk.metadata?.bloomFilterOffset = byteOffset
      chunk.metadata?.bloomFilterByteCount = byteCount
    }
    write(columnIndexes) { chunk, byteOffset, byteCount in
      (chunk.columnIndexOffset, chunk.columnIndexByteCount) = (byteOffset, byteCount)
    }
    write(offsetIndexes) { chunk, byteOffset, byteCount in
      (chunk.offsetIndexOffset, chunk.offsetIndexByteCount) = (byteOffset, byteCount)
    }
  }

  /// - Parameter note: notes in a chunk's metadata where its index lies.
  private mutating func write(
    _ indexes: [EncodedIndexes], _ note: (inout ColumnChunkMetadata, _ byteOffset: Int, _ byteCount: Int) -> Void
  ) {
    for (group, indexes) in indexes.enumerated() {
      var start = byteOffset
      for (column, byteCount) in indexes.byteCounts.enumerated() where byteCount > 0 {
        note(&rowGroups[group].columns[column], start, byteCount)
        start += byteCount
      }
      flush(indexes.bytes)
    }
  }
}

/// Indexes of one kind of a row group's chunks, as they are written. Decoded, with a small buffer for each bound, they would
/// take ten times as much, which in a file of many row groups is more than all else.
private struct EncodedIndexes {
  let bytes: Buffer
  /// By column; 0 for one that has none.
  let byteCounts: [Int]

  /// - Parameter indexes: by column.
  init(_ indexes: [Buffer?]) {
    byteCounts = indexes.map { $0?.byteCount ?? 0 }
    var joined = BufferBuilder(capacity: byteCounts.reduce(0, +))
    for index in indexes { if let index { joined.append(index) } }
    bytes = joined.finish()
  }
}

/// A complete file: its last bytes and what its footer says.
package struct ParquetFileSummary: Sendable {
  /// The bytes since `takeBytes()` was last called.
  package let bytes: [Buffer]
  /// Of the whole file.
  package let byteCount: Int
  package let metadata: FileMetadata
}

extension Schema {
  /// The fields as they are stored under `options`.
  fileprivate func stored(_ options: ParquetWriterOptions) -> Schema {
    var schema = self
    for index in schema.fields.indices where options.columns[schema.fields[index].name]?.storesMilliseconds == true {
      if case .timestamp(.micro, let zone) = schema.fields[index].type {
        schema.fields[index].type = .timestamp(.milli, zone: zone)
      }
    }
    return schema
  }
}

extension DataType {
  /// The types of the leaves, depth first.
  fileprivate var leafTypes: [DataType] {
    switch valueType {
    case .list(let element), .fixedSizeList(let element, _), .map(let element, _): element.type.leafTypes
    case .structure(let fields): fields.flatMap { $0.type.leafTypes }
    case let type: [type]
    }
  }
}
