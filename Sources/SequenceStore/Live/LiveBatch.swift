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
