import Arrow
import Expressions
import TestSupport
import Testing

/// The column kernels against the interpreter: for every row the same value, or failed alike.
struct AgreementTests {
  static let schema = Schema([
    Field("flag", .boolean), Field("i8", .int8), Field("i32", .int32), Field("i64", .int64), Field("j64", .int64),
    Field("u16", .uint16), Field("u64", .uint64), Field("f16", .float16), Field("f32", .float32),
    Field("f64", .float64),
    Field("s", .utf8), Field("t", .utf8), Field("b", .binary), Field("payload.dwell_ms", .int32, isNullable: false),
    Field("ts", .timestampMicrosUTC), Field("seen", .timestampMicrosUTC), Field("ms", .timestamp(.milli, zone: nil)),
    Field("ns", .timestamp(.nano, zone: "UTC")), Field("day", .date32), Field("gap", .duration(.milli)),
    Field("ints", .list(Field("item", .int32))), Field("names", .list(Field("item", .utf8))),
    Field("nested", .list(Field("item", .list(Field("item", .int8))))),
    Field("pair", .fixedSizeList(Field("item", .float32), count: 2)),
    Field("item", .structure([Field("id", .int64), Field("tags", .list(Field("item", .utf8)))])),
    Field(
      "props",
      .map(
        entries: Field("entries", .structure([Field("key", .utf8, isNullable: false), Field("value", .int32)])),
        keysSorted: false)),
    Field("dict", .dictionary(index: .int8, value: .utf8, isOrdered: false)),
    Field("codes", .dictionary(index: .uint16, value: .int64, isOrdered: false)), Field("nothing", .null),
    Field("items", .list(Field("item", .structure([Field("n", .int32), Field("w", .utf8)])))),
  ])

