import Arrow
import JSONText

extension Declarations {
  /// Reads what `python3 -m seqline FILE.py` prints.
  ///
  /// Faults in the shape of a definition are kept, to be thrown with all others by `DefinitionSet.init(compiling:)`.
  /// - Throws: only what is no declarations at all.
  package init(parsing text: String) throws(DefinitionErrors) {
    let document: JSONValue
    do {
      document = try JSONValue(parsing: text)
    } catch {
      throw DefinitionErrors([DefinitionError(place: .init(), reason: .notJSON(error))])
    }
    if let failure = document["failed"] { throw DefinitionErrors([DefinitionError(failure: failure)]) }
    var reader = ObjectReader(document, at: .init(), faults: faults)
    _ = reader.integer("declarations", in: 1...1)
    sources = reader.declared("sources", "source") { SourceDefinition(declared: &$0, name: $1) }
    lookups = reader.declared("lookups", "lookup") { LookupDefinition(declared: &$0, name: $1) }
    eventTypes = reader.declared("event_types", "event type") { EventTypeDefinition(declared: &$0, name: $1) }
    sequences = reader.declared("sequences", "sequence") { SequenceDefinition(declared: &$0, name: $1) }
    shardCounts = reader.declared("stores", "store") { reader, _ in
      Int(reader.integer("shards", in: 1...Int64(DefinitionSet.shardCountLimit)))
    }
    reader.finish()
  }
}

extension DefinitionError {
  /// What Python says about a file that it cannot run.
  fileprivate init(failure: JSONValue) {
    let line = failure["line"]?.integer.map { Int(clamping: $0) }
    place = Place(file: failure["file"]?.string, line: line)
    reason = .python(failure["message"]?.string ?? "")
  }
}

extension ObjectReader {
  /// Definitions of one kind, each with the place where it was declared.
  fileprivate mutating func declared<Value>(
    _ name: String, _ kind: String, _ read: (inout ObjectReader, String) -> Value
  ) -> [Declared<Value>] {
    elements(name).map { value, _ in
      var place = DefinitionError.Place(definition: kind)
      place.file = value["at"]?["file"]?.string
      place.line = value["at"]?["line"]?.integer.map { Int(clamping: $0) }
      if let name = value["name"]?.string { place.definition = "\(kind) '\(name)'" }
      let before = faults.errors.count
      var reader = ObjectReader(value, at: place, faults: faults)
      reader.skip("at")
      let definition = read(&reader, kind == "store" ? "" : reader.string("name"))
      reader.finish()
      return Declared(value: definition, place: place, isSound: faults.errors.count == before)
    }
  }

  /// Microseconds, or -1 for what is none.
  fileprivate mutating func duration(_ name: String) -> Int64 {
    parsed(name, "duration", expected: DurationText.examples, DurationText.parse) ?? -1
  }

  fileprivate mutating func optionalDuration(_ name: String) -> Int64? {
    optionalParsed(name, "duration", expected: DurationText.examples, DurationText.parse)
  }

  /// The name of a definition of that kind, given as itself or by name.
  fileprivate func reference(_ value: JSONValue, _ kind: String, _ place: DefinitionError.Place) -> String? {
    if let name = value.string { return name }
    if value["ref"]?.string == kind { return value["name"]?.string ?? "" }
    let noun = kind.replacing("_", with: " ")
    faults.add(.wrongKind(found: value.kind, expected: "\(withArticle(noun)) or its name"), at: place)
    return nil
  }

  fileprivate mutating func reference(_ name: String, _ kind: String) -> String {
    take(name).flatMap { reference($0, kind, place.at(name)) } ?? ""
  }

  /// The part of that kind that is a member, or nil for none.
  fileprivate mutating func optionalStep<Value>(
    _ name: String, _ kind: String, expected: String, _ read: (inout ObjectReader) -> Value
  ) -> Value? {
    guard let value = take(name), value != .null else { return nil }
    guard value["kind"]?.string == kind else {
      faults.add(.wrongKind(found: value.kind, expected: expected), at: place.at(name))
      return nil
    }
    var reader = ObjectReader(value, at: place.at(name), faults: faults)
    reader.skip("kind")
    defer { reader.finish() }
    return read(&reader)
  }

  /// The entries of a dictionary, in order, whose values are strings.
  fileprivate mutating func entries(_ name: String) -> [(key: String, value: String, place: DefinitionError.Place)] {
    dictionary(name).compactMap { key, value, place in
      if let text = value.string { return (key, text, place) }
      faults.add(.wrongKind(found: value.kind, expected: "a string"), at: place)
      return nil
    }
  }

