import Arrow

/// A column that an expression computes.
package struct ComputedColumn: Sendable, Hashable {
  package var name: String
  /// A CEL expression.
  package var expression: String
  package var type: DataType

  package init(name: String, expression: String, type: DataType) {
    self.name = name
    self.expression = expression
    self.type = type
  }
}

/// Gives each element of an array in a raw event a record of its own.
package struct Explode: Sendable, Hashable {
  /// The column that holds the element's place in the array, from 0.
  package static let indexColumn = "element_index"

  /// The array's path, without brackets: `payload.commits`.
  package var path: FieldPath
  /// An expression whose text tells the elements of an event apart; the element's index when there is none.
  ///
  /// The record's event id is the raw event's, a slash and this.
  package var key: String?

  package init(path: FieldPath, key: String? = nil) {
    self.path = path
    self.key = key
  }
}

/// When an enrichment is applied.
package enum EnrichmentTime: String, Sendable, CaseIterable {
  /// Before the event is stored.
  case index
  /// When it is read.
  case request
}

/// A step that adds columns to an event, after its own and those of the steps before it.
package enum Enrichment: Sendable, Hashable {
  case lookup(LookupUse)
  case derive(ComputedColumn)
}

/// What becomes of one kind of raw event: which are kept, their columns, and what enriches them.
package struct EventTypeDefinition: Sendable, Hashable {
  package var name: String
  package var source: String
  package var owner: String
  package var dataset: String
  /// An event is kept this long after it happened, in microseconds.
  package var retentionMicros: Int64
  /// A boolean CEL expression over the raw columns: only events for which it is true are kept.
  package var filter: String
  package var explode: Explode?
  package var columns: [ComputedColumn]
  /// Applied before events are stored, in an order in which each step finds what it reads.
  package var enrichments: [Enrichment]
  /// Applied when events are read: what they add is not stored. In such an order, too.
  package var requestEnrichments: [Enrichment]
}

/// A table of enriched events, which several event types may share.
package struct DatasetDefinition: Sendable, Hashable {
  package var name: String
  /// The system columns without `retracted`, then each column in the order in which the event types declare them.
  package var schema: Schema

  /// The type of `user_id`: int64 or string.
  package var userType: DataType { schema.fields[0].type }
}
