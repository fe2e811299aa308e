import Buffers
import Definitions
import JSONText
import TestSupport
import Testing

@Suite struct MalformedDefinitionsTests {
  private static let source =
    PythonDefinitions.prelude + """

      EventType("tag", source=log, owner="team", retention="90d", explode="tags", explode_key="element_index",
                columns={"name": "tags[].name"}, enrich=[Derive("size", "size(name)"), Derive("twice", "size * 2", at="request")])
      Sequence("s", owner="team", events=[click], columns=["ts", "dwell"], max_length=50, caps={click: 3}, window="7d",
               where="dwell > 3", freshness="1s", completeness="99% after 1d",
               derive=[Counter("n", "sum", "dwell", where="dwell > 1", window="1h"), Session("session", gap="30m"),
                       Gap("gap")], objects=Objects("item_id"),
               merge=Merge("item_id", within="1h", actions=MultiHot("event_type", ["click"], name="actions")))
      """

  /// Members that are left out where they do not apply.
  private static let optional: Set<String> = ["merge", "objects", "enrich_at_request"]

  /// A place in a document, from the outside in.
  private enum Step {
    case member(String)
    case element(Int)
  }

  @Test func aMemberMoreOrLessIsRefused() throws {
    let document = try PythonDefinitions.compile(Self.source).json
    for path in Self.paths(document) {
      if case .member(let name)? = path.last, !Self.optional.contains(name) {
        let without = Self.resealed(Self.edit(document, path.dropLast()) { Self.adding(name, nil, to: $0) })
        Self.expectRefusal(of: without, naming: "'\(name)' is missing")
      }
      let with = Self.resealed(Self.edit(document, path) { Self.adding("extra", 1, to: $0) })
      if with != Self.resealed(document) { Self.expectRefusal(of: with, naming: "'extra'") }
    }
  }

  @Test func aValueOfAnotherKindIsRefused() throws {
    let document = try PythonDefinitions.compile(Self.source).json
    for (index, path) in Self.paths(document).enumerated() {
      let value: JSONValue = index % 2 == 0 ? true : ["element": []]
      Self.expectRefusal(of: Self.resealed(Self.edit(document, path) { _ in value }), naming: nil)
    }
  }

  /// Nulls, empty and wrong values that may be legal by their kind: refused or read, but never more than that.
  @Test func anyOtherValueIsReadOrRefused() throws {
    let document = try PythonDefinitions.compile(Self.source).json
    let values: [JSONValue] = [.null, "", "x y", -1, 0, .integer(.max), .integer(.min), []]
    for (path, value) in Self.sample(Self.paths(document), values, seed: 1) {
      let text = Self.resealed(Self.edit(document, path) { _ in value }).text
      _ = try? DefinitionSet(parsing: text)
      _ = try? DefinitionSet(checking: text)
    }
  }

  @Test func declarationsOfAnyShapeAreCompiledOrRefused() throws {
    let document = try JSONValue(parsing: try PythonDefinitions.declarations(Self.source))
    let values: [JSONValue?] = [nil, .null, "", "x y", -1, .integer(.max), [], true, ["ref": "source", "name": "log"]]
    for (path, value) in Self.sample(Self.paths(document), values, seed: 2) {
      let text = Self.edit(document, path) { _ in value }.text
      _ = try? DefinitionSet(compiling: Declarations(parsing: text))
    }
  }

  /// Some of all pairs, the same for the same seed.
  private static func sample<Value>(_ paths: [[Step]], _ values: [Value], seed: UInt64) -> [([Step], Value)] {
    var random = SeededRandom(seed: seed)
    return (0..<400).map { _ in (paths.randomElement(using: &random)!, values.randomElement(using: &random)!) }
  }

  @Test func damagedTextIsRefused() throws {
    let set = try PythonDefinitions.compile(Self.source)
    let bytes = Array(set.text.utf8)
    var random = SeededRandom(seed: 7)
    for _ in 0..<100 {
      let cut = String(decoding: bytes.prefix(Int.random(in: 0..<bytes.count - 1, using: &random)), as: UTF8.self)
      #expect(throws: DefinitionErrors.self) { try DefinitionSet(parsing: cut) }
      var flipped = bytes
      flipped[Int.random(in: 0..<bytes.count - 1, using: &random)] ^= UInt8(1 << Int.random(in: 0..<7, using: &random))
      if let read = try? DefinitionSet(parsing: String(decoding: flipped, as: UTF8.self)) {
        #expect(read.digest == set.digest)
      }
    }
  }