  fileprivate mutating func dictionary(
    _ name: String
  ) -> [(key: String, value: JSONValue, place: DefinitionError.Place)] {
    guard let value = take(name) else { return [] }
    guard let entries = value["entries"]?.array else {
      faults.add(.wrongKind(found: value.kind, expected: "a dictionary"), at: place.at(name))
      return []
    }
    return entries.compactMap { entry in
      guard let pair = entry.array, pair.count == 2, let key = pair[0].string else {
        faults.add(
          .wrongKind(found: entry.array?.first?.kind ?? entry.kind, expected: "a string as key"), at: place.at(name))
        return nil
      }
      return (key, pair[1], place.at("\(name).\(key)"))
    }
  }
}

extension SourceDefinition {
  fileprivate init(declared reader: inout ObjectReader, name: String) {
    self.name = name
    path = reader.string("path")
    user = FieldPath(reader.string("user"))
    ts = FieldPath(reader.string("ts"))
    id = FieldPath(reader.string("id"))
    revision = reader.optionalString("revision").map(FieldPath.init)
    arrival = reader.optionalString("arrival").map(FieldPath.init)
    type = reader.optionalString("type").map(FieldPath.init)
    latenessMicros = reader.duration("lateness")
    fields = []
    for (path, text, place) in reader.entries("fields") {
      if let type = FieldType(text: text) {
        fields.append(SourceField(path: FieldPath(path), type: type))
      } else {
        reader.faults.add(.malformed(what: "type", text: text, expected: "one such as \(fieldTypeExamples)"), at: place)
      }
    }
  }
}

extension LookupDefinition {
  fileprivate init(declared reader: inout ObjectReader, name: String) {
    self.name = name
    table = reader.string("table")
    columns = []
    for (name, text, place) in reader.entries("columns") {
      let (source, typeText) = Self.split(text) ?? (name, text)
      if let type = DataType(text: typeText) {
        columns.append(LookupColumn(name: name, source: source, sourceType: type))
      } else {
        let expected = "one such as 'string' or, with the column's name in the table, '\(source): string'"
        reader.faults.add(.malformed(what: "type", text: typeText, expected: expected), at: place)
      }
    }
    (key, keyKind, asOf) = ("", .integer, nil)
    quantize(&reader)
    readKey(&reader)
    readAsOf(&reader)
  }

  /// `item_id`, or with its type `code: string`.
  private mutating func readKey(_ reader: inout ObjectReader) {
    let text = reader.string("key")
    guard let (name, type) = Self.split(text) else {
      key = text
      return
    }
    key = name
    if let kind = KeyKind(rawValue: type) {
      keyKind = kind
    } else {
      let expected = list(KeyKind.allCases.map(\.rawValue))
      reader.faults.add(.malformed(what: "key type", text: type, expected: expected), at: reader.place.at("key"))
    }
  }

  /// `valid_from`, or with the way it writes times `created_ts: timestamp[ms]`.
  private mutating func readAsOf(_ reader: inout ObjectReader) {
    guard let text = reader.optionalString("as_of") else { return }
    guard let (name, type) = Self.split(text) else {
      asOf = AsOf(column: text, text: .rfc3339)
      return
    }
    if let kind = TimestampText(type: type) {
      asOf = AsOf(column: name, text: kind)
    } else {
      let reason = DefinitionError.Reason.malformed(
        what: "type of a time", text: type, expected: TimestampText.examples)
      reader.faults.add(reason, at: reader.place.at("as_of"))
    }
  }

  private mutating func quantize(_ reader: inout ObjectReader) {
    let names = columns.map(\.name)
    for (name, text, place) in reader.entries("quantize") {
      guard let index = names.firstIndex(of: name) else {
        reader.faults.add(.unknown("column", name, known: names), at: place)
        continue
      }
      columns[index].quantization = Quantization(rawValue: text)
      if columns[index].quantization == nil {
        let expected = list(Quantization.allCases.map(\.rawValue))
        reader.faults.add(.malformed(what: "quantization", text: text, expected: expected), at: place)
      }
    }
  }

  /// The parts of `column: type`.
  private static func split(_ text: String) -> (name: String, type: String)? {
    guard let colon = text.firstIndex(of: ":") else { return nil }
    return (trimmed(text[..<colon]), trimmed(text[text.index(after: colon)...]))
  }
}

/// Without the blanks around it.
private func trimmed(_ text: Substring) -> String {
  var text = text
  while text.first == " " { text.removeFirst() }
  while text.last == " " { text.removeLast() }
  return String(text)
}

