import Arrow
import JSONText

extension DefinitionSet {
  /// Parses the compiled form: its shape, every name it refers to, and its digest.
  ///
  /// What an expression says is not checked again: `init(checking:)` does that.
  /// - Parameter file: named in the errors.
  /// - Throws: all that is wrong, not the first.
  package init(parsing text: String, file: String? = nil) throws(DefinitionErrors) {
    try self.init(parsing: text, file: file, isDigestChecked: true)
  }

  init(parsing text: String, file: String?, isDigestChecked: Bool) throws(DefinitionErrors) {
    let place = DefinitionError.Place(file: file)
    let document: JSONValue
    do {
      document = try JSONValue(parsing: text)
    } catch {
      throw DefinitionErrors([DefinitionError(place: place, reason: .notJSON(error))])
    }
    try self.init(document, place: place, isDigestChecked: isDigestChecked)
  }

  private init(
    _ document: JSONValue, place: DefinitionError.Place, isDigestChecked: Bool
  ) throws(DefinitionErrors) {
    if case .integer(let format)? = document["format"], format != Int64(Self.format) {
      throw DefinitionErrors([DefinitionError(place: place, reason: .unsupportedFormat(format))])
    }
    let faults = Faults()
    var reader = ObjectReader(document, at: place, faults: faults)
    _ = reader.integer("format")
    version = Int(reader.integer("version", in: 0...Int64(Int32.max)))
    digest = reader.string("digest")
    sources = reader.objects("sources") { SourceDefinition(&$0) }
    lookups = reader.objects("lookups") { LookupDefinition(&$0) }
    datasets = reader.objects("datasets") { DatasetDefinition(&$0) }
    eventTypes = reader.objects("event_types") { EventTypeDefinition(&$0) }
    sequences = reader.objects("sequences") { SequenceDefinition(&$0) }
    shardCount = Int(reader.integerIfThere("shards", in: 2...Int64(Self.shardCountLimit)) ?? 1)
    reader.finish()
    if faults.errors.isEmpty { checkReferences(place, faults) }
    if isDigestChecked, faults.errors.isEmpty, digest != computedDigest {
      faults.add(.digestDiffers(found: digest, expected: computedDigest), at: place.at("digest"))
    }
    guard faults.errors.isEmpty else { throw DefinitionErrors(faults.errors) }
  }
}

extension DefinitionSet {
  /// Notes the names that no definition has.
  private func checkReferences(_ place: DefinitionError.Place, _ faults: Faults) {
    func check(_ name: String, _ kind: String, _ known: [String], _ definition: String, _ field: String) {
      guard !known.contains(name) else { return }
      var place = place
      (place.definition, place.field) = (definition, field)
      faults.add(.unknown(kind, name, known: known), at: place)
    }
    for eventType in eventTypes {
      let definition = "event type '\(eventType.name)'"
      check(eventType.source, "source", sources.map(\.name), definition, "source")
      check(eventType.dataset, "dataset", datasets.map(\.name), definition, "dataset")
      for case .lookup(let use) in eventType.enrichments + eventType.requestEnrichments {
        check(use.lookup, "lookup", lookups.map(\.name), definition, "enrich")
      }
    }
    for sequence in sequences {
      for name in sequence.eventTypes {
        check(name, "event type", eventTypes.map(\.name), "sequence '\(sequence.name)'", "events")
      }
    }
  }
}

extension ObjectReader {
  fileprivate mutating func type(_ name: String) -> DataType {
    parsed(name, "type", expected: "one such as \(typeExamples)", DataType.init(text:)) ?? .null
  }

  fileprivate mutating func path(_ name: String) -> FieldPath { FieldPath(string(name)) }

  fileprivate mutating func optionalPath(_ name: String) -> FieldPath? { optionalString(name).map(FieldPath.init) }

  fileprivate mutating func columns(_ name: String) -> [Field] {
    objects(name) { Field($0.string("name"), $0.type("type")) }
  }
}

extension SourceDefinition {
  fileprivate init(_ reader: inout ObjectReader) {
    name = reader.string("name")
    path = reader.string("path")
    user = reader.path("user")
    ts = reader.path("ts")
    id = reader.path("id")
    revision = reader.optionalPath("revision")
    arrival = reader.optionalPath("arrival")
    type = reader.optionalPath("type")
    latenessMicros = reader.integer("lateness_us")
    fields = reader.objects("fields") { field in
      let type = field.parsed("type", "type", expected: "one such as \(fieldTypeExamples)", FieldType.init(text:))
      return SourceField(path: field.path("path"), type: type ?? .json)
    }
  }
}

extension LookupDefinition {
  fileprivate init(_ reader: inout ObjectReader) {
    name = reader.string("name")
    table = reader.string("table")
    key = reader.string("key")
    keyKind = reader.choice("key_type", "key type") ?? .integer
    asOf = reader.optionalObject("as_of") { member in
      let text = member.parsed("type", "type", expected: TimestampText.examples, TimestampText.init(type:))
      return AsOf(column: member.string("column"), text: text ?? .rfc3339)
    }
    columns = reader.objects("columns") { column in
      LookupColumn(
        name: column.string("name"), source: column.string("source"), sourceType: column.type("type"),
        quantization: column.optionalChoice("quantize", "quantization"))
    }
  }
}

