import Arrow
import Buffers
import Parquet

extension DeltaTable {
  /// Calls `body` with the rows of one data file as the table has them: its columns in order, those that the file lacks
  /// null, the partition columns filled in.
  ///
  /// - Parameters:
  ///   - columns: names of the table's columns; nil for all.
  ///   - limit: rows per batch, at most.
  /// - Throws: `DeltaError`, or what `body` throws.
  package func forEachBatch(
    of file: AddFile, in snapshot: Snapshot, columns: [String]? = nil, limit: Int = 1 << 16,
    _ body: (RecordBatch) throws -> Void
  ) throws {
    let fields = try snapshot.fields(columns)
    let place = location(of: file)
    do {
      let reader = try ParquetReader(try MappedFile.open(place))
      let found = fields.map { snapshot.isPartition($0) ? nil : reader.file.schema.column(named: $0.name) }
      try reader.forEachBatch(columns: found.compactMap(\.self), limit: limit) { batch in
        try body(try file.tableBatch(fields, found, batch))
      }
    } catch let error as ParquetError {
      throw DeltaError(.parquet("\(error)"), place: place)
    } catch let error as DeltaError {
      throw error.place.hasPrefix(place) ? error : error.within(place)
    }
  }

  /// All rows, a batch or more per file, in the order of the files' paths.
  package func batches(of snapshot: Snapshot, columns: [String]? = nil) throws -> [RecordBatch] {
    var batches: [RecordBatch] = []
    for file in snapshot.files {
      try forEachBatch(of: file, in: snapshot, columns: columns) { batches.append($0) }
    }
    return batches
  }
}

extension Snapshot {
  /// The fields of those names; nil stands for all.
  /// - Throws: `.malformed` for a column that the table has not got.
  package func fields(_ columns: [String]?) throws(DeltaError) -> [Field] {
    guard let columns else { return schema.fields }
    var fields: [Field] = []
    for name in columns {
      guard let field = schema[name] else { throw DeltaError(.malformed("the table has no column '\(name)'")) }
      fields.append(field)
    }
    return fields
  }

  func isPartition(_ field: Field) -> Bool { metadata.partitionColumns.contains(field.name) }
}

extension ParquetSchema {
  /// The column of that name, whatever its case, if none has just that one.
  fileprivate func column(named name: String) -> Int? {
    columnIndex(of: name) ?? columns.firstIndex { $0.field.name.lowercased() == name.lowercased() }
  }
}

extension AddFile {
  /// `batch`, read from this file, with the table's `fields`.
  /// - Parameter found: per field its column in the file, of which `batch` has those that are there, in order.
  fileprivate func tableBatch(_ fields: [Field], _ found: [Int?], _ batch: RecordBatch) throws(DeltaError)
    -> RecordBatch
  {
    var columns: [ArrowArray] = []
    var next = 0
    for (field, column) in zip(fields, found) {
      if column != nil {
        columns.append(try batch.columns[next].conformed(to: field.type, column: field.name))
        next += 1
      } else {
        let value = partitionValues[field.name] ?? nil
        columns.append(try PartitionValue.column(value, field: field, count: batch.rowCount))
      }
    }
    return RecordBatch(Schema(fields), columns, rowCount: batch.rowCount)
  }
}
