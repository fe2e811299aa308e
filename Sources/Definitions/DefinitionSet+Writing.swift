import Arrow
import Buffers
import JSONText

extension DefinitionSet {
  /// The compiled form: `docs/definitions.md` describes it, `docs/definitions.schema.json` is its JSON Schema.
  package var json: JSONValue {
    var members = content
    members["version"] = .integer(Int64(version))
    members["digest"] = .string(digest)
    return .object(members)
  }

  /// The canonical text, ending in a newline: the same definitions have the same bytes.
  package var text: String { json.text + "\n" }

  /// What the digest covers.
  private var content: [String: JSONValue] {
    var content: [String: JSONValue] = [
      "format": .integer(Int64(Self.format)),
      "sources": .array(sources.map(\.json)),
      "lookups": .array(lookups.map(\.json)),
      "datasets": .array(datasets.map(\.json)),
      "event_types": .array(eventTypes.map(\.json)),
      "sequences": .array(sequences.map(\.json)),
    ]
    if shardCount > 1 { content["shards"] = .integer(Int64(shardCount)) }
    return content
  }

  /// XXH64, seed 0, of the canonical text of all members but `version` and `digest`, as 16 hexadecimal digits.
  var computedDigest: String {
    let text = Array(JSONValue.object(content).text.utf8)
    let digits = unsafe String(XXHash64.hash(text.span.bytes), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

extension JSONValue {
  fileprivate init(_ text: String?) { self = text.map { .string($0) } ?? .null }
  fileprivate init(_ number: Int64?) { self = number.map { .integer($0) } ?? .null }
  fileprivate init(_ number: Int) { self = .integer(Int64(number)) }
  fileprivate init(_ type: DataType) { self = .string(type.description) }
}

extension SourceDefinition {
  fileprivate var json: JSONValue {
    [
      "name": .string(name), "path": .string(path), "user": .string(user.text), "ts": .string(ts.text),
      "id": .string(id.text), "revision": JSONValue(revision?.text), "arrival": JSONValue(arrival?.text),
      "type": JSONValue(type?.text), "lateness_us": .integer(latenessMicros),
      "fields": .array(fields.map { ["path": .string($0.path.text), "type": .string($0.type.description)] }),
    ]
  }
}

extension LookupDefinition {
  fileprivate var json: JSONValue {
    [
      "name": .string(name), "table": .string(table), "key": .string(key), "key_type": .string(keyKind.rawValue),
      "as_of": asOf.map { ["column": .string($0.column), "type": .string("timestamp[\($0.text.rawValue)]")] } ?? .null,
      "columns": .array(columns.map(\.json)),
    ]
  }
}

extension LookupColumn {
  fileprivate var json: JSONValue {
    [
      "name": .string(name), "source": .string(source), "type": JSONValue(sourceType),
      "quantize": JSONValue(quantization?.rawValue),
    ]
  }
}

extension Field {
  fileprivate var json: JSONValue { ["name": .string(name), "type": JSONValue(type)] }
}

extension DatasetDefinition {
  fileprivate var json: JSONValue {
    ["name": .string(name), "columns": .array(schema.fields.map(\.json))]
  }
}

extension ComputedColumn {
  fileprivate var members: [String: JSONValue] {
    ["name": .string(name), "expression": .string(expression), "type": JSONValue(type)]
  }
}

extension Enrichment {
  fileprivate var json: JSONValue {
    switch self {
    case .derive(let column): .object(column.members.merging(["kind": "derive"]) { $1 })
    case .lookup(let use):
      ["kind": "lookup", "lookup": .string(use.lookup), "on": .string(use.on), "prefix": .string(use.prefix)]
    }
  }
}

extension EventTypeDefinition {
  fileprivate var json: JSONValue {
    var members: [String: JSONValue] = [
      "name": .string(name), "source": .string(source), "owner": .string(owner), "dataset": .string(dataset),
      "retention_us": .integer(retentionMicros), "where": .string(filter),
      "explode": explode.map { ["path": .string($0.path.text), "key": JSONValue($0.key)] } ?? .null,
      "columns": .array(columns.map { .object($0.members) }), "enrich": .array(enrichments.map(\.json)),
    ]
    if !requestEnrichments.isEmpty { members["enrich_at_request"] = .array(requestEnrichments.map(\.json)) }
    return .object(members)
  }
}

extension SequenceDefinition {
  fileprivate var json: JSONValue {
    var members: [String: JSONValue] = [
      "name": .string(name), "version": JSONValue(version), "owner": .string(owner), "stage": .string(stage.rawValue),
      "events": .array(eventTypes.map { .string($0) }), "where": JSONValue(filter),
      "max_length": JSONValue(maximumLength),
      "caps": .array(caps.map { ["event_type": .string($0.eventType), "count": JSONValue($0.count)] }),
      "window_us": JSONValue(windowMicros), "columns": .array(columns.map(\.json)),
      "derive": .array(history.map(\.json)), "freshness_us": JSONValue(freshnessMicros),
      "completeness": completeness.map { ["share": .number($0.share), "delay_us": .integer($0.delayMicros)] } ?? .null,
    ]
    if let merge { members["merge"] = merge.json }
    if let objects { members["objects"] = ["key": objects.key.json] }
    return .object(members)
  }
}

extension MergeDefinition {
  fileprivate var json: JSONValue {
    ["key": .string(key), "within_us": .integer(withinMicros), "actions": actions?.json ?? .null]
  }
}

extension MultiHot {
  fileprivate var json: JSONValue {
    ["name": .string(name), "column": .string(column), "values": .array(values.map { .string($0) })]
  }
}

extension HistoryColumn {
  fileprivate var json: JSONValue {
    var members: [String: JSONValue] = ["name": .string(name), "type": JSONValue(type)]
    switch computation {
    case .counter(let aggregate, let column, let filter, let window):
      members["kind"] = "counter"
      members["aggregate"] = .string(aggregate.rawValue)
      members["column"] = JSONValue(column)
      members["where"] = JSONValue(filter)
      members["window_us"] = JSONValue(window)
    case .session(let gap):
      members["kind"] = "session"
      members["gap_us"] = .integer(gap)
    case .gap(let filter):
      members["kind"] = "gap"
      members["where"] = JSONValue(filter)
    }
    return .object(members)
  }
}
