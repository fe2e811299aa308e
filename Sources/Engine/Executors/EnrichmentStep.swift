import Arrow
import Definitions
import Expressions

/// An enrichment that is ready to be applied.
enum EnrichmentStep: Sendable {
  case lookup(LookupTable, on: String, prefix: String)
  case derive(ComputedColumn, CheckedExpression)

  /// - Parameters:
  ///   - schema: what the steps find; what they add is appended.
  ///   - tables: the look-ups' tables, by name; all that the steps use.
  static func steps(
    _ enrichments: [Enrichment], extending schema: inout Schema, definitions: DefinitionSet,
    tables: [String: LookupTable]
  ) throws(ExpressionErrors) -> [EnrichmentStep] {
    var steps: [EnrichmentStep] = []
    for enrichment in enrichments {
      switch enrichment {
      case .lookup(let use):
        steps.append(.lookup(tables[use.lookup]!, on: use.on, prefix: use.prefix))
        schema.fields += definitions.outputs(of: use)
      case .derive(let column):
        steps.append(.derive(column, try Expression.compile(column.expression, schema: schema)))
        schema.fields.append(column.field)
      }
    }
    return steps
  }

  /// The columns that are read, besides `ts`.
  var inputs: [String] {
    switch self {
    case .lookup(_, let on, _): [on]
    case .derive(_, let expression): expression.columnNames
    }
  }

  /// The columns that are added.
  var outputs: [Field] {
    switch self {
    case .lookup(let table, _, let prefix): table.fields.map { Field(prefix + $0.name, $0.type) }
    case .derive(let column, _): [column.field]
    }
  }
}
