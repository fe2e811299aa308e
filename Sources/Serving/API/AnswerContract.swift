import Definitions
import Engine
import SequenceStore

/// What an answer says of the data beside the events.
struct AnswerContract {
  let facts: SequenceFacts
  /// The event types that are asked for.
  let eventTypes: [SequenceFacts.EventType]
  /// The sequence's look-ups.
  let lookups: [String]
  /// Of the look-ups whose columns are answered.
  private(set) var coverage: [String: LookupCoverage] = [:]
  /// What the client demands and does not get.
  var breaches: [String] = []

  /// - Parameter areCounted: whether the events that are answered are all among `readings`, so that it is known what
  ///   look-ups found for them.
  init(
    _ facts: SequenceFacts, _ query: SequenceQuery, lookups: [SequenceLookup], _ readings: [StoreView.Reading],
    areCounted: Bool
  ) {
    self.facts = facts
    self.lookups = lookups.map(\.name)
    eventTypes = facts.eventTypes.filter { query.eventTypes?.contains($0.name) ?? true }
    if lookups.isEmpty { return }
    for reading in readings {
      for lookup in lookups {
        let found = lookup.coverage(
          of: reading.events.events, lookedUp: reading.events.coverage[lookup.name], isCounted: areCounted,
          storedShare: facts.storedShares[lookup.name])
        guard let found else { continue }
        if coverage[lookup.name] == nil { coverage[lookup.name] = found } else { coverage[lookup.name]!.add(found) }
      }
    }
  }

  /// What is known of a look-up none of whose columns is answered.
  func stored(_ lookup: String) -> LookupCoverage { LookupCoverage(storedShare: facts.storedShares[lookup]) }

  /// A JSON object; nil when no look-up brought anything.
  private var coverageText: String? {
    guard !coverage.isEmpty else { return nil }
    let members = coverage.sorted { $0.key < $1.key }.map { #""\#($0.key)":\#($0.value.json)"# }
    return "{" + members.joined(separator: ",") + "}"
  }

  private var breachText: String? { breaches.isEmpty ? nil : "[" + breaches.map(jsonText).joined(separator: ",") + "]" }

  /// Members of a JSON object, each followed by a comma.
  var json: String {
    facts.json + (coverageText.map { #""coverage":\#($0),"# } ?? "") + (breachText.map { #""degraded":\#($0),"# } ?? "")
  }

  /// The same as metadata of an Arrow schema.
  var metadata: [String: String] {
    var metadata = facts.metadata
    if let coverageText { metadata["seq.coverage"] = coverageText }
    if let breachText { metadata["seq.degraded"] = breachText }
    return metadata
  }
}
