import Arrow
import Buffers

/// Reads a whole file, or any part of it, through a source of bytes: one per thread.
package final class ParquetReader<Source: ByteSource> {
  package let source: Source
  package let file: ParquetFile
  package let options: ReadOptions
  private var decoder = PageDecoder()

  package init(_ source: Source, options: ReadOptions = ReadOptions()) throws {
    self.source = source
    self.options = options
    file = try ParquetFile(source)
  }

  /// The schema of the batches.
  package var schema: Schema { file.arrowSchema(options: options) }

  /// The columns of the table of those names.
  /// - Throws: `.invalidSchema` for a name that is not there.
  package func columns(_ names: [String]) throws(ParquetError) -> [Int] {
    var found: [Int] = []
    for name in names {
      guard let column = file.schema.columnIndex(of: name) else {
        throw ParquetError(.invalidSchema("there is no column '\(name)'"))
      }
      found.append(column)
    }
    return found
  }

  /// Some rows of a row group as one batch.
  /// - Parameters:
  ///   - columns: of the table; nil for all.
  ///   - rows: counted from the row group's first; nil for all.
  ///   - pages: the row group's offset indexes, so that only the pages with those rows are read.
  package func read(
    rowGroup: Int, columns: [Int]? = nil, rows: Range<Int>? = nil, pages: RowGroupPageIndex? = nil
  ) throws -> RecordBatch {
    let group = try open(rowGroup: rowGroup, columns: columns, rows: rows, pages: pages)
    let empty = rows?.isEmpty ?? (file.metadata.rowGroups[rowGroup].rowCount == 0)
    if !empty, let batch = try group.next(.max, &decoder) { return batch }
    let schema = file.arrowSchema(columns: columns, options: options)
    return RecordBatch(schema, schema.fields.map { ArrowArray(nulls: $0.type, count: 0) }, rowCount: 0)
  }

  private func open(
    rowGroup: Int, columns: [Int]?, rows: Range<Int>?, pages: RowGroupPageIndex?
  ) throws -> RowGroupDecoder {
    let plan = try file.plan(rowGroup: rowGroup, columns: columns, rows: rows, pages: pages)
    let bytes = try plan.ranges.map { try source.read($0) }
    return try RowGroupDecoder(file, plan, bytes: bytes, options: options)
  }

  /// Calls `body` with all rows of the file in order, `limit` at a time at most.
  package func forEachBatch(
    columns: [Int]? = nil, limit: Int = 1 << 16, _ body: (RecordBatch) throws -> Void
  ) throws {
    for rowGroup in 0..<file.rowGroupCount {
      let group = try open(rowGroup: rowGroup, columns: columns, rows: nil, pages: nil)
      while let batch = try group.next(limit, &decoder) { try body(batch) }
    }
  }
}
