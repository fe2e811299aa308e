import Buffers
import JSONColumns
import TestSupport
import Testing

/// However a document is spelled, it gives the same columns.
@Suite struct SpellingTests {
  /// A document's members, and how the encoder writes the row that is read from them.
  private indirect enum Value {
    case text(String)
    case literal(String)
    case array([Value])
    case object([(String, Value)])
  }

  private static let fields = [
    JSONFieldSpec(path: "id", type: .int64), JSONFieldSpec(path: "name", type: .string),
    JSONFieldSpec(path: "context.surface", type: .string), JSONFieldSpec(path: "context.inner.flag", type: .bool),
    JSONFieldSpec(path: "context.inner.weight", type: .float64), JSONFieldSpec(path: "items[].id", type: .int64),
    JSONFieldSpec(path: "items[].label", type: .string), JSONFieldSpec(path: "tags", type: .list(.string)),
  ]

  private static let alphabet = Array("abc XYZ_0189\"\\/\n\t\u{01}\u{7F}é漢😀\u{FFFD}")

  private func text(_ random: inout SeededRandom) -> String {
    String((0..<Int.random(in: 0...40, using: &random)).map { _ in Self.alphabet.randomElement(using: &random)! })
  }

  /// A random row in its plain form and what the encoder makes of it.
  private func row(_ random: inout SeededRandom) -> (document: Value, expected: String) {
    var expected: [(String, Value)] = []
    func note(_ path: String, _ value: Value) -> Value {
      expected.append((path, value))
      return value
    }
    let id = note("id", .literal("\(Int64(bitPattern: random.next()) >> Int64.random(in: 0..<64, using: &random))"))
    let name = note("name", .text(text(&random)))
    let surface = note("context.surface", .text(text(&random)))
    let flag = note("context.inner.flag", .literal(Bool.random(using: &random) ? "true" : "false"))
    let weight = note("context.inner.weight", .literal("\(Double.random(in: -1e6...1e6, using: &random))"))
    let count = Int.random(in: 0...3, using: &random)
    let ids = (0..<count).map { Value.literal("\($0 * 1_000_000_007)") }
    let labels = (0..<count).map { _ in Value.text(text(&random)) }
    _ = (note("items[].id", .array(ids)), note("items[].label", .array(labels)))
    let tags = note("tags", .array((0..<count).map { _ in .text(text(&random)) }))
    let items = zip(ids, labels).map { Value.object([("id", $0), ("label", $1)]) }
    let document = Value.object([
      ("id", id), ("name", name), ("items", .array(items)), ("tags", tags),
      ("context", .object([("surface", surface), ("inner", .object([("flag", flag), ("weight", weight)]))])),
    ])
    return (document, plain(.object(expected)))
  }

  /// The text that `JSONRowEncoder` writes.
  private func plain(_ value: Value) -> String {
    switch value {
    case .text(let text):
      var output = JSONOutput()
      output.append(string: text)
      return String(decoding: bytes(output.take()), as: UTF8.self)
    case .literal(let text): return text
    case .array(let elements): return "[" + elements.map(plain).joined(separator: ",") + "]"
    case .object(let members):
      return "{" + members.map { plain(.text($0.0)) + ":" + plain($0.1) }.joined(separator: ",") + "}"
    }
  }

  /// The same document with other blanks, escapes and key orders, unread members and repeated keys.
  private func spelled(_ value: Value, _ random: inout SeededRandom, _ effort: Int) -> String {
    func blank() -> String {
      effort == 0 ? "" : ["", "", " ", "\t", " \r "].randomElement(using: &random)!
    }
    switch value {
    case .text(let text): return blank() + quoted(text, &random, effort) + blank()
    case .literal(let text): return blank() + text + blank()
    case .array(let elements):
      let parts = elements.map { spelled($0, &random, effort) }
      return blank() + "[" + (parts.isEmpty ? blank() : parts.joined(separator: ",")) + "]" + blank()
    case .object(var members):
      if effort > 0 { disturb(&members, &random) }
      let parts = members.map { spelled(.text($0.0), &random, effort) + ":" + spelled($0.1, &random, effort) }
      return blank() + "{" + parts.joined(separator: ",") + "}" + blank()
    }
  }

  private func disturb(_ members: inout [(String, Value)], _ random: inout SeededRandom) {
    members.shuffle(using: &random)
    let unread = [
      "-0.5e-7", "null", plain(.text(text(&random))), #"[{"id":5},[]]"#, #"{"surface":"no","x":{}}"#,
    ].map(Value.literal)
    for _ in 0..<Int.random(in: 0...3, using: &random) {
      let key = ["other", "i", "idd", "names", "a much longer key than the others", ""].randomElement(using: &random)!
      members.insert(
        (key, unread.randomElement(using: &random)!), at: Int.random(in: 0...members.count, using: &random))
    }
    // An earlier member of the same key must not show.
    if let (key, _) = members.randomElement(using: &random) {
      members.insert((key, unread.randomElement(using: &random)!), at: 0)
    }
  }

  private func quoted(_ text: String, _ random: inout SeededRandom, _ effort: Int) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      if effort > 0, Int.random(in: 0..<8, using: &random) == 0 {
        for unit in UTF16.encode(scalar)! {
          let hex = String(unit, radix: 16, uppercase: Bool.random(using: &random))
          result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        }
      } else {
        result += String(plain(.text(String(scalar))).dropFirst().dropLast())
      }
    }
    return result + "\""
  }

  @Test(arguments: [0, 1])
  func everySpellingGivesTheSameColumns(effort: Int) throws {
    var random = SeededRandom(seed: UInt64(effort) + 17)
    let rows = (0..<600).map { _ in row(&random) }
    let text = rows.map { spelled($0.document, &random, effort) }.joined(separator: "\n")
    let result = try decode(text, Self.fields)
    #expect(result.rejections == [])
    let written = lines(result.batch)
    for (line, row) in zip(written, rows) { #expect(line == row.expected) }
    #expect(written.count == rows.count)
  }
}