  static let expressions = [
    // Comparisons with constants of each width, beyond the width, of other numbers, from either side.
    "i8 == 3", "i8 != 3", "i8 < 3", "i8 <= 3", "i8 > 3", "i8 >= 3", "i8 < 1000", "i8 > -1000", "i8 == 1000",
    "i32 >= 7", "7 >= i32", "i64 < 5", "u16 == 4u", "u64 > 3u", "u16 > -1", "u64 < 2", "i64 > 2u", "i64 >= 2.5",
    "u64 < 2.5", "f64 < 0.5", "f32 >= 0.5", "f16 == 1.0", "f64 > 1", "f64 != 2.0", "0.25 < f64", "f64 == 0.0/0.0",
    "f32 != 0.0/0.0", "flag == true", "flag != true", "flag == false", "flag < true", "i64 > 18446744073709551615u",
    // Columns with columns.
    "i64 == j64", "i64 != j64", "i64 < j64", "i8 <= i32", "i64 > u64", "u16 <= u64", "f32 < f64", "i64 < f64",
    "s == t", "s != t", "s < t", "s >= t", "flag == flag", "ts < seen", "ts == seen", "ts <= ms", "ns > ts", "day < ts",
    "b == b", "b <= b", "dict == s", "codes == i64", "codes < j64",
    // Texts.
    "s == ''", "s == 'a'", "s != 'exactly-16-bytes'", "s < 'pin'", "s >= 'a'", "'pin' > s", "s == 'seventeen bytes !'",
    "b == b'a'", "s.startsWith('a')", "s.endsWith('n')", "s.contains('ee')", "s.contains('')", "s.matches('^.*e+.*$')",
    "s.matches(t)", "s.startsWith(t)", "size(s)", "s.size() > 1", "s + t", "'<' + s + '>'", "b + b'x'", "size(b)",
    "dict == 'a'", "dict != 'a'", "dict < 'pin'", "dict in ['a', 'pin']", "dict.startsWith('a')", "dict.matches('a|b')",
    "dict == null", "dict + '!'", "size(dict)", "codes > 2", "codes in [1, 2, 3]", "codes + 1",
    // Membership.
    "s in ['a']", "s in ['a', 'exactly-16-bytes', 'pin', 'ba', '', 'abc', 'c', 'ca', 'wörld', 'seventeen bytes !']",
    "s in []", "i32 in [1, 2, 3]", "i64 in [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]", "u16 in [1u, 2u]", "i8 in [300, 4]",
    "f64 in [0.5, 1.0]", "i64 in ints", "s in names", "s in props", "dyn(i64) in [1.0, 2u, 'a', null]",
    "dyn(s) in ['a', null]", "b in [b'a', b'pin']", "ts in [timestamp(3)]", "i64 in {1: 'a', 2: 'pin'}",
    // Null.
    "s == null", "s != null", "null == i64", "nothing == null", "nothing == nothing", "has(payload.dwell_ms)",
    "payload.dwell_ms >= 10", "dyn(i64) == s", "dyn(null) == i64", "item == null", "ints == null",
    // Logic: errors from null and from division.
    "flag && i64 > 3", "i64 > 3 || flag", "!flag", "!(i64 > 3)", "!flag || s == 'a' && f64 > 0.0",
    "flag && 1 / i64 > 0",
    "1 / i64 > 0 || flag", "flag ? i64 > 1 : s == 'a'", "flag || true", "false && flag",
    "flag && s == 'a' && 10 / i8 > 1",
    "i64 == 3 && s.matches('e')", "i64 != 3 || names.exists(n, n == s)", "i64 == 3 && s.contains('e') && 1 / i8 > 0",
    "i64 == 3 && ts.getHours(t) > 1 || flag", "ints.exists(x, x == 3 && names.exists(n, n == s && i64 > x))",
    "flag ? i64 : j64", "flag ? i32 : 7", "flag ? s : 'none'", "i64 > 3 ? s : t", "flag ? null : i64",
    "flag ? ts : seen",
    "flag ? ints : [1]", "flag ? dyn(1) : dyn('a')", "flag ? f64 : 1.5", "flag ? dict : s", "true ? i64 : j64",
    // Arithmetic.
    "i64 + 1", "i64 - j64", "i64 * j64", "i64 / j64", "i64 % 3", "10 / i64", "10 % i32", "-i64", "-f64", "i8 * i8",
    "i64 * 9223372036854775807", "i64 + 9223372036854775800", "u64 - u16", "u64 + 1u", "u64 * u64", "u64 / 3u",
    "f64 + f32", "f64 / 0.0", "1.0 - f64", "f64 * 2.0", "(i64 + 1) * (j64 - 2) > 7", "u16 % 3u", "-i8 + i32",
    // Conversions.
    "int(f64)", "int(u64)", "int(s)", "int(ts)", "uint(i64)", "uint(f64)", "double(i64)", "double(u64)", "double(s)",
    "string(i64)", "string(f64)", "string(flag)", "string(ts)", "string(s)", "string(b)", "bytes(s)", "bool(s)",
    "timestamp(i64)", "string(gap)", "int(i8)", "double(f32)", "string(codes)",
    // Times.
    "ts > timestamp('1970-01-01T00:00:00.000007Z')", "ms >= timestamp('1970-01-01T00:00:00.0075Z')",
    "ms == timestamp('1970-01-01T00:00:00.0075Z')", "day < timestamp('1970-01-09T00:00:00Z')", "ts - seen",
    "ts + duration('1h')", "duration('1s') + ts", "ts - duration('1ns')", "ts - duration('10us') > seen", "ms + gap",
    "gap + gap", "gap - duration('5ms')", "gap > duration('7ms')", "ts - ms", "ts.getFullYear()", "ts.getHours()",
    "(ts - duration('2000000h')).getMinutes()", "ns.getSeconds()",
    "ts.getMilliseconds()", "ts.getDayOfWeek('America/New_York')", "day.getMonth()", "ms.getSeconds()",
    "ts.getMinutes('+05:30')", "ts.getHours(s)", "gap.getSeconds()", "gap.getMilliseconds()", "gap.getHours()",
    "ns.getMilliseconds()", "timestamp('9999-12-31T23:59:59Z') + gap", "day.getDate() + day.getDayOfMonth()",
    "ms.getDayOfYear() + ms.getDayOfWeek()", "ts == timestamp('2300-01-01T00:00:00Z')",
    "ns < timestamp('9000-01-01T00:00:00Z')",
    // Lists, structures and maps.
    "size(ints)", "ints[0]", "ints[1] > 3", "ints[i64]", "names[0] == 'a'", "pair[1] > 0.5", "size(pair)",
    "item.id > 3",
    "has(item.id)", "item.tags[0]", "size(item.tags)", "props['a']", "props.a", "has(props.a)", "'a' in props",
    "size(props)", "[i64, j64]", "[i64, 1][0]", "{'k': i64}['k']", "{s: i64}", "ints + [1]", "ints == [1, 2]",
    "type(i64) == int", "nested[0][0]", "items[0].n", "items[0].w == 'a'",
    // Macros.
    "ints.exists(x, x > 5)", "ints.all(x, x > 5)", "ints.exists_one(x, x > 5)", "ints.filter(x, x > 5)",
    "ints.map(x, x * 2)", "ints.map(x, x > 3, x + i64)", "ints.exists(x, x == i64)", "names.exists(n, n == s)",
    "names.all(n, n.startsWith('a') || n == t)", "nested.exists(l, l.exists(x, x > 3))",
    "nested.map(l, l.filter(x, x > i8))", "nested.map(l, size(l))", "pair.exists(x, x > 0.5)",
    "['a', 'pin'].exists(p, s.startsWith(p))", "[1, 2, 3].filter(x, x < i64)", "[1, 2, 3].map(x, x * i64)",
    "[1, 2].exists_one(x, x == i64)", "props.exists(k, k == s)", "props.all(k, props[k] > 3)",
    "items.exists(e, e.n > 3 && e.w == s)", "items.map(e, e.n)", "items.filter(e, e.w == 'a').map(e, e.n + 1)",
    "ints.exists(x, 10 / x > 2)", "ints.all(x, 10 / x > 2)", "ints.map(x, 10 / x)", "ints.filter(x, 10 / x > 2)",
    "ints.exists_one(x, 10 / x > 2)", "ints.map(x, [x, x]).map(y, y[0])", "names.map(n, n + s)",
    "names.map(n, size(n))", "ints.map(x, ts)", "ints.map(x, ints.exists(y, y > x))", "names.filter(n, n != null)",
    "ints.map(x, x == null ? 0 : x)", "nested.exists(l, l == [1])", "[flag].exists(f, f)",
    // Bindings and what is left.
    "cel.bind(x, i64 + 1, x * x)", "cel.bind(x, 1 / i64, flag || x > 0)", "ints.exists(x, cel.bind(y, x + i64, y > 7))",
    "i64", "s", "ints", "flag", "1", "'a'", "null", "[1, 2]", "timestamp(0)", "duration('1.5s')", "1 / 0", "true",
  ]

