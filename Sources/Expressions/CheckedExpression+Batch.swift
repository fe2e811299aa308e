import Arrow
import ArrowKernels
import Buffers

extension CheckedExpression {
  /// The results for all rows of `batch`, a column at a time.
  /// - Precondition: `columnType` is not nil, and `batch` has the columns of `columnNames`.
  package func evaluate(batch: RecordBatch) -> EvaluatedColumn {
    guard let columnType else { preconditionFailure("'\(text)' has no column type") }
    let columns = columns(of: batch)
    let vector = ColumnEvaluator(columns, rowCount: batch.rowCount).evaluate(root)
    let (array, unfit) = vector.column(columnType)
    guard let errors = union(vector.errors, unfit), errors.setBitCount > 0 else {
      return EvaluatedColumn(array: array, errors: nil, messages: [])
    }
    let valid = array.validity.map { $0.and(errors.inverted()) } ?? errors.inverted()
    let masked =
      array.type == .null ? array : ArrowArray(array.type, count: array.count, validity: valid, storage: array.storage)
    return EvaluatedColumn(array: masked, errors: errors, messages: messages(errors, columns))
  }

  /// The rows of `batch` for which a boolean expression is true: neither false nor null nor failed.
  /// - Precondition: `batch` has the columns of `columnNames`.
  package func trueRows(of batch: RecordBatch) -> Bitmap {
    ColumnEvaluator(columns(of: batch), rowCount: batch.rowCount).evaluate(root).truth.isTrue
  }

  /// The same, and how many rows have no answer because their evaluation failed.
  /// - Precondition: `batch` has the columns of `columnNames`.
  package func selection(of batch: RecordBatch) -> (rows: Bitmap, errorCount: Int) {
    let answers = ColumnEvaluator(columns(of: batch), rowCount: batch.rowCount).evaluate(root)
    return (answers.truth.isTrue, answers.errors?.setBitCount ?? 0)
  }

  /// What the interpreter says of the first failed rows.
  private func messages(_ errors: Bitmap, _ columns: [ArrowArray]) -> [EvaluatedColumn.Message] {
    var messages: [EvaluatedColumn.Message] = []
    for row in 0..<errors.count where errors[row] {
      do throws(EvaluationError) {
        _ = try value(of: .columns(columns, row: row))
        messages.append(.init(row: row, error: .overflow(function: "the column's type")))
      } catch {
        messages.append(.init(row: row, error: error))
      }
      if messages.count == Self.messageLimit { break }
    }
    return messages
  }
}

extension Vector {
  /// The values as an array of `type`, and the rows whose value it cannot hold.
  func column(_ type: DataType) -> (array: ArrowArray, unfit: Bitmap?) {
    switch values {
    case .array(let array):
      if array.type == type { return (array, nil) }
      if let cast = try? array.cast(to: type, overflow: .null) {
        return (cast, cast.nullCount > array.nullCount ? lost(from: array, in: cast) : nil)
      }
      return column(of: (0..<count).map { array.celValue($0) }, type)
    case .constant(let value):
      let one = column(of: [value], type)
      let indices = Buffer(zeroes: count * 4)
      return (one.array.take(indices), one.unfit.map { Bitmap(repeating: $0[0], count: count) })
    case .rows(let rows): return column(of: rows, type)
    }
  }

  private func column(of rows: [CELValue], _ type: DataType) -> (array: ArrowArray, unfit: Bitmap?) {
    let array = makeArray(type, rows)
    guard array.nullCount > 0, type != .null else { return (array, nil) }
    let unfit = Bitmap(rows.enumerated().map { array.isNull($0.offset) && !$0.element.isNull })
    return (array, unfit.setBitCount > 0 ? unfit : nil)
  }

  private func lost(from array: ArrowArray, in cast: ArrowArray) -> Bitmap {
    let nulls = cast.validity.map { $0.inverted() } ?? Bitmap(repeating: false, count: count)
    return array.validity.map { nulls.and($0) } ?? nulls
  }
}
