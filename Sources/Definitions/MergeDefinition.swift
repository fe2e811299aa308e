import Arrow

/// Events of one item that lie close together are given out as one: the newest of them.
///
/// Groups are formed from the newest event back: an event belongs to the group of the same key whose newest event is at
/// most `withinMicros` later. An event without a key is a group of its own.
package struct MergeDefinition: Sendable, Hashable {
  /// The column that holds the item: integers or strings.
  package var key: String
  package var withinMicros: Int64
  package var actions: MultiHot?
}

/// A column that says which of some values the events of a group have.
package struct MultiHot: Sendable, Hashable {
  package var name: String
  /// Of strings.
  package var column: String
  package var values: [String]

  /// A bit each.
  package static let valueLimit = 64

  /// 1 for each value that an event has, else 0.
  package var field: Field { Field(name, DataType.int8.fixedSizeListType(count: values.count)) }
}