  @Test(arguments: expressions)
  func columnsAgreeWithTheInterpreter(text: String) throws {
    let expression = try compile(text)
    for batch in Self.batches { try check(expression, batch) }
  }

  /// Of sizes around a word of 64 bits, with and without nulls.
  private static let batches = [0, 1, 63, 64, 65, 200].enumerated().map { seed, count in
    var random = SeededRandom(seed: UInt64(seed))
    let nullEvery = seed % 3 == 0 ? 0 : 4
    let columns = schema.fields.map { random.array($0.type, count: count, nullEvery: $0.isNullable ? nullEvery : 0) }
    return RecordBatch(schema, columns, rowCount: count)
  }

  @Test func threadsShareAnExpression() async throws {
    let expression = try Expression.compile(
      "s.matches('^.*e+.*$') && i64 > 3 && s in ['home-feed', 'a', 'b', 'c', 'd']", schema: Self.schema)
    var random = SeededRandom(seed: 3)
    let batch = RecordBatch(Self.schema, Self.schema.fields.map { random.array($0.type, count: 999) }, rowCount: 999)
    let expected = expression.trueRows(of: batch)
    await withTaskGroup { group in
      for _ in 0..<8 { group.addTask { (0..<20).allSatisfy { _ in expression.trueRows(of: batch) == expected } } }
      for await isSame in group { #expect(isSame) }
    }
  }

  private func compile(_ text: String) throws -> CheckedExpression {
    var options = Expression.Options()
    options.requiresColumnType = false
    let expression = try Expression.compile(text, schema: Self.schema, options: options)
    if expression.columnType != nil { return expression }
    return try Expression.compile("type(\(text)) == int", schema: Self.schema)
  }

  private func check(_ expression: CheckedExpression, _ batch: RecordBatch) throws {
    let column = expression.evaluate(batch: batch)
    #expect(column.array.count == batch.rowCount)
    #expect(column.array.type == expression.columnType)
    for row in 0..<batch.rowCount {
      let expected = Result<CELValue, EvaluationError> { () throws(EvaluationError) in
        try expression.evaluate(row: row, of: batch)
      }
      switch expected {
      case .failure(let error):
        #expect(column.errors?[row] == true, "'\(expression.text)' row \(row) must fail: \(error)")
        #expect(column.array.isNull(row))
      case .success(let value):
        let found = column.array.celValue(row)
        #expect(column.errors?[row] != true, "'\(expression.text)' row \(row) fails, expected \(value)")
        #expect(
          found.isSame(as: value.inMicroseconds) || found.isSame(as: value),
          "'\(expression.text)' row \(row): \(found), expected \(value)")
      }
    }
    let failed = (0..<batch.rowCount).filter { column.errors?[$0] == true }
    #expect(column.messages.map(\.row) == Array(failed.prefix(8)))
    if column.array.type == .boolean { #expect(expression.trueRows(of: batch) == column.trueRows) }
  }
}

extension CELValue {
  /// With times cut to what a result column holds.
  fileprivate var inMicroseconds: CELValue {
    func floor(_ nanoseconds: Int128) -> Int128 {
      nanoseconds - ((nanoseconds % 1_000) + 1_000) % 1_000
    }
    return switch self {
    case .timestamp(let time): .timestamp(CELTimestamp(nanoseconds: floor(time.nanoseconds)))
    case .duration(let length): .duration(CELDuration(nanoseconds: floor(length.nanoseconds)))
    case .list(let elements): .list(elements.map(\.inMicroseconds))
    default: self
    }
  }
}
