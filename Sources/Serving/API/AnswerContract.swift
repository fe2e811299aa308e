import Definitions
import Engine
import SequenceStore

/// What an answer says of the data beside the events.
struct AnswerContract {
  private let facts: SequenceFacts
  private let form: SequenceForm
  /// Of the look-ups whose columns are answered.
  private(set) var coverage: [String: LookupCoverage] = [:]
  /// What the client demands and does not get.
  var breaches: [String] = []

  /// - Parameter areCounted: whether the events that are answered are all among `readings`, so that it is known what
  ///   look-ups found for them.
  init(
    _ facts: SequenceFacts, _ form: SequenceForm, _ readings: [StoreView.Reading], areCounted: Bool
  ) {
    (self.facts, self.form) = (facts, form)
    for reading in readings where form.answersLookups || !reading.events.coverage.isEmpty {
      for lookup in form.lookups {
        let found = lookup.coverage(
          of: reading.events.events, lookedUp: reading.events.coverage[lookup.name], isCounted: areCounted,
          storedShare: facts.storedShares[lookup.name])
        guard let found else { continue }
        if coverage[lookup.name] == nil { coverage[lookup.name] = found } else { coverage[lookup.name]!.add(found) }
      }
    }
  }

  /// The event types that are asked for.
  var eventTypes: [SequenceFacts.EventType] {
    facts.eventTypes.filter { form.eventTypes?.contains($0.name) ?? true }
  }

  /// The sequence's look-ups.
  var lookups: [String] { form.lookups.map(\.name) }

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

  /// The same as metadata of an Arrow schema, as far as it is of all answers about the sequence.
  var metadata: [String: String] { facts.metadata }

  /// And of this one.
  var ownMetadata: [(key: String, value: String)] {
    var metadata: [(key: String, value: String)] = []
    if let coverageText { metadata.append(("seq.coverage", coverageText)) }
    if let breachText { metadata.append(("seq.degraded", breachText)) }
    return metadata
  }
}
