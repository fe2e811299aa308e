import Arrow
import Definitions
import DeltaLog

/// How a dataset's columns lie in its table and in the table's files.
struct TableLayout: Sendable {
  let dataset: String
  /// The table's directory, below the store.
  let table: String
  /// The system columns that the table's files lack, because readers can derive them.
  let derived: DerivedColumns
  /// All columns of the dataset, in the types that the definitions give them.
  let definedSchema: Schema
  /// All columns of the dataset, in types that a Delta table can have.
  let eventSchema: Schema
  /// The files' columns: those that are not derived.
  let fileSchema: Schema
  /// The table's columns: those of the files, then the partition columns.
  let tableSchema: Schema

  /// Field metadata that names a column's type in the definitions where the table's type is another.
  static let definedType = "seq.type"

  /// - Throws: `.unsupportedType`.
  init(_ dataset: DatasetDefinition, deriving derived: DerivedColumns) throws(StoreError) {
    try self.init(dataset.name, "datasets/\(dataset.name)", dataset.schema.fields, derived)
  }

  /// The layout of the events that are gone from a dataset.
  init(retractionsOf dataset: DatasetDefinition) throws(StoreError) {
    try self.init(
      dataset.name, "retractions/\(dataset.name)", SystemColumns.stored(userType: dataset.userType),
      DerivedColumns())
  }

  /// The layout that a table has.
  ///
  /// - Parameter table: its directory, below the store.
  init(of snapshot: Snapshot, dataset: String, table: String) throws(StoreError) {
    var derived = DerivedColumns(of: snapshot.metadata)
    for name in DerivedColumns.names where snapshot.schema[name] != nil { derived[name] = nil }
    let system = SystemColumns.stored(userType: snapshot.schema[SystemColumns.user]?.type ?? .int64)
    let features = snapshot.schema.fields.filter { field in
      !PartitionColumns.names.contains(field.name) && !system.contains { $0.name == field.name }
    }
    let defined = features.map { field in
      let type = field.metadata[Self.definedType].flatMap { DataType(text: $0) }
      return Field(field.name, type ?? field.type, isNullable: field.isNullable)
    }
    try self.init(dataset, table, system + defined, derived)
  }

  /// The layout that the table at `snapshot` gets with the columns of another.
  init(of snapshot: Snapshot, adding layout: TableLayout) throws(StoreError) {
    let stored = try TableLayout(of: snapshot, dataset: layout.dataset, table: layout.table).definedSchema
    let added = layout.definedSchema.fields.filter { stored[$0.name] == nil }
      .map { Field($0.name, $0.type, isNullable: true, metadata: $0.metadata) }
    try self.init(layout.dataset, layout.table, stored.fields + added, layout.derived)
  }

  private init(
    _ dataset: String, _ table: String, _ fields: [Field], _ derived: DerivedColumns
  ) throws(StoreError) {
    self.dataset = dataset
    self.table = table
    self.derived = derived
    var (events, table): ([Field], [Field]) = ([], [])
    for field in fields {
      guard let written = DeltaSchema.stored(as: field.type, keepsFixedSizes: true),
        let stored = DeltaSchema.stored(as: field.type)
      else { throw .unsupportedType(dataset: dataset, column: field.name, type: "\(field.type)") }
      let metadata = stored == field.type ? [:] : [Self.definedType: "\(field.type)"]
      events.append(Field(field.name, written, isNullable: field.isNullable))
      guard derived[field.name] == nil else { continue }
      table.append(Field(field.name, stored, isNullable: field.isNullable, metadata: metadata))
    }
    definedSchema = Schema(fields)
    eventSchema = Schema(events)
    fileSchema = Schema(events.filter { derived[$0.name] == nil })
    tableSchema = Schema(table + PartitionColumns.names.map { Field($0, .utf8) })
  }

  /// The columns that a file's rows are in order of; the event key comes last, as far as it is stored.
  var order: [String] {
    [SystemColumns.user, SystemColumns.ts, SystemColumns.eventType, SystemColumns.eventKey].filter {
      derived[$0] == nil
    }
  }