  @Test func anotherFormatIsNamed() throws {
    let errors = #expect(throws: DefinitionErrors.self) { try DefinitionSet(parsing: #"{"format":2}"#, file: "d.json") }
    #expect(
      errors?.description
        == "d.json: format 2 is unknown, this program reads 1; compile the definitions with its seq-config")
  }

  @Test func allFaultsOfATextAreNamedAtOnce() throws {
    let text =
      #"{"format":1,"version":0,"digest":"","lookups":[{"name":"x"}],"datasets":[7],"event_types":{},"sequences":[]}"#
    let errors = #expect(throws: DefinitionErrors.self) { try DefinitionSet(parsing: text) }
    #expect(
      errors?.description.split(separator: "\n").map(String.init) == [
        "member 'sources' is missing; write it with seq-config compile",
        "lookups[0]: member 'table' is missing; write it with seq-config compile",
        "lookups[0]: member 'key' is missing; write it with seq-config compile",
        "lookups[0]: member 'key_type' is missing; write it with seq-config compile",
        "lookups[0]: member 'as_of' is missing; write it with seq-config compile",
        "lookups[0]: member 'columns' is missing; write it with seq-config compile",
        "datasets[0]: this is a number; give an object",
        "event_types: this is an object; give an array",
      ])
  }

  private static func expectRefusal(of document: JSONValue, naming problem: String?) {
    do throws(DefinitionErrors) {
      _ = try DefinitionSet(parsing: document.text)
      Issue.record("read in spite of \(problem ?? "a value of another kind"): \(document.text)")
    } catch {
      if let problem { #expect(error.description.contains(problem)) }
    }
  }

  /// The document with the digest of its content.
  private static func resealed(_ document: JSONValue) -> JSONValue {
    guard case .object(var members) = document, members["digest"] != nil else { return document }
    let (digest, version) = (members.removeValue(forKey: "digest"), members.removeValue(forKey: "version"))
    guard digest?.string != nil else { return document }
    let text = Array(JSONValue.object(members).text.utf8)
    let digits = unsafe String(XXHash64.hash(text.span.bytes), radix: 16)
    members["digest"] = .string(String(repeating: "0", count: 16 - digits.count) + digits)
    members["version"] = version
    return .object(members)
  }

  private static func adding(_ name: String, _ value: JSONValue?, to object: JSONValue) -> JSONValue {
    guard case .object(var members) = object else { return object }
    members[name] = value
    return .object(members)
  }

  /// Every place in the document but the whole.
  private static func paths(_ document: JSONValue) -> [[Step]] {
    switch document {
    case .object(let members):
      members.sorted { $0.key < $1.key }.flatMap { name, value in
        [[.member(name)]] + paths(value).map { [.member(name)] + $0 }
      }
    case .array(let elements):
      elements.enumerated().flatMap { index, value in [[.element(index)]] + paths(value).map { [.element(index)] + $0 }
      }
    default: []
    }
  }

  /// The document with one value changed, or taken out for nil.
  private static func edit(
    _ document: JSONValue, _ path: some Sequence<Step>, _ change: (JSONValue) -> JSONValue?
  ) -> JSONValue {
    edited(document, Array(path)[...], change) ?? document
  }

  private static func edited(
    _ value: JSONValue, _ path: ArraySlice<Step>, _ change: (JSONValue) -> JSONValue?
  ) -> JSONValue? {
    switch (path.first, value) {
    case (.member(let name)?, .object(var members)):
      members[name] = edited(members[name]!, path.dropFirst(), change)
      return .object(members)
    case (.element(let index)?, .array(var elements)):
      let element = edited(elements[index], path.dropFirst(), change)
      elements.replaceSubrange(index...index, with: element.map { [$0] } ?? [])
      return .array(elements)
    default: return change(value)
    }
  }
}
