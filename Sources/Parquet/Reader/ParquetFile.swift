import Arrow
import Buffers

//     file   ::= "PAR1", column chunks and indexes, footer
//     footer ::= FileMetaData, its byte count: u32, "PAR1"

/// What the footer of a file says, checked against its schema and size.
///
/// A file is opened in two steps, whoever does the reading: `tailRange`, then `footerRange` in the tail's bytes, which
/// may reach further back.
package struct ParquetFile: Sendable {
  package let metadata: FileMetadata
  package let schema: ParquetSchema
  package let byteCount: Int
  private let footerByteCount: Int
  /// By row group and leaf.
  private let chunks: [[Result<Chunk, ParquetError>]]

  private static let magic: UInt32 = 0x3152_4150  // "PAR1"
  private static let encryptedMagic: UInt32 = 0x4552_4150  // "PARE"
  /// Enough for most footers.
  private static let tailByteCount = 64 << 10

  /// The bytes to read first.
  package static func tailRange(byteCount: Int) -> Range<Int> { max(0, byteCount - tailByteCount)..<byteCount }

  /// The bytes of the footer's metadata.
  /// - Parameter tail: the file's last bytes, 8 or more unless the file is shorter.
  /// - Throws: `.notParquet`, `.encrypted`, `.truncated`.
  package static func footerRange(tail: Buffer, byteCount: Int) throws(ParquetError) -> Range<Int> {
    guard tail.byteCount >= 8, byteCount >= 12 else { throw ParquetError(.notParquet) }
    let end = tail.slice(tail.byteCount - 8..<tail.byteCount)
    let mark = end.load(1, as: UInt32.self)
    guard mark != encryptedMagic else { throw ParquetError(.encrypted) }
    guard mark == magic else { throw ParquetError(.notParquet) }
    let size = Int(end.load(0, as: UInt32.self))
    guard size <= byteCount - 12 else {
      throw ParquetError(.truncated("footer", needed: size + 12, available: byteCount), byteOffset: byteCount - 8)
    }
    return byteCount - 8 - size..<byteCount - 8
  }

  /// - Parameters:
  ///   - footer: the bytes of `footerRange`, of which parts are kept.
  ///   - byteCount: of the whole file.
  package init(footer: Buffer, byteCount: Int) throws(ParquetError) {
    do throws(ParquetError) {
      metadata = try FileMetadata(decoding: footer)
    } catch {
      throw error.located(byteOffset: byteCount - 8 - footer.byteCount)
    }
    schema = try ParquetSchema(elements: metadata.schema)
    self.byteCount = byteCount
    footerByteCount = footer.byteCount
    for group in metadata.rowGroups { try Self.check(group, schema) }
    chunks = Self.chunks(metadata, schema, byteCount: byteCount)
  }

  /// Opens the file that `source` reads.
  package init(_ source: some ByteSource) throws {
    let tailRange = Self.tailRange(byteCount: source.byteCount)
    let tail = try source.read(tailRange)
    let range = try Self.footerRange(tail: tail, byteCount: source.byteCount)
    let isInTail = range.lowerBound >= tailRange.lowerBound
    let start = range.lowerBound - tailRange.lowerBound
    // A copy, for what is kept of it would keep all of the tail.
    let footer = isInTail ? Buffer(copying: tail.slice(start..<start + range.count).bytes) : try source.read(range)
    try self.init(footer: footer, byteCount: source.byteCount)
  }

  private static func check(_ group: RowGroupMetadata, _ schema: ParquetSchema) throws(ParquetError) {
    guard group.columns.count == schema.leaves.count else {
      throw ParquetError(
        .countMismatch("column chunks in a row group", expected: schema.leaves.count, actual: group.columns.count))
    }
    for (leaf, chunk) in zip(schema.leaves, group.columns) {
      guard let column = chunk.metadata else { continue }
      guard column.physicalType == leaf.physicalType else {
        throw ParquetError(
          .malformed("column chunk of type \(column.physicalType) in a column of type \(leaf.physicalType)"),
          column: leaf.name)
      }
    }
  }

  // MARK: Rows and columns

  package var rowCount: Int { metadata.rowCount }

  package var rowGroupCount: Int { metadata.rowGroups.count }

  /// What it takes in memory, about.
  package var memoryByteCount: Int {
    let perChunk = MemoryLayout<ColumnChunkMetadata>.stride + MemoryLayout<Result<Chunk, ParquetError>>.stride
    let lists = 4 * 48  // encodings, path, histograms
    return footerByteCount + rowGroupCount * schema.leaves.count * (perChunk + lists) + schema.leaves.count * 512
  }

  /// The schema of the batches that are read.
  /// - Parameter columns: of the table; nil for all.
  package func arrowSchema(columns: [Int]? = nil, options: ReadOptions = ReadOptions()) -> Schema {
    let columns = columns ?? Array(schema.columns.indices)
    var entries: [String: String] = [:]
    for entry in metadata.keyValues where entry.key != "ARROW:schema" { entries[entry.key] = entry.value ?? "" }
    return Schema(columns.map { field($0, options) }, metadata: entries)
  }

  private func field(_ column: Int, _ options: ReadOptions) -> Field {
    var field = schema.columns[column].field
    if isDictionary(column, options) {
      field.type = .dictionary(index: .int32, value: field.type, isOrdered: false)
    }
    return field
  }

  /// Whether a column is returned as a dictionary array.
  func isDictionary(_ column: Int, _ options: ReadOptions) -> Bool {
    let field = schema.columns[column].field
    return (field.type == .utf8 || field.type == .binary) && options.dictionaryColumns.contains(field.name)
  }

  // MARK: Column chunks

  /// What reading a column chunk needs to know of it.
  struct Chunk: Sendable {
    /// Where its pages lie, its dictionary page first.
    var range: Range<Int>
    var codec: CompressionCodec
    /// Values in its pages, nulls included.
    var valueCount: Int
    /// Values per row, rounded up.
    var slotsPerRow: Int
  }

  /// - Throws: `.encrypted`, `.unsupportedCodec`, `.unsupported` for chunks in other files, `.truncated` for one that
  ///   does not lie inside the file.
  func chunk(rowGroup: Int, leaf: Int) throws(ParquetError) -> Chunk { try chunks[rowGroup][leaf].get() }

  /// Where a column chunk's pages lie, its dictionary page first.
  package func chunkRange(rowGroup: Int, leaf: Int) throws(ParquetError) -> Range<Int> {
    try chunk(rowGroup: rowGroup, leaf: leaf).range
  }

  private static func chunks(
    _ metadata: FileMetadata, _ schema: ParquetSchema, byteCount: Int
  ) -> [[Result<Chunk, ParquetError>]] {
    let padding = hasShortChunks(metadata) ? 100 : 0
    return metadata.rowGroups.map { group in
      zip(group.columns, schema.leaves).map { column, leaf in
        do throws(ParquetError) {
          return .success(try chunk(column, rowCount: group.rowCount, byteCount: byteCount, padding: padding))
        } catch {
          return .failure(error.located(column: leaf.name))
        }
      }
    }
  }

  private static func chunk(
    _ column: ColumnChunkMetadata, rowCount: Int, byteCount: Int, padding: Int
  ) throws(ParquetError) -> Chunk {
    guard !column.isEncrypted, let metadata = column.metadata else { throw ParquetError(.encrypted) }
    guard column.filePath?.isEmpty ?? true else { throw ParquetError(.unsupported("a column chunk in another file")) }
    guard metadata.codec.isSupported else { throw ParquetError(.unsupportedCodec(metadata.codec.name)) }
    var start = metadata.dataPageOffset
    if let dictionary = metadata.dictionaryPageOffset, dictionary > 0 { start = min(start, dictionary) }
    let (end, overflow) = start.addingReportingOverflow(metadata.totalCompressedByteCount)
    guard !overflow, end <= byteCount else {
      throw ParquetError(
        .truncated("column chunk", needed: metadata.totalCompressedByteCount, available: max(0, byteCount - start)),
        byteOffset: start)
    }
    let slotsPerRow = rowCount > 0 ? metadata.valueCount / rowCount + 1 : 1
    return Chunk(
      range: start..<min(end + padding, byteCount), codec: metadata.codec, valueCount: metadata.valueCount,
      slotsPerRow: min(slotsPerRow, 1 << 20))
  }

  /// Whether the writer left a page header out of a chunk's size, as parquet-mr did before 1.2.9.
  /// - Source: PARQUET-816.
  private static func hasShortChunks(_ metadata: FileMetadata) -> Bool {
    guard let writer = metadata.createdBy, writer.hasPrefix("parquet-mr") else { return false }
    let version = writer.split(separator: " ").dropFirst(2).first ?? "0"
    let parts = version.split { !$0.isNumber }.prefix(3).map { Int($0) ?? 0 }
    return parts.lexicographicallyPrecedes([1, 2, 9])
  }
}
