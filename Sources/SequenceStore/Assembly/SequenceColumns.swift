import Arrow
import Definitions
import Engine
import Expressions

/// What a sequence computes with, in assembly and when it is read: its filters, compiled, and the columns that they and
/// its lists read.
struct SequenceColumns: Sendable {
  let filter: CheckedExpression?
  let history: [HistoryComputer]
  /// What is added to the events given out; nil for nothing.
  let enrichment: RequestEnrichment?
  /// Features and system columns, some more than once.
  let names: [String]

  /// - Parameters:
  ///   - schema: the columns of all the sequence's datasets.
  ///   - enricher: what the event types add to events that are read.
  init(_ definition: SequenceDefinition, _ schema: Schema, _ enricher: RequestEnricher?) throws(ExpressionErrors) {
    enrichment = enricher?.adding(Set(definition.columns.map(\.name)))
    filter = if let text = definition.filter { try Expression.compile(text, schema: schema) } else { nil }
    var names = definition.columns.map(\.name) + (filter?.columnNames ?? [])
    var history: [HistoryComputer] = []
    for column in definition.history {
      let computer = try HistoryComputer(column, schema)
      history.append(computer)
      names += computer.inputs
    }
    self.history = history
    self.names = names + (definition.merge?.inputs ?? []) + (enrichment?.inputs ?? [])
  }
}

extension MergeDefinition {
  /// The columns that merging reads.
  var inputs: [String] { [key] + (actions.map { [$0.column] } ?? []) }
}

extension SequenceDefinition {
  /// What its event types add to events that are read, as far as the sequence shows it; nil for nothing.
  ///
  /// - Throws: `TablesMissing`; `ExpressionErrors`.
  func enricher(in definitions: DefinitionSet, tables: [String: LookupTable]) throws -> RequestEnricher? {
    let types = eventTypes.compactMap { definitions.eventType($0) }
    let added = types.flatMap { definitions.requestFeatures(of: $0) }
    guard columns.contains(where: { column in added.contains { $0.name == column.name } }) else { return nil }
    for case .lookup(let use) in types.flatMap(\.requestEnrichments) where tables[use.lookup] == nil {
      throw TablesMissing(sequence: name, lookup: use.lookup)
    }
    return try RequestEnricher(types, definitions: definitions, tables: tables)
  }
}

/// A sequence that shows what is looked up when events are read, and no tables to look it up in.
package struct TablesMissing: Error, Equatable, CustomStringConvertible {
  package var sequence: String
  package var lookup: String

  package var description: String {
    "sequence '\(sequence)' shows columns of lookup '\(lookup)', added when events are read; name the tables' directory with --tables"
  }
}
