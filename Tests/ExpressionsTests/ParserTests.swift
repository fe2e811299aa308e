import Arrow
import Expressions
import TestSupport
import Testing

struct ParserTests {
  private func value(_ text: String) throws -> CELValue {
    var options = Expression.Options()
    options.requiresColumnType = false
    return try Expression.compile(text, schema: Schema([]), options: options).evaluate()
  }

  private func check(_ text: String, _ expected: CELValue) throws {
    let found = try value(text)
    #expect(found.isSame(as: expected), "\(text): \(found), expected \(expected)")
  }

  @Test func operatorsBindAsTheGrammarSays() throws {
    try check("1 + 2 * 3 - 4 / 2 % 3", .int(5))
    try check("-2 * -3", .int(6))
    try check("- 5 + 8", .int(3))
    try check("!true || true && !false", .bool(true))
    try check("1 < 2 == true", .bool(true))
    try check("true ? (false ? 1 : 2) : 3", .int(2))
    try check("false ? 1 : true ? 2 : 3", .int(2))
    try check("-(-9223372036854775807)", .int(.max))
    try check("--1", .int(1))
    try check("[1, 2, 3,][1] + {'a': 4,}.a", .int(6))
    try check("(1) in [1] == true", .bool(true))
  }

  @Test func literalsHaveAllTheirForms() throws {
    try check(".5 + 1e3 + 2.5E-1", .double(1000.75))
    try check("0xFFu", .uint(255))
    try check("-0x8000000000000000", .int(.min))
    try check("18446744073709551615U", .uint(.max))
    try check(#""a" + 'b' + """c"d""" + '''e'f''' + r"\n" + R'\'"#, .string(#"abc"de'f\n\"#))
    try check(#"b'\x41\101' + br'\x' + B"é""#, .bytes([0x41, 0x41, 0x5C, 0x78, 0xC3, 0xA9]))
    try check(#"'\u00e9\U0001F431\xe9\351\?\`\/'"#.replacing(#"\/"#, with: ""), .string("é🐱éé?`"))
    try check("'''a\nb'''", .string("a\nb"))
    try check("[\t1,\n2 // two\n,\u{C}3\r]", .list([.int(1), .int(2), .int(3)]))
    try check("1 == 1 // the end", .bool(true))
  }

  @Test(arguments: [
    "", " ", "1 +", "1 2", "a b", "'a\nb'", "'\\ud800'", "'\\U00110000'", "b'\\u0041'", "'\\400'", "'\\x4'", "1.e3",
    "0x",
    "1x", "[1", "{1}", "{1:}", "f(", "a.", "a..b", ".1.", "?", "a ? b", "true ? true ? 1 : 2 : 3", "1 = 1", "&& true",
    "true &", "\"", "`a`", "a.`", "a.``",
    "5 in", "in [1]", "a[", "9223372036854775808", "-9223372036854775809", "18446744073709551616u", "1e999", "@",
    "\u{0}",
    "é", "a.true", "false.a.in", "[,]", "{,}", "f(,)", "f(1,)",
  ])
  func malformedTextIsRefused(text: String) {
    #expect(throws: ExpressionErrors.self) { try value(text) }
  }

  @Test func nestingHasALimit() throws {
    for (open, close) in [
      ("(", ")"), ("[", "]"), ("[0].map(x, ", ")"), ("true ? (", ") : 1"), ("{'a': ", "}"), ("size([", "])"),
    ] {
      let nested = String(repeating: open, count: 60) + "1" + String(repeating: close, count: 60)
      #expect(throws: Never.self) { try value(nested) }
      let deep = String(repeating: open, count: 5_000) + "1" + String(repeating: close, count: 100_000)
      #expect(throws: ExpressionErrors.self) { try value(deep) }
    }
    #expect(throws: ExpressionErrors.self) { try value(String(repeating: "!", count: 5_000) + "true") }
    #expect(throws: ExpressionErrors.self) { try value(String(repeating: "-", count: 5_000) + "(1)") }
    #expect(throws: ExpressionErrors.self) { try value("a" + String(repeating: ".a", count: 5_000)) }
    #expect(throws: ExpressionErrors.self) { try value("[]" + String(repeating: "[0]", count: 5_000)) }
  }

  @Test func longChainsOfLogicAreFlat() throws {
    try check(Array(repeating: "false", count: 10_000).joined(separator: " || "), .bool(false))
    try check(Array(repeating: "true", count: 10_000).joined(separator: " && "), .bool(true))
    try check(Array(repeating: "1", count: 300).joined(separator: " + "), .int(300))
  }

  /// Pieces of expressions in random order: refused or evaluated, but no trap and no hang.
  @Test func anyTextIsRefusedOrEvaluated() {
    let pieces = [
      "a", "b.c", "1", "2u", "1.5", "'x'", "b'y'", "null", "true", "(", ")", "[", "]", "{", "}", ",", ":", "?", ".",
      "+", "-",
      "*", "/", "%", "!", "&&", "||", "==", "<", ">=", " in ", "size(", ".map(x,", ".exists(x,", "x", "has(",
      "timestamp(",
      "duration('1h')", "int(", "string(", "dyn(", ".getHours()", "`q`", "\\", "'", "\"", "\u{7F}", "é", "cel.bind(x,",
      "l",
    ]
    let schema = Schema([
      Field("a", .int64), Field("b.c", .utf8), Field("l", .list(Field("item", .float64))),
    ])
    var random = SeededRandom(seed: 11)
    let batch = RecordBatch(schema, schema.fields.map { random.array($0.type, count: 70) }, rowCount: 70)
    var evaluated = 0
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 1...9, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined()
      guard let expression = try? Expression.compile(text, schema: schema) else { continue }
      #expect(expression.evaluate(batch: batch).array.count == 70)
      evaluated += 1
    }
    #expect(evaluated > 100)
  }
}
