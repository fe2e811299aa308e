import Arrow
import ArrowKernels
import Buffers
import Definitions
import Engine

/// What a sequence needs of the batches of all its datasets, brought under one schema.
struct SequenceProjection {
  /// System columns, then the features that the sequence shows or computes with, as the definitions type them.
  let schema: Schema
  private let eventTypes: Set<String>

  /// - Parameters:
  ///   - names: features needed, besides the system columns.
  ///   - known: the columns of all the sequence's datasets, the user first.
  init(_ definition: SequenceDefinition, needing names: [String], known: [Field], label: String) {
    var fields = SystemColumns.fields(userType: known.first?.type ?? .int64)
    for name in names where !fields.contains(where: { $0.name == name }) {
      if let field = known.first(where: { $0.name == name }) { fields.append(Field(name, field.type)) }
    }
    schema = Schema(
      fields, metadata: [MetadataKey.kind: "event", MetadataKey.definitions: label])
    eventTypes = Set(definition.eventTypes)
  }

  /// The sequence's events of a batch; columns that the batch lacks are null.
  func project(_ batch: RecordBatch) throws(AssemblyError) -> RecordBatch {
    let layout = try EventLayout(batch.schema)
    var schema = schema
    var columns: [ArrowArray] = []
    for (index, field) in schema.fields.enumerated() {
      let column = batch[field.name] ?? Self.absent(field, count: batch.rowCount)
      if column.type.valueType != field.type {
        throw .columnType(field.name, found: column.type, expected: "\(field.type)")
      }
      schema.fields[index].type = column.type
      columns.append(column)
    }
    let projected = RecordBatch(schema, columns, rowCount: batch.rowCount)
    if hasOnlyWantedTypes(batch) { return projected }
    return projected.filter(selection(batch.columns[layout.eventType]))
  }

  /// Stored events have no column that says whether they are retractions: none is.
  private static func absent(_ field: Field, count: Int) -> ArrowArray {
    if field.name != SystemColumns.retracted { return ArrowArray(nulls: field.type, count: count) }
    return ArrowArray(.boolean, count: count, storage: .boolean(Bitmap(repeating: false, count: count)))
  }

  private func hasOnlyWantedTypes(_ batch: RecordBatch) -> Bool {
    guard let types = batch.schema.metadata[MetadataKey.eventType] else { return false }
    return types.split(separator: ",").allSatisfy { eventTypes.contains(String($0)) }
  }

  private func selection(_ types: ArrowArray) -> Bitmap {
    guard let encoded = types.dictionaryEncoded() else { return Bitmap(repeating: false, count: types.count) }
    let names = encoded.children[0]
    let isWanted = (0..<names.count).map { eventTypes.contains(names.string($0)) }
    return Bitmap((0..<types.count).map { encoded.isValid($0) && isWanted[encoded.dictionaryIndex($0)] })
  }
}
