import Arrow

/// Everything that the running commands need to know: the compiled definitions, with nothing left to resolve.
package struct DefinitionSet: Sendable, Hashable {
  /// The form of the JSON that this code reads and writes.
  package static let format = 1

  /// The number under which it is published; 0 before that.
  package var version: Int
  /// 16 hexadecimal digits: XXH64 of the canonical text without `digest` and `version`.
  package var digest: String
  package var sources: [SourceDefinition]
  package var lookups: [LookupDefinition]
  package var datasets: [DatasetDefinition]
  package var eventTypes: [EventTypeDefinition]
  package var sequences: [SequenceDefinition]
  /// How many parts the store's users are dealt to.
  package var shardCount = 1

  /// The most shards.
  static let shardCountLimit = 1_024

  /// One line for people.
  package var summary: String {
    let counts = [
      ("source", sources.count), ("lookup", lookups.count), ("event type", eventTypes.count),
      ("dataset", datasets.count), ("sequence", sequences.count),
    ]
    return counts.map { "\($1) \($0)\($1 == 1 ? "" : "s")" }.joined(separator: ", ") + "; digest \(digest)"
  }

  package func source(_ name: String) -> SourceDefinition? { sources.first { $0.name == name } }
  package func lookup(_ name: String) -> LookupDefinition? { lookups.first { $0.name == name } }
  package func dataset(_ name: String) -> DatasetDefinition? { datasets.first { $0.name == name } }
  package func eventType(_ name: String) -> EventTypeDefinition? { eventTypes.first { $0.name == name } }
  package func sequence(_ name: String) -> SequenceDefinition? { sequences.first { $0.name == name } }

  /// The event types that read a source, in the order of their declaration.
  package func eventTypes(source: String) -> [EventTypeDefinition] { eventTypes.filter { $0.source == source } }

  /// The event types whose events a dataset holds, in the order of their declaration.
  package func eventTypes(dataset: String) -> [EventTypeDefinition] { eventTypes.filter { $0.dataset == dataset } }

  /// The columns of an event type that are stored, without the system columns.
  package func features(of eventType: EventTypeDefinition) -> [Field] {
    eventType.columns.map(\.field) + eventType.enrichments.flatMap { outputs(of: $0) }
  }

  /// The columns that are added to an event type when its events are read.
  package func requestFeatures(of eventType: EventTypeDefinition) -> [Field] {
    eventType.requestEnrichments.flatMap { outputs(of: $0) }
  }

  private func outputs(of step: Enrichment) -> [Field] {
    switch step {
    case .derive(let column): [column.field]
    case .lookup(let use): outputs(of: use)
    }
  }

  /// The look-ups that event types use at a time, in the order of their first use.
  package func lookups(at time: EnrichmentTime) -> [String] {
    var names: [String] = []
    for type in eventTypes {
      for case .lookup(let use) in time == .index ? type.enrichments : type.requestEnrichments
      where !names.contains(use.lookup) {
        names.append(use.lookup)
      }
    }
    return names
  }

  /// The columns that one use of a look-up adds.
  package func outputs(of use: LookupUse) -> [Field] {
    (lookup(use.lookup)?.columns ?? []).flatMap(\.outputs).map { Field(use.prefix + $0.name, $0.type) }
  }
}

extension ComputedColumn {
  package var field: Field { Field(name, type) }
}
