import Arrow
import Buffers
import Definitions
import JSONColumns

/// Turns a source's text into raw events: a column per declared field, named as expressions name it.
package final class RawDecoder {
  private let source: SourceDefinition
  private let decoder: JSONColumnsDecoder
  /// Of the raw events.
  package let schema: Schema

  /// - Parameter fields: those to extract; the source's roles among them.
  /// - Throws: when the paths cannot be read together.
  package init(_ source: SourceDefinition, fields: [SourceField], definitions: DefinitionSet) throws(JSONFieldError) {
    self.source = source
    decoder = try JSONColumnsDecoder(
      fields.map { field in
        // The type that definitions call by this name; the two enumerations have the same names.
        guard let type = JSONFieldType(field.type.description) else {
          preconditionFailure("field type \(field.type) has no JSON form")
        }
        return JSONFieldSpec(
          path: field.path.text, type: type,
          isRequired: source.requiredFields.contains(field.path))
      })
    schema = Schema(
      zip(fields, decoder.schema.fields).map { Field($0.path.columnName, $1.type) },
      metadata: [
        MetadataKey.kind: "raw", MetadataKey.source: source.name, MetadataKey.definitions: definitions.label,
        MetadataKey.order: "none",
      ])
  }

  /// Decodes whole lines; lines are numbered from the first since the last `take`.
  package func decode(_ lines: RawSpan, byteOffset: Int) {
    decoder.decode(lines, byteOffset: byteOffset, firstLine: 1 + decoder.lineCount)
  }

  /// Raw events, and what became of the lines.
  package func take() -> (raw: RecordBatch, lines: JSONBatch) {
    let batch = decoder.take()
    return (RecordBatch(schema, batch.batch.columns, rowCount: batch.batch.rowCount), batch)
  }
}

extension SourceDefinition {
  /// Without a value of these a line is no event.
  var requiredFields: Set<FieldPath> { Set([user, ts, id] + (type.map { [$0] } ?? [])) }
}
