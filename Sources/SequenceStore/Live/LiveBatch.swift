import Arrow
import ArrowKernels
import Buffers
import Definitions
import Engine

/// Rows of one frame of a live log, looked at as far as that needs no lock.
struct LiveBatch: Sendable {
  let dataset: String
  /// The system columns have the types that all events have; a user's key is no dictionary.
  let batch: RecordBatch
  /// The hash of each row's user, UInt64 each.
  let users: Buffer
  /// When each row's event happened, in seconds since 1970, UInt32 each, the nearest that there is.
  let seconds: Buffer
  let newestSeconds: UInt32
  /// Rows that correct others or take them back.
  let corrections: [Int32]
  /// When the newest event of each type was seen, in microseconds.
  let newestSeen: [(eventType: String, micros: Int64)]

  /// - Throws: `.notEvents`, or `.unknownEventType` when neither the batch nor `dataset` says where it belongs.
  init(_ batch: RecordBatch, dataset: (_ eventType: String) -> String?) throws(StoreError) {
    self.dataset = try Self.dataset(of: batch, dataset)
    self.batch = try Self.checked(batch)
    users = self.batch.columns[self.batch.schema.index(of: SystemColumns.user)!].hashes()
    var newest = NewestEvents()
    newest.add(self.batch)
    newestSeen = newest.eventTypes.map { ($0, $1.seenAt) }
    (seconds, newestSeconds) = Self.seconds(of: self.batch)
    corrections = Self.corrections(in: self.batch)
  }

  private static func seconds(of batch: RecordBatch) -> (Buffer, newest: UInt32) {
    let times = batch[SystemColumns.ts]!.values.span(of: Int64.self)
    var seconds = BufferBuilder(capacity: batch.rowCount * MemoryLayout<UInt32>.stride)
    var newest: UInt32 = 0
    for row in 0..<batch.rowCount {
      let second = UInt32(clamping: times[row] / 1_000_000)
      seconds.append(second)
      newest = max(newest, second)
    }
    return (seconds.finish(), newest)
  }

  private static func corrections(in batch: RecordBatch) -> [Int32] {
    let revisions = batch[SystemColumns.revision]!.values.span(of: Int32.self)
    let retracted = batch[SystemColumns.retracted]!.bits
    var rows: [Int32] = []
    for row in revisions.indices where revisions[row] > 0 || retracted[row] { rows.append(Int32(row)) }
    return rows
  }

  private static func dataset(
    of batch: RecordBatch, _ dataset: (String) -> String?
  ) throws(StoreError) -> String {
    if let name = batch.schema.metadata[MetadataKey.dataset] { return name }
    guard let eventType = batch.schema.metadata[MetadataKey.eventType] else {
      throw .notEvents(column: MetadataKey.dataset, found: nil)
    }
    guard let name = dataset(eventType) else { throw .unknownEventType(eventType) }
    return name
  }

  private static func checked(_ batch: RecordBatch) throws(StoreError) -> RecordBatch {
    guard let users = batch[SystemColumns.user] else { throw .notEvents(column: SystemColumns.user, found: nil) }
    for field in SystemColumns.fields(userType: users.type.valueType == .utf8 ? .utf8 : .int64) {
      guard let column = batch[field.name] else { throw .notEvents(column: field.name, found: nil) }
      guard column.type.valueType == field.type else { throw .notEvents(column: field.name, found: "\(column.type)") }
      guard column.nullCount == 0 else { throw .notEvents(column: field.name, found: "null in some rows") }
    }
    guard users.type.valueType != users.type else { return batch }
    let index = batch.schema.index(of: SystemColumns.user)!
    var (schema, columns) = (batch.schema, batch.columns)
    columns[index] = users.decoded()
    schema.fields[index].type = columns[index].type
    return RecordBatch(schema, columns, rowCount: batch.rowCount)
  }
}
