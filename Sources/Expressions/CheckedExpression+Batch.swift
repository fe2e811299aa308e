import Arrow
import Buffers

extension CheckedExpression {
  /// The results for all rows of `batch`.
  /// - Precondition: `columnType` is not nil, and `batch` has the columns of `columnNames`.
  package func evaluate(batch: RecordBatch) -> EvaluatedColumn {
    guard let columnType else { preconditionFailure("'\(text)' has no column type") }
    let columns = columns(of: batch)
    if case .variable(let index) = root.kind {
      return EvaluatedColumn(array: columns[index], errors: nil, messages: [])
    }
    var values: [CELValue?] = []
    var messages: [EvaluatedColumn.Message] = []
    var errors = BitmapBuilder(capacity: batch.rowCount)
    for row in 0..<batch.rowCount {
      do throws(EvaluationError) {
        values.append(try value(of: .columns(columns, row: row)))
        errors.append(false)
      } catch {
        values.append(nil)
        errors.append(true)
        if messages.count < Self.messageLimit { messages.append(.init(row: row, error: error)) }
      }
    }
    let failed = errors.finish()
    return EvaluatedColumn(
      array: makeArray(columnType, values), errors: messages.isEmpty ? nil : failed, messages: messages)
  }
}
