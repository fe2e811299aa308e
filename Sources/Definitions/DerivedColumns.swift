/// The system columns of a dataset that follow from another of its columns, so that they need not be stored.
package struct DerivedColumns: Sendable, Hashable {
  /// The column that holds the events' ids, whose hash `event_key` is; nil when no column is that for certain.
  package var eventKey: String?
  /// `ts`, where no source tells when an event arrived; else nil.
  package var seenAt: String?

  package init(eventKey: String? = nil, seenAt: String? = nil) {
    self.eventKey = eventKey
    self.seenAt = seenAt
  }

  /// The system columns that may be derived.
  package static let names = [SystemColumns.seenAt, SystemColumns.eventKey]

  /// The column that `name` follows from; nil for one that must be stored.
  package subscript(name: String) -> String? {
    get {
      switch name {
      case SystemColumns.eventKey: eventKey
      case SystemColumns.seenAt: seenAt
      default: nil
      }
    }
    set {
      switch name {
      case SystemColumns.eventKey: eventKey = newValue
      case SystemColumns.seenAt: seenAt = newValue
      default: preconditionFailure("'\(name)' follows from no other column")
      }
    }
  }
}

extension DefinitionSet {
  /// The system columns of a dataset that all its event types let readers derive.
  package func derivedColumns(of dataset: String) -> DerivedColumns {
    let eventTypes = eventTypes(dataset: dataset)
    guard let first = eventTypes.first else { return DerivedColumns() }
    let hasArrivals = eventTypes.contains { source($0.source)?.arrival != nil }
    let ids = idColumns(of: first).first { name in eventTypes.allSatisfy { idColumns(of: $0).contains(name) } }
    return DerivedColumns(eventKey: ids, seenAt: hasArrivals ? nil : SystemColumns.ts)
  }

  /// The columns of an event type that are its source's id field and nothing else.
  ///
  /// An element of an exploded array has an id of its own, and a number's key is that of its decimal text.
  private func idColumns(of eventType: EventTypeDefinition) -> [String] {
    guard let source = source(eventType.source), eventType.explode == nil,
      source.field(source.id)?.column.type == .utf8
    else { return [] }
    return eventType.columns.filter { $0.type == .utf8 && $0.expression == source.id.columnName }.map(\.name)
  }
}
