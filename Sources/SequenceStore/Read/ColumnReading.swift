import Arrow
import Definitions
import Engine

/// What the columns take that requests ask for of a sequence's events, whoever the user and whatever the time: found once
/// for all requests that ask for the same. Shared by threads.
package final class ColumnReading: Sendable {
  /// In the order in which they are answered.
  let wanted: [WantedColumn]
  /// The derived columns among them.
  let computers: [HistoryComputer]
  /// What is added to the events that are read.
  let enrichment: RequestEnrichment?
  /// All columns that an answer may read, but for the key columns: those that are kept beside these.
  let kept: [WantedColumn]
  /// By dataset of the plan, where its users' rows are kept.
  let keptColumns: [PageCache.RowsKey.Columns]
  /// By dataset of the plan, the event types that are the sequence's; nil: all that it has.
  let eventTypes: [Set<String>?]
  /// Schemas in which the wanted columns mostly come: as they are asked for, and with event types in a dictionary.
  private let schemas: [Schema]
  /// Whether what rows are told apart by is itself read.
  let hasIdentities: Bool
  /// Whether a row's type matters, whatever else is asked for.
  let hasTypes: Bool

  package init(_ columns: [Field], of plan: SequencePlan) {
    wanted = columns.map { WantedColumn($0) }
    let coded = columns.map { column in
      column.name == SystemColumns.eventType && column.type == .utf8 ? column.retyped(.textDictionary) : column
    }
    schemas = [Schema(coded), Schema(columns)]
    computers = plan.computed.history.filter { computer in columns.contains { $0.name == computer.column.name } }
    enrichment = plan.enricher?.adding(Set(columns.map(\.name)))
    eventTypes = plan.datasets.map { plan.eventTypes[$0] ?? nil }
    hasTypes = eventTypes.contains { $0 != nil } || columns.contains { $0.name == SystemColumns.eventType }
    var fields = columns + plan.filterFields + plan.mergeFields
    fields += SequencePlan.fields(computers.flatMap(\.inputs) + (enrichment?.inputs ?? []), of: plan.columns)
    hasIdentities = fields.contains { KeyColumn($0.name).map(KeyColumn.identities.contains) ?? false }
    var kept: [Field] = []
    for field in fields where KeyColumn(field.name) == nil && !kept.contains(where: { $0.name == field.name }) {
      if plan.columns.contains(where: { $0.name == field.name }) { kept.append(field) }
    }
    self.kept = kept.map { WantedColumn($0) }
    keptColumns = plan.datasets.map { PageCache.RowsKey.Columns($0, kept) }
  }

  /// The schema of columns that were read for `wanted`. Answers that share one need not be compared field by field.
  func schema(of columns: [ArrowArray], for wanted: [WantedColumn]) -> Schema {
    func isRight(_ schema: Schema) -> Bool {
      schema.fields.count == columns.count
        && columns.indices.allSatisfy {
          schema.fields[$0].type == columns[$0].type && schema.fields[$0].name == wanted[$0].field.name
        }
    }
    return schemas.first(where: isRight) ?? Schema(zip(wanted, columns).map { $0.field.retyped($1.type) })
  }
}
