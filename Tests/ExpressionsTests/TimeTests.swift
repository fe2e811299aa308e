import Arrow
import Expressions
import Testing

struct TimeTests {
  private func value(_ text: String) throws -> CELValue {
    var options = Expression.Options()
    options.requiresColumnType = false
    return try Expression.compile(text, schema: Schema([]), options: options).evaluate()
  }

  @Test(arguments: [
    ("timestamp('2009-02-13T23:31:30Z').getFullYear()", 2009), ("timestamp('2009-02-13T23:31:30Z').getMonth()", 1),
    ("timestamp('2009-02-13T23:31:30Z').getDate()", 13), ("timestamp('2009-02-13T23:31:30Z').getDayOfMonth()", 12),
    ("timestamp('2009-02-13T23:31:30Z').getDayOfWeek()", 5), ("timestamp('2009-02-13T23:31:30Z').getDayOfYear()", 43),
    ("timestamp('2009-02-13T23:31:30.123456789Z').getMilliseconds()", 123),
    ("timestamp('2009-02-13T23:31:30Z').getDate('+01:00')", 14),
    ("timestamp('2009-02-13T23:31:30Z').getMinutes('-02:30')", 1),
    ("timestamp('2026-07-01T12:00:00Z').getHours('Europe/Berlin')", 14),
    ("timestamp('2026-01-01T12:00:00Z').getHours('Europe/Berlin')", 13),
    ("timestamp('2026-03-29T00:59:59Z').getHours('Europe/Berlin')", 1),
    ("timestamp('2026-03-29T01:00:00Z').getHours('Europe/Berlin')", 3),
    ("timestamp('2099-07-01T12:00:00Z').getHours('Europe/Berlin')", 14),
    ("timestamp('2099-12-01T12:00:00Z').getHours('Europe/Berlin')", 13),
    ("timestamp('2099-01-01T00:00:00Z').getHours('Australia/Sydney')", 11),
    ("timestamp('2099-07-01T00:00:00Z').getHours('Australia/Sydney')", 10),
    ("timestamp('2026-01-01T00:00:00Z').getMinutes('Asia/Kathmandu')", 45),
    ("timestamp('1800-01-01T00:00:00Z').getFullYear('America/New_York')", 1799),
    ("duration('3730s').getHours()", 1), ("duration('3730s').getMinutes()", 62), ("duration('-1.5s').getSeconds()", -1),
    ("duration('1.234s').getMilliseconds()", 234), ("int(timestamp('1969-12-31T23:59:59.5Z'))", -1),
    ("timestamp('0001-01-01T00:00:00Z').getDayOfWeek()", 1), ("timestamp('2024-12-31T00:00:00Z').getDayOfYear()", 365),
  ])
  func partsOfTimes(text: String, expected: Int64) throws {
    #expect(try value(text).equals(.int(expected)))
  }

  @Test(arguments: [
    ("string(timestamp('2026-01-31T23:59:59.120Z'))", "2026-01-31T23:59:59.12Z"),
    ("string(timestamp('2026-01-31T23:59:59+01:00'))", "2026-01-31T22:59:59Z"),
    ("string(timestamp(-62135596800))", "0001-01-01T00:00:00Z"), ("string(duration('1h30m'))", "5400s"),
    ("string(duration('-1.5s'))", "-1.5s"), ("string(duration('1us5ns'))", "0.000001005s"),
    ("string(duration('0'))", "0s"),
    ("string(timestamp('2026-01-31T00:00:00Z') - timestamp('2026-01-30T00:00:00.5Z'))", "86399.5s"),
    ("string(1e21)", "1e+21"), ("string(1000000.0)", "1000000"), ("string(0.00001)", "1e-05"),
    ("string(-0.25)", "-0.25"),
    ("string(double('NaN'))", "NaN"), ("string(12345678.9)", "12345678.9"), ("string(5e-324)", "5e-324"),
  ])
  func valuesAsText(text: String, expected: String) throws {
    let found = try value(text)
    #expect(found.equals(.string(expected)), "\(found)")
  }

  @Test(arguments: [
    "timestamp('0000-12-31T23:59:59Z')", "timestamp('10000-01-01T00:00:00Z')", "timestamp('2026-02-29T00:00:00Z')",
    "timestamp('2026-01-01')", "timestamp('2026-01-01T24:00:00Z')", "timestamp('2026-01-01T00:00:00')",
    "timestamp('2026-01-01 00:00:00Z')", "timestamp('2026-01-01T00:00:00.Z')", "timestamp(253402300800)",
    "timestamp('9999-12-31T23:59:59Z') + duration('1s')", "timestamp('0001-01-01T00:00:00Z') - duration('1ns')",
    "timestamp('9999-12-31T23:59:59Z') - timestamp('0001-01-01T00:00:00Z')", "duration('1')", "duration('')",
    "duration('s')",
    "duration('1d')", "duration('320000000000s')", "duration('1e3s')", "duration('2562047h') + duration('2562047h')",
    "timestamp(0).getHours('Nowhere/Land')", "timestamp(0).getHours('../etc/passwd')",
    "timestamp(0).getHours('+25:00')",
    "int('1.5')", "int('')", "int(' 1')", "uint('-1')", "double('1e999')", "double('0x1p3')", "double('.')",
    "double('nope')",
    "bool('yes')", "string(b'\\xff')",
  ])
  func valuesBeyondTheirTypeFail(text: String) throws {
    #expect(throws: EvaluationError.self) { try value(text) }
  }
}
