import Arrow
import DeltaLog
import TestSupport
import Testing

@Suite struct PartitionValueTests {
  @Test(arguments: [
    ("7", DataType.int8, "7"), ("-9", .int64, "-9"), ("1.5", .float32, "1.5"), ("true", .boolean, "true"),
    ("2021-09-08", .date32, "18878"), ("1969-12-31", .date32, "-1"),
    ("2021-09-08 11:11:11", .timestamp(.micro, zone: "UTC"), "1631099471000000"),
    ("2021-09-08T11:11:11.123456Z", .timestamp(.micro, zone: "UTC"), "1631099471123456"),
    ("2021-09-08T13:11:11+02:00", .timestamp(.micro, zone: "UTC"), "1631099471000000"),
    ("-12.30", .decimal128(precision: 5, scale: 2), "\"-1230\""),
    ("12", .decimal128(precision: 5, scale: 2), "\"1200\""),
    ("a b", .utf8, "\"a b\""),
  ])
  func textBecomesATypedColumn(text: String, type: DataType, expected: String) throws {
    let column = try PartitionValue.column(text, field: Field("p", type), count: 3)
    #expect(column.type == type && column.count == 3)
    #expect(column.allValues.map(\.text) == [expected, expected, expected])
  }

  @Test(arguments: [nil, ""]) func noTextIsNull(_ text: String?) throws {
    #expect(try PartitionValue.column(text, field: Field("p", .int32), count: 2).nullCount == 2)
  }

  @Test(
    arguments: [
      ("300", DataType.int8), ("x", .int64), ("2021-02-29", .date32), ("2021-13-01", .date32), ("", .date32),
      ("1.234", .decimal128(precision: 5, scale: 2)), ("1234.5", .decimal128(precision: 4, scale: 2)),
      ("maybe", .boolean),
      ("2021-09-08 25:00:00", .timestamp(.micro, zone: nil)), ("1", .list(Field("element", .int8))),
    ].filter { !$0.0.isEmpty })
  func aWrongTextIsAnError(text: String, type: DataType) {
    #expect(throws: DeltaError.self) { try PartitionValue.column(text, field: Field("p", type), count: 1) }
  }

  @Test(arguments: [-719_468, -1, 0, 59, 60, 11_016, 18_878, 20_777, 2_932_896] as [Int64])
  func datesReadAsTheyAreWritten(_ days: Int64) {
    #expect(CalendarText.days(CalendarText.date(days)) == days)
    #expect(
      CalendarText.micros(CalendarText.timestamp(micros: days * 86_400_000_000 + 1_000)) == days * 86_400_000_000
        + 1_000)
  }

  @Test(arguments: [
    ("2021-09-08", 0), ("2021-09-08T11:11", 40_260_000_000), ("2021-09-08 11:11:11Z", 40_271_000_000),
    ("2021-09-08T11:11:60.5", 40_320_500_000), ("2021-09-08T00:00:00.123456789Z", 123_456),
    ("2021-09-08T01:30:00-01:30", 10_800_000_000), ("2021-09-08T01:30:00.25+01:30", 250_000),
  ])
  func timesAreRead(text: String, micros: Int64) {
    #expect(CalendarText.micros(text) == 18_878 * 86_400_000_000 + micros)
  }

  @Test(arguments: [
    "", "2021", "2021-09", "2021-09-31", "2021-09-08T", "2021-09-08T11", "2021-09-08T24:00", "2021-09-08T11:60",
    "2021-09-08T11:11:61", "2021-09-08T11:11:11.", "2021-09-08T11:11:11.1234567890", "2021-09-08T11:11:11.12x",
    "2021-09-08T11:11:11ZZ", "2021-09-08T11:11:11+01", "2021-09-08T11:11:11+24:00", "-001-01-01", "2021-09-08x",
    "999999999-01-01T00:00:00Z",
  ])
  func whatIsNoTimeIsNotRead(_ text: String) { #expect(CalendarText.micros(text) == nil) }

  @Test(arguments: [("a%20b", "a b"), ("%", "%"), ("%2", "%2"), ("%zz%41", "%zzA"), ("bar+%252521", "bar+%2521")])
  func pathsAreDecodedOnce(encoded: String, decoded: String) {
    #expect(PathEncoding.decode(encoded) == decoded)
  }

  @Test(arguments: ["a b/c=d%e#f?g", "ünï/x"]) func encodedPathsDecodeToThemselves(_ path: String) {
    #expect(PathEncoding.decode(PathEncoding.encode(path: path)) == path)
  }

  @Test(arguments: [("file:///a/b", "/a/b"), ("file:/a/b", "/a/b"), ("/a/b", "/a/b"), ("x%20y", "x y")])
  func aFileHasOneKey(path: String, key: String) {
    #expect(PathEncoding.fileKey(path) == key)
  }

  @Test func statisticsReadAsTheyWereWritten() throws {
    let statistics = FileStatistics(
      rowCount: 3, minValues: ["ts": "2026-01-01T00:00:00.000Z", "n": 1], maxValues: ["ts": "2026-01-01T00:00:01.999Z"],
      nullCount: ["n": 2])
    #expect(FileStatistics(parsing: statistics.text) == statistics)
    let range = try #require(statistics.timestampRange("ts"))
    #expect(range.upperBound - range.lowerBound == 1_999_999)
    #expect(FileStatistics(parsing: "{}") == nil)
  }
}
