import Arrow
import ArrowKernels
import Buffers
import Definitions
import Expressions

/// The declarative executor: picks the events of each type out of raw events and computes their columns.
///
/// A raw event may become events of several types. A row that fails a type's filter although its revision is above 0
/// becomes a retraction: an earlier revision may have passed.
package struct EventFilter: Sendable {
  package let source: SourceDefinition
  private let groups: [EventGroup]
  /// What raw events must have.
  private var columns: [Field] = []

  /// - Parameter types: event types of `source`.
  package init(
    _ types: [EventTypeDefinition], source: SourceDefinition, definitions: DefinitionSet
  ) throws(ExpressionErrors) {
    self.source = source
    var groups: [EventGroup] = []
    for (shape, types) in types.grouped(by: { EventShape($0) }) {
      groups.append(try EventGroup(shape, types, source: source, definitions: definitions))
    }
    self.groups = groups
    let identity = [source.user, source.ts, source.id]
    columns = fields.map { Field($0.column.name, $0.column.type, isNullable: !identity.contains($0.path)) }
  }

  /// The raw fields that are read at all: the others need not be extracted.
  package var fields: [SourceField] {
    let used = groups.reduce(into: Set<String>()) { $0.formUnion($1.rawColumns) }
    let exploded = Set(groups.compactMap { $0.explode?.path.text })
    return source.fields.filter { field in
      source.roles.contains(field.path) || used.contains(field.path.columnName)
        || field.path.arrayPath.map { exploded.contains($0) } ?? false
    }
  }

  /// Of the batches that it gives out.
  package var schemas: [Schema] { groups.map(\.schema) }

  /// - Parameter raw: raw events of the source, with at least the columns of `fields`.
  /// - Returns: a batch per shape of event type that has rows.
  /// - Throws: `WrongColumn`, when other definitions than these made the raw events.
  package func events(of raw: RecordBatch, report: inout RunReport) throws(WrongColumn) -> [RecordBatch] {
    try raw.require(columns)
    let roles = EventRoles(source, raw)
    report.noteHorizon(roles.newestArrival)
    return groups.compactMap { $0.events(of: raw, roles: roles, report: &report) }
  }
}

extension SourceDefinition {
  /// The fields that every event needs, whatever its type.
  package var roles: [FieldPath] { [user, ts, id] + [revision, arrival, type].compactMap(\.self) }
}
