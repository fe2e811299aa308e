/// A definition as it was declared, with its place.
struct Declared<Value> {
  var value: Value
  var place: DefinitionError.Place
  /// Whether it was read without a fault; what follows from a fault is not reported again.
  var isSound: Bool
}

/// What the authors declared, before names are looked up and types deduced: types not known yet are `null`.
package struct Declarations {
  var sources: [Declared<SourceDefinition>]
  var lookups: [Declared<LookupDefinition>]
  var eventTypes: [Declared<EventTypeDefinition>]
  var sequences: [Declared<SequenceDefinition>]
  /// How many shards the store has; one place may say it.
  var shardCounts: [Declared<Int>] = []
  let faults = Faults()
}

extension Declarations {
  /// The declarations that compile to `set`, each type as it stands there.
  init(of set: DefinitionSet, file: String?) {
    func declare<Value>(_ values: [Value], _ kind: String, name: (Value) -> String) -> [Declared<Value>] {
      values.map { value in
        let place = DefinitionError.Place(file: file, definition: "\(kind) '\(name(value))'")
        return Declared(value: value, place: place, isSound: true)
      }
    }
    sources = declare(set.sources, "source") { $0.name }
    lookups = declare(set.lookups, "lookup") { $0.name }
    eventTypes = declare(set.eventTypes, "event type") { $0.name }
    sequences = declare(set.sequences, "sequence") { $0.name }
    if set.shardCount > 1 {
      shardCounts = [Declared(value: set.shardCount, place: .init(file: file, definition: "store"), isSound: true)]
    }
  }
}
