import Definitions
import Engine
import JSONText
import SequenceStore
import Synchronization

/// What every answer about a sequence says of the data, as it was at one moment: definitions, tables, watermark, and how
/// fresh each event type is. Its texts are made once.
final class SequenceFacts: Sendable {
  struct EventType: Sendable {
    var name: String
    /// Since the newest event of the type arrived that can be read; nil when there is none.
    var lagSeconds: Double?
    /// Since the newest event of its source arrived that can be read, or the input of the last batch ended: what arrived
    /// before can be read. Nil when neither is known.
    var freshnessSeconds: Double?
    /// How long the newest event that came through the live log took from its arrival until it could be read.
    var delaySeconds: Double?
  }

  /// The definitions that it is of, as `version:digest`.
  let definitions: String
  let tables: ServedTablesState
  let madeAtMicros: Int64
  /// No event before this time is expected any more; nil when no stream says so.
  let watermark: String?
  let eventTypes: [EventType]
  /// By look-up, the share of the latest stored events for which it found something.
  let storedShares: [String: Double]
  /// Members of a JSON object, each followed by a comma.
  let json: String
  /// The same as metadata of an Arrow schema.
  let metadata: [String: String]

  init(
    _ plan: SequencePlan, _ served: ServedDefinitions, _ tables: ServedTablesState, _ live: LiveStatistics,
    nowMicros: Int64
  ) {
    (definitions, self.tables, madeAtMicros) = (served.label, tables, nowMicros)
    let arrivals = Arrivals(served.definitions, tables, live)
    eventTypes = plan.definition.eventTypes.map { arrivals.eventType($0, nowMicros: nowMicros) }
    var shares: [String: Double] = [:]
    for lookup in served.lookups[plan.definition.name] ?? [] { shares[lookup.name] = lookup.storedShare(in: tables) }
    storedShares = shares
    let versions = JSONValue.object(tables.versions.mapValues { .integer($0) }).text
    let freshness = JSONValue.object(Dictionary(eventTypes.map { ($0.name, $0.json) }) { $1 }).text
    let watermark = live.watermarkMicros.map(rfc3339)
    self.watermark = watermark
    metadata = [
      "seq.sequence": plan.definition.label, "seq.definitions": served.label, "seq.tables": versions,
      "seq.freshness": freshness, "seq.kind": "sequence",
    ].merging(watermark.map { ["seq.watermark": $0] } ?? [:]) { $1 }
    let name = JSONValue.string(plan.definition.name).text
    let version = plan.definition.version
    json =
      #""sequence":\#(name),"version":\#(version),"definitions":"\#(served.label)","tables":\#(versions),"#
      + (watermark.map { #""watermark":"\#($0)","# } ?? "") + #""freshness":\#(freshness),"#
  }
}

extension SequenceFacts.EventType {
  /// In seconds, to the millisecond; null where it is not known.
  var json: JSONValue {
    let members = ["lag": lagSeconds, "freshness": freshnessSeconds, "delay": delaySeconds]
    return .object(
      members.compactMapValues { seconds in seconds.map { .number((max(0, $0) * 1_000).rounded() / 1_000) } })
  }
}

/// When the newest events arrived that can be read.
private struct Arrivals {
  private let definitions: DefinitionSet
  private let tables: ServedTablesState
  private let live: LiveStatistics

  init(_ definitions: DefinitionSet, _ tables: ServedTablesState, _ live: LiveStatistics) {
    (self.definitions, self.tables, self.live) = (definitions, tables, live)
  }

  func eventType(_ name: String, nowMicros: Int64) -> SequenceFacts.EventType {
    func age(_ micros: Int64?) -> Double? { micros.map { max(0, Double(nowMicros - $0) / 1e6) } }
    var facts = SequenceFacts.EventType(name: name)
    guard let type = definitions.eventType(name) else { return facts }
    facts.lagSeconds = age(newest(of: type))
    facts.freshnessSeconds = age(heard(of: type))
    facts.delaySeconds = live.delayMicros[name].map { Double($0) / 1e6 }
    return facts
  }

  /// When the newest event of a type arrived. What tables have of it is not told apart from the rest of its dataset.
  private func newest(of type: EventTypeDefinition) -> Int64? {
    live.newestSeenMicros[type.name] ?? tables.conditions[type.dataset]?.newestSeenMicros
  }

  /// Up to when all that arrived can be read: events come in the order of their arrival, whatever their type, and a batch
  /// has all that arrived until its horizon.
  private func heard(of type: EventTypeDefinition) -> Int64? {
    var times = [tables.conditions[type.dataset]?.horizonMicros].compactMap(\.self)
    for other in definitions.eventTypes where other.source == type.source {
      if let seen = live.newestSeenMicros[other.name] { times.append(seen) }
      if isOfOneSource(other.dataset), let seen = tables.conditions[other.dataset]?.newestSeenMicros {
        times.append(seen)
      }
    }
    return times.max()
  }

  private func isOfOneSource(_ dataset: String) -> Bool {
    Set(definitions.eventTypes(dataset: dataset).map(\.source)).count == 1
  }
}

/// The facts of sequences as they were last: made anew when tables or definitions have moved, or after a second.
final class FactBook: Sendable {
  private let facts = Mutex<[String: SequenceFacts]>([:])

  /// How old facts may be.
  static let ageLimitMicros: Int64 = 1_000_000
  /// How old they may be where a client is refused for them.
  static let shortAgeMicros: Int64 = 10_000

  /// - Parameters:
  ///   - ageLimitMicros: older facts are made anew.
  ///   - live: asked when they are.
  func facts(
    of plan: SequencePlan, _ served: ServedDefinitions, _ tables: ServedTablesState, nowMicros: Int64,
    ageLimitMicros: Int64 = FactBook.ageLimitMicros, live: () -> LiveStatistics
  ) -> SequenceFacts {
    let name = plan.definition.name
    if let known = facts.withLock({ $0[name] }), known.tables === tables, known.definitions == served.label,
      (0..<ageLimitMicros).contains(nowMicros - known.madeAtMicros)
    {
      return known
    }
    let made = SequenceFacts(plan, served, tables, live(), nowMicros: nowMicros)
    facts.withLock { $0[name] = made }
    return made
  }
}
