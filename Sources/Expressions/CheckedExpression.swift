import Arrow
import Buffers

/// The entry: text to a checked expression.
package enum Expression {
  /// How `compile` treats what it reads.
  package struct Options: Sendable {
    /// Types are checked beforehand; otherwise a mismatch fails only the rows that meet it.
    package var checksTypes = true
    /// Results that fit no column (of type `dyn` or `type`) are errors.
    package var requiresColumnType = true
    /// The namespace that names are looked up in: `a.b` finds `a.b.x`, then `a.x`, then `x`.
    package var container = ""

    package init() {}
  }

  /// Parses `text` and checks it against the columns of `schema`.
  ///
  /// - Parameter variables: names beside the columns, for `evaluate(variables:)`.
  /// - Throws: all that is wrong, with places in `text`.
  package static func compile(
    _ text: String, schema: Schema, variables: [ExpressionVariable] = [], options: Options = Options()
  ) throws(ExpressionErrors) -> CheckedExpression {
    let syntax = try Parser.parse(text)
    let source = Array(text.utf8)
    let scope = Scope(schema: schema, variables: variables, container: options.container)
    var checker = Checker(source: source, scope: scope, isStrict: options.checksTypes)
    let checked = checker.check(syntax)
    guard checker.errors.isEmpty else { throw ExpressionErrors(checker.errors) }
    let resolved = Self.resolve(checked, checker.unifier)
    let expression = CheckedExpression(
      text: text, root: Optimizer.optimize(resolved), variables: checker.variables, slotCount: checker.slotCount,
      schema: schema)
    if options.requiresColumnType, expression.columnType == nil {
      let reason = ExpressionError.Reason.resultHasNoColumnType(expression.type.description)
      throw ExpressionErrors([ExpressionError(reason, at: resolved.range, in: source)])
    }
    return expression
  }

  private static func resolve(_ node: CheckedNode, _ unifier: Unifier) -> CheckedNode {
    var node = node.mapChildren { resolve($0, unifier) }
    node.type = unifier.resolve(node.type, isFinal: true)
    return node
  }
}

/// A column of results, and the rows that have none.
package struct EvaluatedColumn: Sendable {
  /// One value per row of the batch; null where the expression is null or has no value.
  package var array: ArrowArray
  /// The rows whose evaluation failed; nil when none did.
  package var errors: Bitmap?
  /// The first failures, in the order of the rows.
  package var messages: [Message]

  package struct Message: Sendable, Hashable {
    package var row: Int
    package var error: EvaluationError
  }

  /// Of a boolean result: the rows where it is true. A null or an error is not true.
  package var trueRows: Bitmap {
    guard case .boolean(let bits) = array.storage else { return Bitmap(repeating: false, count: array.count) }
    return array.validity.map { bits.and($0) } ?? bits
  }
}

/// An expression ready to be evaluated, from any number of threads at once.
package struct CheckedExpression: Sendable {
  package let text: String
  /// What the expression reads, in the order of first use; among them the columns it needs.
  package let variables: [ExpressionVariable]
  let root: CheckedNode
  let slotCount: Int
  /// The type of the result column; nil for results known at run time only.
  package let columnType: DataType?

  init(text: String, root: CheckedNode, variables: [ExpressionVariable], slotCount: Int, schema: Schema) {
    self.text = text
    self.root = root
    self.variables = variables
    self.slotCount = slotCount
    if case .variable(let index) = root.kind, let field = schema[variables[index].name] {
      columnType = field.type
    } else {
      columnType = root.type.arrowType
    }
  }

  /// The type of the result.
  package var type: CELType { root.type }

  /// The names of the columns it reads, for projections.
  package var columnNames: [String] { variables.map(\.name) }

  /// The column that the expression is, where it is nothing else.
  package var column: String? {
    if case .variable(let index) = root.kind { variables[index].name } else { nil }
  }

  /// The value, where it is the same for every row.
  package var constant: CELValue? { root.constant }

  /// The parts that fail for every row that asks for them: `1 / 0`, a pattern that is none, a date that is none.
  package var failures: [ExpressionError] {
    let source = Array(text.utf8)
    return Self.failures(root).map { ExpressionError(.alwaysFails($0.error), at: $0.range, in: source) }
  }

  private static func failures(_ node: CheckedNode) -> [(error: EvaluationError, range: Range<Int>)] {
    if case .failure(let error) = node.kind { return [(error, node.range)] }
    return node.children.flatMap(failures)
  }

  /// How many failures are described per batch.
  static let messageLimit = 8

  /// The value for one row whose variables have the given values.
  package func evaluate(variables values: [String: CELValue] = [:]) throws(EvaluationError) -> CELValue {
    var row: [CELValue] = []
    for variable in variables {
      guard let value = values[variable.name] else { throw .undeclared(variable.name) }
      row.append(value)
    }
    return try value(of: .values(row))
  }

  func value(of row: Row) throws(EvaluationError) -> CELValue {
    var interpreter = Interpreter(row: row, slotCount: slotCount)
    return try interpreter.evaluate(root)
  }

  /// The value for row `row` of `batch`, by the interpreter.
  /// - Precondition: `batch` has the columns of `columnNames`.
  package func evaluate(row: Int, of batch: RecordBatch) throws(EvaluationError) -> CELValue {
    try value(of: .columns(columns(of: batch), row: row))
  }

  func columns(of batch: RecordBatch) -> [ArrowArray] {
    variables.map { variable in
      guard let column = batch[variable.name] else {
        preconditionFailure("the batch has no column '\(variable.name)' for the expression '\(text)'")
      }
      return column
    }
  }
}
