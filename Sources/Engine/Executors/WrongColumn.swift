import Arrow
import ArrowKernels
import Definitions

/// Rows that lack a column that the definitions name, or have another in its place.
package struct WrongColumn: Error, Equatable, CustomStringConvertible {
  package enum Reason: Sendable, Equatable {
    case missing
    case type(found: DataType, expected: DataType)
    case nulls
  }

  package var column: String
  package var reason: Reason

  package init(column: String, reason: Reason) {
    self.column = column
    self.reason = reason
  }

  package var description: String {
    let fact =
      switch reason {
      case .missing: "is missing"
      case .type(let found, let expected): "is \(found), not \(expected)"
      case .nulls: "has nulls"
      }
    return "column '\(column)' of the input \(fact); run with the definitions that the stage before this one used"
  }
}

extension RecordBatch {
  /// Checks that all of `fields` are there, those that are not nullable without a null; further columns are welcome.
  func require(_ fields: [Field]) throws(WrongColumn) {
    for field in fields {
      guard let column = self[field.name] else { throw WrongColumn(column: field.name, reason: .missing) }
      // Whether elements of a list may be null does not matter: the names say neither.
      guard column.type == field.type || column.type.valueType.description == field.type.description else {
        throw WrongColumn(column: field.name, reason: .type(found: column.type, expected: field.type))
      }
      if !field.isNullable, column.nullCount > 0 { throw WrongColumn(column: field.name, reason: .nulls) }
    }
  }
}
