import Arrow
import ArrowKernels
import Buffers
import Definitions
import Engine

/// The columns of one dataset's events, as far as they are known: event types that share a dataset need not have the same.
///
/// Columns are added, never moved. In memory dictionary columns, the event type and text users are codes.
final class EventColumns {
  /// The schema of what comes out: its metadata is what all batches agree on, and the order.
  private(set) var schema: Schema
  /// The same with codes for the values of dictionaries.
  private(set) var codedSchema: Schema
  private(set) var layout: EventLayout
  private(set) var coders: [ColumnCoder?] = []
  /// What stands for a column in rows without it, by its index.
  private var fillers: [Int: ArrowArray] = [:]

  /// - Parameter schema: of the first batch.
  init(_ schema: Schema) throws(AssemblyError) {
    layout = try EventLayout(schema)
    self.schema = Schema([], metadata: schema.metadata)
    codedSchema = Schema([])
    for field in schema.fields { add(field) }
    self.schema.metadata[MetadataKey.order] = "user"
  }

  var byteCount: Int { coders.reduce(0) { $0 + ($1?.byteCount ?? 0) } }

  private func add(_ field: Field) {
    let isCoded = field.name == SystemColumns.eventType || (field.name == SystemColumns.user && field.type == .utf8)
    let coder: ColumnCoder? =
      if case .dictionary = field.type { ColumnCoder(field.type) } else { isCoded ? ColumnCoder(field.type) : nil }
    var (output, coded) = (field, field)
    if let coder { (output.type, coded.type) = (coder.type, ColumnCoder.codeType) }
    schema.fields.append(output)
    codedSchema.fields.append(coded)
    coders.append(coder)
  }

  /// Takes up the columns that a batch adds, and drops metadata that it does not share.
  private func extend(_ other: Schema) throws(AssemblyError) {
    for (key, value) in schema.metadata where key != MetadataKey.order && other.metadata[key] != value {
      schema.metadata[key] = nil
    }
    for var field in other.fields where schema.index(of: field.name) == nil {
      field.isNullable = field.name != SystemColumns.retracted
      add(field)
    }
    layout = try EventLayout(schema)
    for index in schema.fields.indices where !layout.indices.contains(index) {
      if other.index(of: schema.fields[index].name) == nil { schema.fields[index].isNullable = true }
    }
  }

  /// The rows of `batch` as they are kept in memory.
  func encode(_ batch: RecordBatch) throws(AssemblyError) -> RecordBatch {
    if batch.schema != schema {
      _ = try EventLayout(batch.schema)
      try extend(batch.schema)
    }
    var columns: [ArrowArray] = []
    for (index, field) in schema.fields.enumerated() {
      guard let column = batch[field.name] else {
        columns.append(filler(index, count: batch.rowCount))
        continue
      }
      if column.type.valueType != field.type.valueType {
        throw .columnType(field.name, found: column.type, expected: "\(field.type)")
      }
      columns.append(coders[index]?.encode(column) ?? column.decoded())
    }
    for index in layout.indices where batch[schema.fields[index].name]?.nullCount ?? 0 > 0 {
      let column = batch[schema.fields[index].name]!
      let row = (0..<batch.rowCount).first(where: column.isNull) ?? 0
      throw .nullValue(column: schema.fields[index].name, row: row)
    }
    return RecordBatch(codedSchema, columns, rowCount: batch.rowCount)
  }

  /// Rows that were encoded before some of the columns were known.
  func padded(_ coded: RecordBatch) -> RecordBatch {
    if coded.columns.count == codedSchema.fields.count { return coded }
    let missing = coded.columns.count..<codedSchema.fields.count
    return RecordBatch(
      codedSchema, coded.columns + missing.map { filler($0, count: coded.rowCount) }, rowCount: coded.rowCount)
  }

  /// Encoded rows as they are given out.
  func decode(_ coded: RecordBatch) -> RecordBatch {
    let columns = zip(coders, coded.columns).map { coder, column in coder?.decode(column) ?? column }
    return RecordBatch(schema, columns, rowCount: coded.rowCount)
  }

  /// `count` rows of a column that they lack: null, or not retracted. All share one piece of memory.
  private func filler(_ index: Int, count: Int) -> ArrowArray {
    if let known = fillers[index], known.count >= count { return known.slice(0..<count) }
    let type = codedSchema.fields[index].type
    let size = max(count, 1 << 12)
    let made: ArrowArray =
      if coders[index] != nil {
        ArrowArray(ColumnCoder.codeType, count: size, storage: .fixed(Buffer([Int32](repeating: -1, count: size))))
      } else if index == layout.retracted {
        ArrowArray(.boolean, count: size, storage: .boolean(Bitmap(repeating: false, count: size)))
      } else {
        ArrowArray(nulls: type, count: size)
      }
    fillers[index] = made
    return made.slice(0..<count)
  }
}

extension RecordBatch {
  /// These rows under the columns of `schema`, which has all of theirs; those that they lack are null, or not retracted.
  func conformed(to schema: Schema) -> RecordBatch {
    if self.schema == schema { return self }
    let columns = schema.fields.map { field -> ArrowArray in
      if let column = self[field.name] { return column }
      if field.name != SystemColumns.retracted { return ArrowArray(nulls: field.type, count: rowCount) }
      return ArrowArray(.boolean, count: rowCount, storage: .boolean(Bitmap(repeating: false, count: rowCount)))
    }
    return RecordBatch(schema, columns, rowCount: rowCount)
  }
}
