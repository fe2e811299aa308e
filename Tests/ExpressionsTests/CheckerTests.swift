import Arrow
import Expressions
import Testing

struct CheckerTests {
  static let schema = Schema([
    Field("user_id", .int64), Field("type", .utf8), Field("payload.dwell_ms", .int32), Field("payload.pin_id", .uint64),
    Field("context.surface", .utf8), Field("score", .float32), Field("ts", .timestampMicrosUTC),
    Field("item", .structure([Field("id", .int64), Field("category", .utf8)])),
    Field("amount", .decimal128(precision: 9, scale: 2)),
    Field("tags", .list(Field("item", .utf8))),
  ])

  private func errors(_ text: String) -> [String] {
    do throws(ExpressionErrors) {
      _ = try Expression.compile(text, schema: Self.schema)
      return []
    } catch {
      return error.errors.map(\.description)
    }
  }

  @Test(arguments: [
    ("payload.dwel_ms >= 1000", "1:1: unknown column 'payload.dwel_ms'; did you mean 'payload.dwell_ms'?"),
    ("dwell_ms >= 1000", "1:1: unknown column 'dwell_ms'; did you mean 'payload.dwell_ms'?"),
    ("true &&\n  surfac == 'ios'", "2:3: unknown column 'surfac'; declare it"),
    ("item.catgory == 'a'", "1:1: the structure has no field 'catgory'; did you mean 'category'?"),
    (
      "amount > 3",
      "1:1: column 'amount' of type decimal128(9, 2) is not supported; store it as int64, float64 or string"
    ),
    ("user_id == 'a'", "1:1: == does not take (int or null, string); convert the arguments"),
    (
      "payload.pin_id == 1",
      "1:1: == does not take (uint or null, int); make both the same type: 1 is an int, 1u a uint, 1.0 a double; "
        + "int(), uint() and double() convert"
    ),
    (
      "ts > '2026-01-01'",
      "1:1: > does not take (timestamp or null, string); write timestamp('2026-01-31T00:00:00Z') for a time"
    ),
    ("user_id && true", "1:1: && does not take (int or null); compare it to get a bool"),
    ("type.startWith('a')", "1:1: unknown function 'startWith'; did you mean 'startsWith'?"),
    ("contains(type, 'a')", "1:1: contains does not take (string or null, string); call it as value.contains(…)"),
    ("size()", "1:1: size does not take (); convert the arguments"),
    ("type.id", "1:1: string has no fields; remove the selection"),
    ("tags.exists(t, t > 3)", "1:16: > does not take (string or null, int); convert the arguments"),
    ("user_id.map(x, x)", "1:1: map does not take (int); give it a list or a map"),
    ("true ? 1 : 'a'", "1:12: ?: does not take (int, string); convert one branch, or wrap it in dyn()"),
    ("type ==", "1:8: found the end where a value belongs; complete the expression"),
    ("(type == 'a'", "1:13: found the end where ')' belongs; complete the expression"),
    ("type = 'a'", "1:6: character '=' has no meaning here; remove it"),
    ("type == 'a", "1:9: the quoted text does not end; close its quotes"),
    ("'\\q'", "1:2: escape '\\q' is not valid here; write \\\\ for a backslash"),
    ("99999999999999999999", "1:1: number '99999999999999999999' does not fit its type; write a smaller one"),
    ("while == 1", "1:1: 'while' is reserved; choose another name"),
    ("has(type)", "1:1: has() takes a selection, has(a.b); compare a column with null instead"),
    ("tags.all(t.x, true)", "1:10: all() takes a plain name for its variable"),
    ("tags.all(i, t, true)", "1:1: all() over two variables is not supported; walk the keys with one"),
    ("a.b.Message{field: 1}", "1:1: the message 'a.b.Message{…}' is not supported; write a map, {'field': value}"),
    ("item.?id", "1:6: optional selection '.?' is not supported; test with has() or in"),
    (
      "math.greatest(1, 2)", "1:1: 'math.greatest' of an extension library is not supported; use CEL's standard library"
    ),
    ("dyn(user_id)", "1:1: the result, dyn, fits no column; convert it, with string(…) say"),
    ("{1.5: 'a'}", "1:2: a map does not take (key: double); use an int, uint, string or bool"),
  ])
  func mistakesAreNamed(text: String, message: String) {
    #expect(errors(text) == [message])
  }

  @Test func allMistakesAreReportedAtOnce() {
    #expect(
      errors("typ == 'a' && score == 1 && user_id.foo() || payload.dwel_ms > 1").map { $0.prefix(4) } == [
        "1:1:", "1:15", "1:29", "1:46",
      ])
  }

  @Test func columnsReadAreListedInOrderOfUse() throws {
    let expression = try Expression.compile(
      "payload.dwell_ms > 1 && type == 'a' && item.id == user_id && payload.dwell_ms < 9", schema: Self.schema)
    #expect(expression.columnNames == ["payload.dwell_ms", "type", "item", "user_id"])
    #expect(expression.type == .bool)
    #expect(expression.columnType == .boolean)
  }

  @Test(arguments: [
    ("payload.dwell_ms", DataType.int32), ("payload.dwell_ms + 1", .int64), ("score", .float32),
    ("score * 2.0", .float64), ("ts", .timestampMicrosUTC), ("ts - ts", .duration(.micro)), ("'save'", .utf8),
    ("tags.map(t, size(t))", .list(Field("item", .int64))), ("item.category", .utf8), ("null", .null),
    ("ts.getHours()", .int64), ("has(payload.dwell_ms)", .boolean),
  ])
  func resultsHaveColumnTypes(text: String, type: DataType) throws {
    #expect(try Expression.compile(text, schema: Self.schema).columnType == type)
  }

  @Test(arguments: [
    ("1 / 0 > 1", "1:1: this always fails: division by zero"),
    ("type.matches('(')", "1:1: this always fails: invalid pattern: missing ): ("),
    ("ts > timestamp('2026-1-1')", "1:6: this always fails: '2026-1-1' cannot become timestamp"),
    (
      "ts.getHours('Mars/Olympus') > 1 && timestamp(0).getHours('Mars/Olympus') > 1",
      "1:36: this always fails: unknown time zone 'Mars/Olympus'"
    ),
  ])
  func constantsThatFailAreFound(text: String, message: String) throws {
    #expect(try Expression.compile(text, schema: Self.schema).failures.map(\.description) == [message])
  }

  @Test func constantResultsAreKnown() throws {
    let never = try Expression.compile("1 > 2 && 'a' == 'b'", schema: Self.schema)
    #expect(never.constant?.equals(.bool(false)) == true)
    let absorbed = try Expression.compile("user_id > 2 && 1 > 2", schema: Self.schema)
    #expect(absorbed.constant?.equals(.bool(false)) == true)
    #expect(try Expression.compile("user_id > 2", schema: Self.schema).constant == nil)
  }
}
