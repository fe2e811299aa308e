import Arrow

/// A view with a row per item instead of one per event.
package struct ObjectsDefinition: Sendable, Hashable {
  /// The column that holds the item: integers or strings.
  package var key: Field

  /// What is known of an item: when its first and last event happened, how many there are, and how many of each type.
  package func fields(_ eventTypes: [String]) -> [Field] {
    let times = ["first", "last"].map { Field($0, .timestampMicrosUTC) }
    return [key] + times + [Field("count", .int64)] + eventTypes.map { Field("count_" + $0, .int64) }
  }
}