  /// Whether a file takes a column as it is: of its type, or a dictionary of texts or lists.
  private func isStored(_ type: DataType, as stored: DataType) -> Bool {
    switch stored {
    case .utf8, .binary, .list, .fixedSizeList: type.valueType == stored
    default: type == stored
    }
  }

  /// The metadata of a new table.
  func metadata() throws(DeltaError) -> TableMetadata {
    TableMetadata(
      id: DeltaTable.newID(), name: dataset, schemaString: try DeltaSchema.text(tableSchema),
      partitionColumns: PartitionColumns.names, configuration: derived.configuration,
      createdMillis: DeltaTable.nowMillis())
  }

  /// The columns that the table at `snapshot` lacks.
  /// - Throws: `.columnType` for a column that it has with another type.
  func additions(to snapshot: Snapshot) throws(StoreError) -> [Field] {
    var additions: [Field] = []
    for field in tableSchema.fields {
      guard let existing = snapshot.schema[field.name] else {
        additions.append(Field(field.name, field.type, metadata: field.metadata))
        continue
      }
      guard Self.isSame(existing.type, field.type) else {
        throw .columnType(
          dataset: dataset, column: field.name, found: "\(field.type)", wanted: "\(existing.type)")
      }
    }
    return additions
  }

  /// Whether types are equal but for the names and nullability inside.
  private static func isSame(_ left: DataType, _ right: DataType) -> Bool {
    switch (left, right) {
    case (.list(let a), .list(let b)): isSame(a.type, b.type)
    case (.structure(let a), .structure(let b)):
      a.map(\.name) == b.map(\.name) && zip(a, b).allSatisfy { isSame($0.type, $1.type) }
    case (.map(let a, _), .map(let b, _)): isSame(a.type, b.type)
    default: left == right
    }
  }

  /// - Throws: `.notEvents`, `.mistypedUser`: the batch is none of the dataset's events.
  func checkSystemColumns(_ batch: RecordBatch) throws(StoreError) {
    for field in SystemColumns.fields(userType: eventSchema.fields[0].type) {
      guard let column = batch[field.name] else { throw .notEvents(column: field.name, found: nil) }
      guard column.type.valueType == field.type else {
        if field.name == SystemColumns.user {
          throw .mistypedUser("\(column.type)", wanted: "\(field.type)")
        }
        throw .notEvents(column: field.name, found: "\(column.type)")
      }
      guard column.nullCount == 0 else { throw .notEvents(column: field.name, found: "null in some rows") }
    }
  }

  /// `batch`'s columns in the types that the files have; a column that it lacks is null, a dictionary stays one.
  /// - Throws: `.columnType`.
  func eventBatch(_ batch: RecordBatch) throws(StoreError) -> RecordBatch {
    var columns: [ArrowArray] = []
    var schema = eventSchema
    for (index, field) in eventSchema.fields.enumerated() {
      let column = batch[field.name] ?? ArrowArray(nulls: field.type, count: batch.rowCount)
      do {
        columns.append(
          isStored(column.type, as: field.type) ? column : try column.conformed(to: field.type, column: field.name))
      } catch {
        throw .columnType(
          dataset: dataset, column: field.name, found: "\(column.type)", wanted: "\(field.type)")
      }
      schema.fields[index].type = columns[index].type
    }
    return RecordBatch(schema, columns, rowCount: batch.rowCount)
  }

  /// Those of `events`' columns that files have.
  /// - Parameter events: as `eventBatch` gives them.
  /// - Throws: `.notDerived` when readers would derive another value than the events have.
  func fileBatch(_ events: RecordBatch) throws(StoreError) -> RecordBatch {
    guard derived != DerivedColumns() else { return events }
    for name in DerivedColumns.names where !derived.holds(for: name, in: events) {
      throw .notDerived(dataset: dataset, column: name, source: derived[name] ?? "")
    }
    let kept = events.columns.indices.filter { derived[events.schema.fields[$0].name] == nil }
    var schema = events.schema
    schema.fields = kept.map { events.schema.fields[$0] }
    return RecordBatch(schema, kept.map { events.columns[$0] }, rowCount: events.rowCount)
  }
}
