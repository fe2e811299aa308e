import Arrow
import Definitions
import Expressions

/// What several event types have in common, so that their events are worked on together.
///
/// Definitions often declare many types with the same columns; then one pass computes the columns of them all.
struct EventShape: Hashable {
  var dataset: String
  var explode: Explode?
  var columns: [ComputedColumn]
  var enrichments: [Enrichment]

  init(_ type: EventTypeDefinition) {
    dataset = type.dataset
    explode = type.explode
    columns = type.columns
    enrichments = type.enrichments
  }

  /// What a schema says of the events of `types`, which are of this shape.
  func metadata(of types: [EventTypeDefinition], _ definitions: DefinitionSet) -> [String: String] {
    [
      MetadataKey.kind: "event", MetadataKey.eventType: types.map(\.name).joined(separator: ","),
      MetadataKey.dataset: dataset, MetadataKey.definitions: definitions.label, MetadataKey.order: "none",
    ]
  }
}

extension Sequence {
  /// The elements by key, in the order in which the keys first appear.
  func grouped<Key: Hashable>(by key: (Element) -> Key) -> [(key: Key, elements: [Element])] {
    var places: [Key: Int] = [:]
    var groups: [(key: Key, elements: [Element])] = []
    for element in self {
      let key = key(element)
      if let place = places[key] {
        groups[place].elements.append(element)
      } else {
        places[key] = groups.count
        groups.append((key, [element]))
      }
    }
    return groups
  }
}

/// The keys of a schema's metadata, the same in every stage.
package enum MetadataKey {
  package static let kind = "seq.kind"
  package static let eventType = "seq.event_type"
  package static let dataset = "seq.dataset"
  package static let source = "seq.source"
  package static let definitions = "seq.definitions"
  package static let order = "seq.order"
  /// The one shard that all rows belong to, of so many: `03/8`.
  package static let shard = "seq.shard"
}

extension DefinitionSet {
  /// As frames name it: the published number and the digest.
  package var label: String { "\(version):\(digest)" }
}