extension EventTypeDefinition {
  fileprivate init(declared reader: inout ObjectReader, name: String) {
    self.name = name
    source = reader.reference("source", "source")
    owner = reader.string("owner")
    dataset = reader.string("dataset")
    retentionMicros = reader.duration("retention")
    filter = reader.string("where")
    let key = reader.optionalString("explode_key")
    explode = reader.optionalString("explode").map { path in
      Explode(path: FieldPath(path.hasSuffix("[]") ? String(path.dropLast(2)) : path), key: key)
    }
    if explode == nil, key != nil { reader.faults.add(.keyWithoutExplode, at: reader.place.at("explode_key")) }
    columns = reader.entries("columns").map { ComputedColumn(name: $0.key, expression: $0.value, type: .null) }
    (enrichments, requestEnrichments) = ([], [])
    for (step, place) in reader.elements("enrich") {
      guard let kind = step["kind"]?.string,
        let (enrichment, time) = Enrichment.declared(step, kind, place, &reader)
      else {
        let expected = "a lookup's on(column) or a Derive"
        reader.faults.add(.wrongKind(found: step.kind, expected: expected), at: place)
        continue
      }
      if time == .request { requestEnrichments.append(enrichment) } else { enrichments.append(enrichment) }
    }
  }
}

extension Enrichment {
  /// - Returns: nil when an event type takes no step of that kind.
  fileprivate static func declared(
    _ step: JSONValue, _ kind: String, _ place: DefinitionError.Place, _ outer: inout ObjectReader
  ) -> (Enrichment, EnrichmentTime)? {
    var reader = ObjectReader(step, at: place, faults: outer.faults)
    reader.skip("kind")
    let enrichment: Enrichment
    switch kind {
    case "lookup":
      let lookup = reader.reference("lookup", "lookup")
      enrichment = .lookup(LookupUse(lookup: lookup, on: reader.string("on"), prefix: reader.string("prefix")))
    case "derive":
      let (name, expression) = (reader.string("name"), reader.string("expression"))
      enrichment = .derive(ComputedColumn(name: name, expression: expression, type: .null))
    default: return nil
    }
    let time: EnrichmentTime = reader.choice("at", "time of an enrichment") ?? .index
    reader.finish()
    return (enrichment, time)
  }
}

extension SequenceDefinition {
  fileprivate init(declared reader: inout ObjectReader, name: String) {
    self.name = name
    version = Int(reader.integer("version", in: 1...Int64(Int32.max)))
    owner = reader.string("owner")
    stage = reader.choice("stage", "stage") ?? .development
    eventTypes = []
    for (value, place) in reader.elements("events") {
      if let name = reader.reference(value, "event_type", place) { eventTypes.append(name) }
    }
    filter = reader.optionalString("where")
    maximumLength = Int(reader.integer("max_length", in: 1...Int64(Int32.max)))
    caps = []
    for (name, value, place) in reader.dictionary("caps") {
      if let count = reader.integer(value, at: place, in: 1...Int64(Int32.max)) {
        caps.append(Cap(eventType: name, count: Int(count)))
      }
    }
    windowMicros = reader.optionalDuration("window")
    columns = reader.strings("columns").map { Field($0, .null) }
    history = []
    for (step, place) in reader.elements("derive") {
      guard let kind = step["kind"]?.string, let column = HistoryColumn(declared: step, kind, place, &reader) else {
        reader.faults.add(.wrongKind(found: step.kind, expected: "a Counter, Session or Gap"), at: place)
        continue
      }
      history.append(column)
    }
    merge = reader.optionalStep("merge", "merge", expected: "a Merge") { MergeDefinition(declared: &$0) }
    objects = reader.optionalStep("objects", "objects", expected: "an Objects") { objects in
      ObjectsDefinition(key: Field(objects.string("key"), .null))
    }
    freshnessMicros = reader.optionalDuration("freshness")
    completeness = reader.optionalParsed(
      "completeness", "promise", expected: Completeness.examples, Completeness.init(text:))
  }
}

extension MergeDefinition {
  fileprivate init(declared reader: inout ObjectReader) {
    key = reader.string("key")
    withinMicros = reader.duration("within")
    actions = reader.optionalStep("actions", "multihot", expected: "a MultiHot") { actions in
      let column = MultiHot(
        name: actions.string("name"), column: actions.string("column"), values: actions.strings("values"))
      actions.checkCount(column.values, in: 1...MultiHot.valueLimit, "values")
      return column
    }
  }
}

extension HistoryColumn {
  /// - Returns: nil when a sequence takes no column of that kind.
  fileprivate init?(
    declared step: JSONValue, _ kind: String, _ place: DefinitionError.Place, _ outer: inout ObjectReader
  ) {
    var reader = ObjectReader(step, at: place, faults: outer.faults)
    reader.skip("kind")
    name = reader.string("name")
    type = .null
    switch kind {
    case "counter":
      computation = .counter(
        reader.choice("aggregate", "aggregate") ?? .count, column: reader.optionalString("column"),
        filter: reader.optionalString("where"), windowMicros: reader.optionalDuration("window"))
    case "session": computation = .session(gapMicros: reader.duration("gap"))
    case "gap": computation = .gap(filter: reader.optionalString("where"))
    default: return nil
    }
    reader.finish()
  }
}
