import Arrow
import Buffers
import Definitions
import DeltaLog
import Parquet

/// Rows of a warehouse table that a worker can read by itself.
package struct TableRows: Sendable {
  enum Part: Sendable {
    case rowGroup(Int, of: TableFile)
    /// A file of a Delta table, as the table has it: with its partition's values.
    case deltaFile(AddFile, DeltaTable, Snapshot)
  }

  var part: Part

  /// The file that holds the rows.
  var path: String {
    switch part {
    case .rowGroup(_, let file): file.path
    case .deltaFile(let file, let table, _): table.location(of: file)
    }
  }

  /// As many rows become text at once: a batch's, and few enough that memory stays bounded.
  private static let batchRowCount = 1 << 14

  /// Calls `body` with the rows and how many of the file came before them.
  ///
  /// - Parameter fields: of the source: only columns that one of them reads are read.
  func forEachBatch(_ fields: [SourceField], _ body: (RecordBatch, _ rowsBefore: Int) throws -> Void) throws {
    switch part {
    case .rowGroup(let group, let file):
      try file.forEachBatch(group, limit: Self.batchRowCount, fields, body)
    case .deltaFile(let file, let table, let snapshot):
      let columns = snapshot.schema.fields.map(\.name).filter { fields.read($0) }
      var rowsBefore = 0
      try table.forEachBatch(of: file, in: snapshot, columns: columns, limit: Self.batchRowCount) { batch in
        try body(batch, rowsBefore)
        rowsBefore += batch.rowCount
      }
    }
  }
}

/// A Parquet file whose footer was read.
final class TableFile: Sendable {
  let path: String
  let bytes: Buffer
  let file: ParquetFile

  init(_ path: String) throws {
    self.path = path
    bytes = try MappedFile.open(path)
    do { file = try ParquetFile(bytes) } catch let error as ParquetError { throw FileError(path: path, error: error) }
  }

  /// The file's parts, one for each row group.
  var parts: [TableRows] { (0..<file.rowGroupCount).map { TableRows(part: .rowGroup($0, of: self)) } }

  func forEachBatch(
    _ group: Int, limit: Int, _ fields: [SourceField], _ body: (RecordBatch, _ rowsBefore: Int) throws -> Void
  ) throws {
    let columns = file.schema.columns.indices.filter { fields.read(file.schema.columns[$0].field.name) }
    let projection = ReadProjection(file, columns: columns)
    var rowsBefore = file.metadata.rowGroups[..<group].reduce(0) { $0 + $1.rowCount }
    if columns.isEmpty {
      // Not one declared field: every row lacks those that are required.
      return try body(RecordBatch(Schema([]), [], rowCount: file.metadata.rowGroups[group].rowCount), rowsBefore)
    }
    do {
      let plan = try projection.plan(rowGroup: group)
      let decoder = try RowGroupDecoder(plan, bytes: plan.ranges.map { bytes.slice($0) })
      var pages = PageDecoder()
      while let batch = try decoder.next(limit, &pages) {
        try body(batch, rowsBefore)
        rowsBefore += batch.rowCount
      }
    } catch let error as ParquetError {
      throw FileError(path: path, error: error)
    }
  }
}

extension [SourceField] {
  /// Whether a field lies in the table's column of that name.
  func read(_ column: String) -> Bool {
    contains { field in
      let path = field.path.columnName
      return path == column || path.hasPrefix(column + ".")
    }
  }
}