extension DatasetDefinition {
  fileprivate init(_ reader: inout ObjectReader) {
    name = reader.string("name")
    let columns = reader.columns("columns")
    let system = SystemColumns.stored(userType: columns.first?.type == .utf8 ? .utf8 : .int64)
    let isList = reader.members["columns"]?.array != nil
    if isList, !columns.starts(with: system, by: { $0.name == $1.name && $0.type == $1.type }) {
      reader.faults.add(.systemColumnsMissing(system.map { "\($0.name): \($0.type)" }), at: reader.place.at("columns"))
    }
    schema = Schema(system + columns.dropFirst(system.count))
  }
}

extension ComputedColumn {
  fileprivate init(_ reader: inout ObjectReader) {
    self.init(name: reader.string("name"), expression: reader.string("expression"), type: reader.type("type"))
  }
}

extension Enrichment {
  private enum Kind: String, CaseIterable { case lookup, derive }

  fileprivate init(_ reader: inout ObjectReader) {
    switch reader.choice("kind", "kind of enrichment") ?? Kind.lookup {
    case .lookup:
      self = .lookup(
        LookupUse(lookup: reader.string("lookup"), on: reader.string("on"), prefix: reader.string("prefix")))
    case .derive: self = .derive(ComputedColumn(&reader))
    }
  }
}

extension EventTypeDefinition {
  fileprivate init(_ reader: inout ObjectReader) {
    name = reader.string("name")
    source = reader.string("source")
    owner = reader.string("owner")
    dataset = reader.string("dataset")
    retentionMicros = reader.integer("retention_us")
    filter = reader.string("where")
    explode = reader.optionalObject("explode") { Explode(path: $0.path("path"), key: $0.optionalString("key")) }
    columns = reader.objects("columns") { ComputedColumn(&$0) }
    enrichments = reader.objects("enrich") { Enrichment(&$0) }
    requestEnrichments = reader.objectsIfThere("enrich_at_request") { Enrichment(&$0) }
  }
}

extension SequenceDefinition {
  fileprivate init(_ reader: inout ObjectReader) {
    name = reader.string("name")
    version = Int(reader.integer("version", in: 1...Int64(Int32.max)))
    owner = reader.string("owner")
    stage = reader.choice("stage", "stage") ?? .development
    eventTypes = reader.strings("events")
    filter = reader.optionalString("where")
    maximumLength = Int(reader.integer("max_length", in: 1...Int64(Int32.max)))
    caps = reader.objects("caps") { cap in
      Cap(eventType: cap.string("event_type"), count: Int(cap.integer("count", in: 1...Int64(Int32.max))))
    }
    windowMicros = reader.optionalInteger("window_us")
    columns = reader.columns("columns")
    history = reader.objects("derive") { HistoryColumn(&$0) }
    merge = reader.objectIfThere("merge") { MergeDefinition(&$0) }
    objects = reader.objectIfThere("objects") { objects in
      ObjectsDefinition(key: objects.object("key") { Field($0.string("name"), $0.type("type")) } ?? Field("", .null))
    }
    freshnessMicros = reader.optionalInteger("freshness_us")
    completeness = reader.optionalObject("completeness") { promise in
      Completeness(share: promise.number("share"), delayMicros: promise.integer("delay_us"))
    }
  }
}

extension MergeDefinition {
  fileprivate init(_ reader: inout ObjectReader) {
    key = reader.string("key")
    withinMicros = reader.integer("within_us")
    actions = reader.optionalObject("actions") { actions in
      let column = MultiHot(
        name: actions.string("name"), column: actions.string("column"), values: actions.strings("values"))
      actions.checkCount(column.values, in: 1...MultiHot.valueLimit, "values")
      return column
    }
  }
}

extension HistoryColumn {
  private enum Kind: String, CaseIterable { case counter, session, gap }

  fileprivate init(_ reader: inout ObjectReader) {
    name = reader.string("name")
    type = reader.type("type")
    switch reader.choice("kind", "kind of derived column") ?? Kind.session {
    case .counter:
      computation = .counter(
        reader.choice("aggregate", "aggregate") ?? .count, column: reader.optionalString("column"),
        filter: reader.optionalString("where"), windowMicros: reader.optionalInteger("window_us"))
    case .session:
      computation = .session(gapMicros: reader.integer("gap_us"))
      if type != .timestampMicrosUTC {
        let reason = DefinitionError.Reason.typeDiffers(recorded: type, deduced: .timestampMicrosUTC)
        reader.faults.add(reason, at: reader.place.at("type"))
      }
    case .gap: computation = .gap(filter: reader.optionalString("where"))
    }
  }
}

/// For messages.
let typeExamples = "'int64', 'float32', 'bool', 'string', 'timestamp[us, UTC]', 'float32[64]' or 'list<string>'"
let fieldTypeExamples =
  "'int64', 'float64', 'bool', 'string', 'timestamp[ms]', 'timestamp[rfc3339]', 'json' or 'list<string>'"
