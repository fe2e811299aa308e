import Arrow
import JSONColumns
import TestSupport
import Testing

@Suite struct ScalarTests {
  /// What becomes of each text as a value of `type`: its JSON form, nil for null by mismatch.
  private func values(_ texts: [String], _ type: JSONFieldType, _ options: JSONEncodingOptions = .init()) throws
    -> [String?]
  {
    // A key of one byte and a blank before the comma take other ways through the decoder.
    let long = try values(texts.map { #"{"value":\#($0)}"# }, "value", type, options)
    #expect(try values(texts.map { #"{"x": \#($0) ,"y":0}"# }, "x", type, options) == long)
    return long
  }

  private func values(
    _ texts: [String], _ key: String, _ type: JSONFieldType, _ options: JSONEncodingOptions
  ) throws -> [String?] {
    let result = try decode(texts.joined(separator: "\n"), [JSONFieldSpec(path: key, type: type)])
    #expect(result.rejections == [])
    let prefix = key.utf8.count + 4
    let written = lines(result.batch, options).map { $0 == "{}" ? nil : String($0.dropFirst(prefix).dropLast()) }
    #expect(result.mismatches == [written.count { $0 == nil }])
    return written
  }

  @Test func integersAreExactAndKeptToTheirRange() throws {
    #expect(
      try values(
        [
          "9223372036854775807", "-9223372036854775808", "9223372036854775808", "-9223372036854775809", "0", "-0",
          "1.0", "1.5",
          "12e2", "1200e-2", "1e-1", "12345678", "123456789", "1234567812345678", "12345678123456789", "1e400",
          "-1e400",
          "0.00000000000000000000000000000000000000001e41", "100000000000000000000000000000000000000000000e-44", "true",
          "\"1\"",
        ],
        .int64)
        == [
          "9223372036854775807", "-9223372036854775808", nil, nil, "0", "0", "1", nil, "1200", "12", nil, "12345678",
          "123456789", "1234567812345678", "12345678123456789", nil, nil, "1", "1", nil, nil,
        ])
    #expect(try values(["127", "128", "-128", "-129"], .int8) == ["127", nil, "-128", nil])
    #expect(try values(["32767", "32768", "-32768", "-32769"], .int16) == ["32767", nil, "-32768", nil])
    #expect(
      try values(["2147483647", "2147483648", "-2147483648", "-2147483649"], .int32)
        == ["2147483647", nil, "-2147483648", nil])
    #expect(try values(["255", "256", "-1", "-0"], .uint8) == ["255", nil, nil, "0"])
    #expect(try values(["65535", "65536"], .uint16) == ["65535", nil])
    #expect(try values(["4294967295", "4294967296"], .uint32) == ["4294967295", nil])
    #expect(
      try values(["18446744073709551615", "18446744073709551616", "-1", "1.8446744073709551615e19"], .uint64)
        == ["18446744073709551615", nil, nil, "18446744073709551615"])
  }

  @Test func integersOfEveryLengthAreRead() throws {
    var random = SeededRandom(seed: 7)
    let numbers = (0..<2_000).map { _ in Int64(bitPattern: random.next()) >> Int64.random(in: 0..<64, using: &random) }
    #expect(try values(numbers.map(String.init), .int64) == numbers.map { "\($0)" })
  }

  @Test func floatsAreTheNearestOnes() throws {
    #expect(
      try values(
        [
          "1", "-0", "0.1", "1e22", "1e23", "123456789012345678901234567890", "1e-400", "1e400", "\"1\"",
          "2.2250738585072011e-308", "179769313486231570000e288", "9007199254740993",
        ], .float64)
        == [
          "1.0", "-0.0", "0.1", "1e+22", "1e+23", "1.2345678901234568e+29", "0.0", nil, nil, "2.225073858507201e-308",
          "1.7976931348623157e+308", "9007199254740992.0",
        ])
    #expect(
      try values(
        ["0.1", "16777217", "16777217.0000001", "1e39", "3.4028235677973366e38", "1e-45", "7.0064923216240861e-46"],
        .float32)
        == ["0.1", "16777216.0", "1.6777218e+07", nil, "3.4028235e+38", "1e-45", "1e-45"])
    var random = SeededRandom(seed: 8)
    let doubles = (0..<2_000).map { _ in Double(bitPattern: random.next()) }.filter(\.isFinite)
    #expect(try values(doubles.map { "\($0)" }, .float64) == doubles.map { "\($0)" })
    let floats = (0..<2_000).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: random.next())) }.filter(
      \.isFinite)
    #expect(try values(floats.map { "\($0)" }, .float32) == floats.map { "\($0)" })
  }

  @Test func booleansAreOnlyTrueAndFalse() throws {
    #expect(try values(["true", "false", "0", "\"true\"", "[]"], .bool) == ["true", "false", nil, nil, nil])
  }

  @Test func epochTimestampsKeepMicroseconds() throws {
    let options = JSONEncodingOptions(timestamps: .micros)
    #expect(
      try values(
        ["1764547200", "-1", "1764547200.1234567", "-0.0000001", "1.5e3", "9223372036855", "\"1\""],
        .timestamp(.seconds), options)
        == ["1764547200000000", "-1000000", "1764547200123456", "-1", "1500000000", nil, nil])
    #expect(
      try values(["1764547200123", "0.5", "9223372036854776", "-9223372036854775"], .timestamp(.millis), options)
        == ["1764547200123000", "500", nil, "-9223372036854775000"])
    #expect(try values(["1764547200123456", "1.9"], .timestamp(.micros), options) == ["1764547200123456", "1"])
  }

  @Test func rfc3339TimestampsBecomeUTC() throws {
    let good = [
      ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"), ("2026-11-20t10:00:00z", "2026-11-20T10:00:00Z"),
      ("2026-11-20 10:00:00.125+02:00", "2026-11-20T08:00:00.125Z"),
      ("2024-02-29T23:59:59.9999999-00:30", "2024-03-01T00:29:59.999999Z"),
      ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"), ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"),
      ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"), ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
      ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ]
    #expect(try values(good.map { "\"\($0.0)\"" }, .timestamp(.rfc3339)) == good.map { "\"\($0.1)\"" })
    let bad = [
      "", "2026-11-20", "2026-11-20T10:00:00", "2026-11-20T10:00Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
      "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z",
      "2026-01-01T24:00:00Z",
      "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+24:00",
      "2026-01-01T00:00:00+0200", "2026-01-01T00:00:00Zx", " 2026-01-01T00:00:00Z", "2026-01-01T00:00:00,5Z",
      "+026-01-01T00:00:00Z", "2026-1-001T00:00:00Z",
    ]
    #expect(
      try values(bad.map { "\"\($0)\"" } + ["1764547200"], .timestamp(.rfc3339))
        == Array(repeating: nil, count: bad.count + 1))
    #expect(try values(["\"2026-11-20T10:00:00\\u005A\""], .timestamp(.rfc3339)) == ["\"2026-11-20T10:00:00Z\""])
  }

  @Test func escapesAreResolved() throws {
    let long = String(repeating: "long text ", count: 20)
    #expect(
      try values(
        [
          #""\"\\\/\b\f\n\r\t""#, #""\u0041\u00e9\u6f22\ud83d\ude00""#, #""\uD83D""#, #""\ude00x""#, #""\ud83d\u0041""#,
          #""\u0000""#, "\"\(long)\\n\"",
        ], .string)
        == [
          #""\"\\/\b\f\n\r\t""#, #""Aé漢😀""#, "\"\u{FFFD}\"", "\"\u{FFFD}x\"", "\"\u{FFFD}A\"", #""\u0000""#,
          "\"\(long)\\n\"",
        ])
  }
}
