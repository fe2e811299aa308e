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
    let projection = ReadProjection(file, columns: columns, options: options)
    let group = try open(projection, rowGroup: rowGroup, rows: rows, pages: pages)
    if let batch = try group.next(.max, &decoder) { return batch }
    let none = projection.schema.fields.map { ArrowArray(nulls: $0.type, count: 0) }
    return RecordBatch(projection.schema, none, rowCount: 0)
  }

  private func open(
    _ projection: ReadProjection, rowGroup: Int, rows: Range<Int>? = nil, pages: RowGroupPageIndex? = nil
  ) throws -> RowGroupDecoder {
    let plan = try projection.plan(rowGroup: rowGroup, rows: rows, pages: pages)
    return try RowGroupDecoder(plan, bytes: try plan.ranges.map { try source.read($0) })
  }

  /// Calls `body` with all rows of the file in order, `limit` at a time at most.
  package func forEachBatch(
    columns: [Int]? = nil, limit: Int = 1 << 16, _ body: (RecordBatch) throws -> Void
  ) throws {
    let projection = ReadProjection(file, columns: columns, options: options)
    for rowGroup in 0..<file.rowGroupCount {
      let group = try open(projection, rowGroup: rowGroup)
      while let batch = try group.next(limit, &decoder) { try body(batch) }
    }
  }
}
