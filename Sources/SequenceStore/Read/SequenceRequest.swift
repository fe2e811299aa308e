import Arrow
import Definitions
import Engine
import Expressions

/// A sequence, ready to be read from a store: its definition with its expressions compiled. Shared by threads.
package final class SequencePlan: Sendable {
  package let definition: SequenceDefinition
  /// The datasets that hold its event types.
  package let datasets: [String]
  /// Per dataset: its event types outside the sequence are left out; nil when it has no others.
  let eventTypes: [String: Set<String>?]
  /// The columns that can be read, with the types that the definitions give them.
  package let columns: [Field]
  /// What is computed of them.
  let computed: SequenceColumns
  /// The columns that the definition's filter reads.
  let filterFields: [Field]
  /// The columns that merging reads.
  let mergeFields: [Field]
  let objects: ObjectView?
  /// What is added to events that are read.
  let enricher: RequestEnricher?

  /// - Parameter tables: of the look-ups that are used when events are read.
  /// - Throws: `ExpressionErrors` of the filters; `TablesMissing`.
  package init(
    _ definition: SequenceDefinition, in definitions: DefinitionSet, tables: [String: LookupTable] = [:]
  ) throws {
    self.definition = definition
    var datasets: [String] = []
    for name in definition.eventTypes {
      if let dataset = definitions.eventType(name)?.dataset, !datasets.contains(dataset) { datasets.append(dataset) }
    }
    self.datasets = datasets
    var (eventTypes, columns): ([String: Set<String>?], [Field]) = ([:], [])
    for name in datasets {
      guard let dataset = definitions.dataset(name) else { continue }
      let all = Set(definitions.eventTypes(dataset: name).map(\.name))
      let wanted = all.intersection(definition.eventTypes)
      eventTypes.updateValue(wanted == all ? nil : wanted, forKey: name)
      for field in dataset.schema.fields where !columns.contains(where: { $0.name == field.name }) {
        columns.append(Field(field.name, field.type))
      }
    }
    self.eventTypes = eventTypes
    self.columns = columns
    enricher = try definition.enricher(in: definitions, tables: tables)
    let computed = try SequenceColumns(definition, Schema(columns), enricher)
    self.computed = computed
    filterFields = Self.fields(computed.filter?.columnNames ?? [], of: columns)
    mergeFields = Self.fields(definition.merge?.inputs ?? [], of: columns)
    objects = definition.objects.map { ObjectView(definition: $0, eventTypes: definition.eventTypes) }
  }

  static func fields(_ names: [String], of columns: [Field]) -> [Field] {
    names.compactMap { name in columns.first { $0.name == name } }
  }

  /// Those of its columns that have these names, to be read.
  func wantedColumns(_ names: [String]) -> [WantedColumn] {
    Self.fields(names, of: columns).map { WantedColumn($0) }
  }
}

/// Which of a user's events are wanted, or which of the items that they are of.
package struct SequenceRequest: Sendable {
  /// What a row of the answer is.
  package enum View: String, Sendable, CaseIterable {
    /// An event, or the newest of those that the definition merges.
    case events
    /// An item, as the definition's `objects` says: all events of it count, merged or not, whatever the caps.
    case objects
  }

  package var user: UserID
  package var view = View.events
  /// At most this many, the newest.
  package var last: Int
  /// At most this many events of a type, the newest.
  package var caps: [String: Int]
  /// Only events of these types, or items by them; nil: of all types. What is computed of the events before one, and which
  /// of merged events stands for them, depends on all types alike.
  package var eventTypes: Set<String>?
  /// No event before this time, in microseconds since 1970-01-01T00:00Z.
  package var fromMicros: Int64?
  /// No event at or after this time.
  package var untilMicros: Int64?
  /// Only rows that had arrived by then count, of each event the highest revision among them.
  package var knownAtMicros: Int64?
  /// In the order in which they are answered: columns that can be read, and derived ones of the definition; of items those
  /// of its `objectFields`.
  package var columns: [Field] { didSet { reading = nil } }
  /// What they take, where that was found before; nil: it is found anew.
  package var reading: ColumnReading?
  /// Whether columns of texts may be given out as dictionaries, as far as they are read as such.
  package var keepsDictionaries = false

  package init(
    user: UserID, last: Int, caps: [String: Int] = [:], fromMicros: Int64? = nil, untilMicros: Int64? = nil,
    knownAtMicros: Int64? = nil, columns: [Field]
  ) {
    self.user = user
    self.last = last
    self.caps = caps
    self.fromMicros = fromMicros
    self.untilMicros = untilMicros
    self.knownAtMicros = knownAtMicros
    self.columns = columns
  }
}

/// A user's events, oldest first, or items, by their last events, and why there are not more.
package struct SequenceEvents: Sendable {
  package var events: RecordBatch
  package var cut: Set<Cut> = []
  /// By look-up that was used: events that found their key, and events whose key the table lacks.
  package var coverage: [String: RunReport.Coverage] = [:]

  package init(
    events: RecordBatch, cut: Set<Cut> = [], coverage: [String: RunReport.Coverage] = [:]
  ) {
    (self.events, self.cut, self.coverage) = (events, cut, coverage)
  }

  package enum Cut: String, Sendable, Hashable, CaseIterable {
    /// As many as were asked for were found; the user may have older ones.
    case length
    /// The user has events before the window.
    case window
    /// A type has more events than its cap.
    case cap
  }
}
