import Arrow
import ArrowKernels
import Buffers
import Definitions
import DeltaLog
import Engine
import Parquet

/// Reads a dataset's events back, a bucket after the other: what `seq-store cat` writes.
package struct DatasetScan {
  /// The system columns and the wanted ones, marked as events; `seq.order` is `user` for a single file alone.
  package let schema: Schema
  private let dataset: DatasetSnapshot
  private let files: [StoreFile]

  /// - Parameter columns: names of columns beside the system columns; nil for all.
  /// - Throws: `.noSuchDataset`, `.noSuchColumn`.
  package init(
    _ snapshot: StoreSnapshot, dataset name: String, range: DayRange = .all, columns: [String]? = nil
  ) throws(StoreError) {
    guard let dataset = snapshot.datasets[name], let delta = dataset.delta else {
      throw .noSuchDataset(name, known: try snapshot.store.datasetNames())
    }
    self.dataset = dataset
    let buckets = dataset.buckets.filter { range.overlaps($0.bucket.days) }.reversed()
    files = buckets.flatMap { $0.files.sorted { $0.path < $1.path } }
    let features = delta.schema.fields.filter { !Self.isOwn($0.name) }
    for column in columns ?? [] where !features.contains(where: { $0.name == column }) {
      throw .noSuchColumn(column, dataset: name, known: features.map(\.name))
    }
    let wanted = columns.map { names in names.compactMap { name in features.first { $0.name == name } } } ?? features
    let user = delta.schema[SystemColumns.user]?.type ?? .int64
    var isSorted = files.count == 1
    for file in files where isSorted { isSorted = try file.open().groups.allSatisfy(\.isSorted) }
    schema = Schema(
      SystemColumns.fields(userType: user) + wanted.map { Field($0.name, Self.definedType($0)) },
      metadata: [
        MetadataKey.kind: "event", MetadataKey.dataset: name, MetadataKey.order: isSorted ? "user" : "none",
      ])
  }

  private static func isOwn(_ name: String) -> Bool {
    SystemColumns.fields(userType: .int64).contains { $0.name == name } || PartitionColumns.names.contains(name)
  }

  /// The type that the definitions gave the column.
  private static func definedType(_ field: Field) -> DataType {
    field.metadata[TableLayout.definedType].flatMap { DataType(text: $0) } ?? field.type
  }

  /// Calls `body` with the events, without those that a retraction took back.
  package func forEachBatch(limit: Int = 1 << 16, _ body: (RecordBatch) throws -> Void) throws {
    for file in files {
      do {
        let reader = try ParquetReader(try file.open().bytes)
        let names = dataset.derived.sources(of: schema.fields.map(\.name), in: reader.file.schema)
        let places = names.compactMap { reader.file.schema.columnIndex(of: $0) }
        try reader.forEachBatch(columns: places, limit: limit) { batch in
          let events = try events(batch, file, reader.file.schema)
          let kept = dataset.retractions.isEmpty ? events : events.filter(try notRetracted(events, file))
          if kept.rowCount > 0 { try body(kept) }
        }
      } catch let error as ParquetError {
        throw StoreError.parquet(error.located(file: file.path))
      }
    }
  }

  private func events(
    _ batch: RecordBatch, _ file: StoreFile, _ stored: ParquetSchema
  ) throws(StoreError) -> RecordBatch {
    var columns: [ArrowArray] = []
    for field in schema.fields {
      if field.name == SystemColumns.retracted {
        let bits = Bitmap(repeating: false, count: batch.rowCount)
        columns.append(ArrowArray(.boolean, count: batch.rowCount, storage: .boolean(bits)))
      } else if let column = dataset.derived.column(field.name, of: batch, in: stored) {
        do {
          columns.append(try column.conformed(to: field.type, column: field.name))
        } catch { throw StoreError(error, at: file.path) }
      } else {
        columns.append(ArrowArray(nulls: field.type, count: batch.rowCount))
      }
    }
    return RecordBatch(schema, columns, rowCount: batch.rowCount)
  }

  private func notRetracted(_ events: RecordBatch, _ file: StoreFile) throws(StoreError) -> Bitmap {
    guard let user = events[SystemColumns.user], let types = events[SystemColumns.eventType],
      let keys = events[SystemColumns.eventKey], let revisions = events[SystemColumns.revision]
    else { throw .damaged(path: file.path, what: "a system column is missing") }
    return Bitmap(
      (0..<events.rowCount).map { row in
        !dataset.retractions[UserID(user, row)].contains { gone in
          gone.eventKey == keys.values.load(row, as: Int64.self)
            && gone.revision > revisions.values.load(row, as: Int32.self) && gone.eventType == types.string(row)
        }
      })
  }
}
