import Arrow

/// How far a sequence may be relied on.
package enum Stage: String, Sendable, Hashable, CaseIterable {
  case development, staging, production
}

/// A column of a sequence that is computed from all events of the sequence before each, when it is assembled.
package struct HistoryColumn: Sendable, Hashable {
  package enum Computation: Sendable, Hashable {
    /// Over the events of the last `windowMicros` before this one, or all, for which `filter` holds.
    case counter(Aggregate, column: String?, filter: String?, windowMicros: Int64?)
    /// The time at which the session began: a new one begins after a pause longer than this.
    case session(gapMicros: Int64)
    /// Microseconds since the last event before this one for which `filter` holds.
    case gap(filter: String?)
  }

  package enum Aggregate: String, Sendable, Hashable, CaseIterable {
    case count, sum, mean, min, max
  }

  package var name: String
  package var computation: Computation
  package var type: DataType
}

/// At most this many events of one type.
package struct Cap: Sendable, Hashable {
  package var eventType: String
  package var count: Int
}

/// The promise that, `delayMicros` after an event happened, this share of events can be read.
package struct Completeness: Sendable, Hashable {
  /// In (0, 1].
  package var share: Double
  package var delayMicros: Int64
}

/// A view over datasets: the last events of a user, of some types and columns.
package struct SequenceDefinition: Sendable, Hashable {
  package var name: String
  /// Counts breaking changes, from 1.
  package var version: Int
  package var owner: String
  package var stage: Stage
  package var eventTypes: [String]
  /// A boolean CEL expression over the datasets' columns: only events for which it is true are in the sequence.
  package var filter: String?
  package var maximumLength: Int
  package var caps: [Cap]
  /// Only events of this long before the sequence's end, in microseconds; nil: any.
  package var windowMicros: Int64?
  /// The columns with their types, in the order asked for.
  package var columns: [Field]
  package var history: [HistoryColumn]
  package var merge: MergeDefinition?
  package var objects: ObjectsDefinition?
  /// Promised: an event can be read this long after it arrived, in microseconds.
  package var freshnessMicros: Int64?
  package var completeness: Completeness?

  /// What is known of each event: its columns, then those that are derived.
  package var fields: [Field] {
    columns + history.map { Field($0.name, $0.type) } + (merge?.actions.map { [$0.field] } ?? [])
  }

  /// What is known of each item; none where the sequence has no such view.
  package var objectFields: [Field] { objects?.fields(eventTypes) ?? [] }
}
