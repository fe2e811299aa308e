import Arrow
import ArrowKernels
import Definitions

extension RecordBatch {
  /// Rows as they travel between stages: texts of few distinct values are numbers in a dictionary, which makes raw events
  /// a quarter smaller and is what filters compare and assembling sorts. Of the system columns only event types are coded.
  func codingTexts() -> RecordBatch {
    let kind = schema.metadata[MetadataKey.kind]
    guard kind == "raw" || kind == "event" else { return self }
    let coded = zip(schema.fields, columns).map { field, column in
      kind == "event" && SystemColumns.names.contains(field.name) && field.name != SystemColumns.eventType
        ? column : column.codingTexts()
    }
    return RecordBatch(schema.retyped(as: coded), coded, rowCount: rowCount)
  }

  /// The same without such numbers: the batches of a table have one schema, however many texts each holds.
  func withPlainTexts() -> RecordBatch {
    let plain = zip(schema.fields, columns).map { field, column in
      column.type == .codedTexts || field.name == SystemColumns.eventType ? column.decoded() : column
    }
    return RecordBatch(schema.retyped(as: plain), plain, rowCount: rowCount)
  }
}
