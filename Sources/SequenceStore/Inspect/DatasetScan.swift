import Arrow
import ArrowKernels
import Buffers
import Definitions
import DeltaLog
import Engine
import Parquet

/// Reads a dataset's events back, the oldest bucket first: what `seq-store cat` writes.
///
/// Each event is given out once, unless rows of it lie in different buckets: the highest revision, without those that a
/// retraction took back.
package struct DatasetScan {
  /// The system columns and the wanted ones, marked as events; `seq.order` is `user` where all come in order.
  package let schema: Schema
  private let rows: TableRows
  /// The oldest first; files of a group share days, and are merged.
  private let groups: [BucketGroup<StoreFile>]
  private let range: DayRange
  private let retractions: RetractionIndex
  private let knownAtMicros: Int64?

  /// - Parameters:
  ///   - columns: names of columns beside the system columns; nil for all.
  ///   - knownAtMicros: only rows that had arrived by then count, and only what they took back is gone.
  /// - Throws: `.noSuchDataset`, `.noSuchColumn`.
  package init(
    _ snapshot: StoreSnapshot, dataset name: String, range: DayRange = .all, columns: [String]? = nil,
    knownAtMicros: Int64? = nil
  ) throws(StoreError) {
    guard let dataset = snapshot.datasets[name], let delta = dataset.delta else {
      throw .noSuchDataset(name, known: try snapshot.store.datasetNames())
    }
    self.range = range
    self.knownAtMicros = knownAtMicros
    groups = dataset.groups.filter { range.overlaps($0.days) }.reversed()
    retractions =
      knownAtMicros.map { known in dataset.retractions.filter { $0 <= known } } ?? dataset.retractions
    let layout = try TableLayout(of: delta, dataset: name, table: "datasets/\(name)")
    let features = layout.definedSchema.fields.filter { !Self.isSystem($0.name) }
    for column in columns ?? [] where !features.contains(where: { $0.name == column }) {
      throw .noSuchColumn(column, dataset: name, known: features.map(\.name))
    }
    let wanted = columns.map { names in names.compactMap { name in features.first { $0.name == name } } } ?? features
    // Where rows of one event may have to be chosen from, all columns take part in that.
    let read = groups.allSatisfy { $0.files.count == 1 } ? wanted : features
    rows = TableRows(layout, of: delta, in: snapshot.store, columns: read.map(\.name), areMarked: true)
    var isSorted = groups.count == 1
    if isSorted, groups[0].files.count == 1 { isSorted = try groups[0].files[0].isSorted() }
    schema = Schema(
      SystemColumns.fields(userType: delta.schema[SystemColumns.user]?.type ?? .int64) + wanted,
      metadata: [
        MetadataKey.kind: "event", MetadataKey.dataset: name, MetadataKey.order: isSorted ? "user" : "none",
      ])
  }

  private static func isSystem(_ name: String) -> Bool {
    SystemColumns.fields(userType: .int64).contains { $0.name == name }
  }

  /// Calls `body` with the events.
  ///
  /// - Parameter limit: the most rows of a batch where one file has all of its days; batches of merged files are smaller.
  package func forEachBatch(limit: Int = 1 << 16, _ body: (RecordBatch) throws -> Void) throws {
    for group in groups {
      if group.files.count > 1 {
        _ = try rows.merge(group.files, choosing: choose) { try body(conformed($0)) }
      } else {
        let reader = try rows.reader(group.files[0], batchRowCount: limit, choosing: choose)
        while let batch = try reader.next() { try body(conformed(batch)) }
      }
    }
  }

  private func choose(_ batch: RecordBatch) -> Bitmap? {
    let choices = [retractions.valid(among: batch), known(batch), inRange(batch)].compactMap(\.self)
    return choices.dropFirst().reduce(choices.first) { $0?.and($1) }
  }

  private func known(_ batch: RecordBatch) -> Bitmap? {
    guard let knownAtMicros, let seen = batch[SystemColumns.seenAt]?.values else { return nil }
    return Bitmap((0..<batch.rowCount).map { seen.load($0, as: Int64.self) <= knownAtMicros })
  }

  private func inRange(_ batch: RecordBatch) -> Bitmap? {
    guard range != .all, let times = batch[SystemColumns.ts]?.values else { return nil }
    return Bitmap((0..<batch.rowCount).map { range.contains(Day(micros: times.load($0, as: Int64.self))) })
  }

  private func conformed(_ batch: RecordBatch) throws(StoreError) -> RecordBatch {
    var columns: [ArrowArray] = []
    for field in schema.fields {
      guard let column = batch[field.name] else {
        columns.append(ArrowArray(nulls: field.type, count: batch.rowCount))
        continue
      }
      do { columns.append(try column.conformed(to: field.type, column: field.name)) } catch { throw .delta(error) }
    }
    return RecordBatch(schema, columns, rowCount: batch.rowCount)
  }
}
