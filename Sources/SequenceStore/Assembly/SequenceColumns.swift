import Arrow
import Definitions
import Expressions

/// What a sequence computes with, in assembly and when it is read: its filters, compiled, and the columns that they and
/// its lists read.
struct SequenceColumns: Sendable {
  let filter: CheckedExpression?
  let history: [HistoryComputer]
  /// Features and system columns, some more than once.
  let names: [String]

  /// - Parameter schema: the columns of all the sequence's datasets.
  init(_ definition: SequenceDefinition, _ schema: Schema) throws(ExpressionErrors) {
    filter = if let text = definition.filter { try Expression.compile(text, schema: schema) } else { nil }
    var names = definition.columns.map(\.name) + (filter?.columnNames ?? [])
    var history: [HistoryComputer] = []
    for column in definition.history {
      let computer = try HistoryComputer(column, schema)
      history.append(computer)
      names += computer.inputs
    }
    self.history = history
    self.names = names
  }
}
