import Arrow
import ArrowKernels
import Buffers
import Definitions
import DeltaLog
import Parquet

/// Which of a file's rows are wanted; nil: all of them.
typealias RowChoice = (RecordBatch) -> Bitmap?

/// Reads a data file as events with all columns of its table, a batch at a time.
final class EventFileRows: RunBatches {
  private let path: String
  private let schema: Schema
  private let stored: ParquetSchema
  private let derived: DerivedColumns
  private let choice: RowChoice
  private let bytes: DataFileBytes
  private let projection: ReadProjection
  private let batchRowCount: Int
  /// Row groups that are still to be read.
  private var groups: ArraySlice<Int>
  private var decoder: RowGroupDecoder?
  private var pages = PageDecoder()

  /// - Parameters:
  ///   - schema: the columns wanted; the event type comes as a dictionary.
  ///   - derived: the table's columns that readers derive.
  ///   - groups: the row groups to read; nil for all.
  init(
    _ file: StoreFile, _ schema: Schema, deriving derived: DerivedColumns, batchRowCount: Int, groups: [Int]? = nil,
    choosing choice: @escaping RowChoice
  ) throws(StoreError) {
    let opened = try file.open()
    path = file.path
    self.schema = schema
    self.derived = derived
    self.choice = choice
    self.batchRowCount = batchRowCount
    bytes = opened.bytes
    self.groups = (groups ?? Array(0..<opened.file.rowGroupCount))[...]
    stored = opened.file.schema
    var options = ReadOptions()
    options.dictionaryColumns = [SystemColumns.eventType]
    let names = derived.sources(of: schema.fields.map(\.name), in: stored)
    projection = ReadProjection(
      opened.file, columns: names.compactMap { opened.file.schema.columnIndex(of: $0) }, options: options)
  }

  func next() throws(AssemblyError) -> RecordBatch? {
    do throws(StoreError) {
      while let batch = try nextStored() {
        let events = try events(batch)
        let chosen = choice(events).map { events.filter($0) } ?? events
        if chosen.rowCount > 0 { return chosen }
      }
      return nil
    } catch { throw .dataFile(path: path, what: "\(error)") }
  }

  private func nextStored() throws(StoreError) -> RecordBatch? {
    do {
      while let group = groups.first {
        if decoder == nil { decoder = try open(group) }
        if let batch = try decoder?.next(batchRowCount, &pages) { return batch }
        decoder = nil
        groups.removeFirst()
      }
      return nil
    } catch let error as ParquetError {
      throw .parquet(error)
    } catch { throw StoreError(error, at: path) }
  }

  /// Reads what the columns have of a row group, which the store's own files make small.
  private func open(_ group: Int) throws -> RowGroupDecoder {
    let plan = try projection.plan(rowGroup: group, rows: nil, pages: nil)
    return try RowGroupDecoder(plan, bytes: try bytes.read(plan.ranges))
  }

  /// The rows under the wanted columns: as they are stored, derived, or null.
  private func events(_ batch: RecordBatch) throws(StoreError) -> RecordBatch {
    var columns: [ArrowArray] = []
    for field in schema.fields {
      if let column = derived.column(field.name, of: batch, in: stored) {
        do {
          columns.append(
            field.name == SystemColumns.eventType
              ? column.dictionaryEncoded() ?? column : try column.conformed(to: field.type, column: field.name))
        } catch { throw .delta(error) }
      } else if field.name == SystemColumns.retracted {
        let none = Bitmap(repeating: false, count: batch.rowCount)
        columns.append(ArrowArray(.boolean, count: batch.rowCount, storage: .boolean(none)))
      } else {
        columns.append(ArrowArray(nulls: field.type, count: batch.rowCount))
      }
    }
    for (field, column) in zip(schema.fields, columns) where !field.isNullable && column.nullCount > 0 {
      throw .damaged(path: path, what: "column '\(field.name)' has nulls")
    }
    return RecordBatch(schema, columns, rowCount: batch.rowCount)
  }
}

extension StoreFile {
  /// How many events of which type it has.
  func eventTypes() throws(StoreError) -> [String: Int] {
    var counts: [String: Int] = [:]
    let rows = try EventFileRows(
      self, Schema([EventFileRows.eventType]), deriving: DerivedColumns(), batchRowCount: 1 << 16,
      choosing: { _ in nil })
    do {
      while let batch = try rows.next() {
        guard case .dictionary(_, let values) = batch.columns[0].storage else { continue }
        var byIndex = [Int](repeating: 0, count: values.count)
        for row in 0..<batch.rowCount { byIndex[batch.columns[0].dictionaryIndex(row)] += 1 }
        for (index, count) in byIndex.enumerated() where count > 0 { counts[values.string(index), default: 0] += count }
      }
    } catch { throw .assembly(error) }
    return counts
  }
}

extension EventFileRows {
  /// The event type as these rows have it.
  static let eventType = Field(SystemColumns.eventType, .textDictionary, isNullable: false)
}
