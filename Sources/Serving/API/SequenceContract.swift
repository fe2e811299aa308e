import Arrow
import Definitions
import JSONText
import SequenceStore

/// What can be relied on of a sequence: what it is, what is promised, and what is measured.
struct SequenceContract {
  private let sequence: SequenceDefinition
  private let facts: SequenceFacts
  private let access: Access
  /// Of the datasets that hold its events.
  private let datasets: [DatasetHealth]

  init(_ sequence: SequenceDefinition, _ facts: SequenceFacts, _ datasets: [DatasetHealth], for access: Access) {
    (self.sequence, self.facts, self.datasets, self.access) = (sequence, facts, datasets, access)
  }

  var json: JSONValue {
    var members: [String: JSONValue] = [
      "name": .string(sequence.name), "version": .integer(Int64(sequence.version)), "owner": .string(sequence.owner),
      "stage": .string(sequence.stage.rawValue), "event_types": .array(sequence.eventTypes.map { .string($0) }),
      "max_length": .integer(Int64(sequence.maximumLength)),
      "caps": .object(Dictionary(sequence.caps.map { ($0.eventType, .integer(Int64($0.count))) }) { $1 }),
      "definitions": .string(facts.definitions), "columns": columns(sequence.fields),
      "tables": .object(facts.tables.versions.mapValues { .integer($0) }), "promised": promised, "measured": measured,
    ]
    if sequence.objects != nil { members["objects"] = columns(sequence.objectFields) }
    if let window = sequence.windowMicros { members["window_seconds"] = .integer(window / 1_000_000) }
    return .object(members)
  }

  private func columns(_ fields: [Field]) -> JSONValue {
    let own = fields.filter { access.permits(column: $0.name, of: sequence.name) }
    return .array(own.map { ["name": .string($0.name), "type": .string($0.type.description)] })
  }

  private var promised: JSONValue {
    var members: [String: JSONValue] = [:]
    if let freshness = sequence.freshnessMicros { members["freshness_seconds"] = .number(Double(freshness) / 1e6) }
    if let completeness = sequence.completeness {
      members["completeness"] = [
        "share": .number(completeness.share), "after_seconds": .integer(completeness.delayMicros / 1_000_000),
      ]
    }
    return .object(members)
  }

  private var measured: JSONValue {
    var members: [String: JSONValue] = [
      "freshness": .object(Dictionary(facts.eventTypes.map { ($0.name, $0.json) }) { $1 })
    ]
    if let watermark = facts.watermark { members["watermark"] = .string(watermark) }
    if !facts.storedShares.isEmpty { members["coverage"] = .object(facts.storedShares.mapValues { .number($0) }) }
    let completeness = datasets.compactMap { dataset in
      dataset.replacements.first.map { (dataset.dataset, Self.completeness($0)) }
    }
    if !completeness.isEmpty { members["completeness"] = .object(Dictionary(completeness) { $1 }) }
    return .object(members)
  }

  /// How much of what the last batch brought had been there before, and as the batch has it.
  private static func completeness(_ replacement: DatasetHealth.Replacement) -> JSONValue {
    [
      "share": .number(replacement.rightShare), "days": .string(replacement.range),
      "events": .integer(Int64(replacement.rowCount)),
      "measured_at": .string(rfc3339(replacement.committedMillis * 1_000)),
    ]
  }
}
