import Arrow
import Expressions
import TestSupport
import Testing

/// Local times against Python's `zoneinfo`, which reads the same database.
struct TimeZonePeerTests {
  private static let program = """
    import datetime, random, zoneinfo
    random.seed(5)
    zones = ["America/New_York", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Berlin", "UTC",
             "Europe/Dublin", "Africa/Casablanca", "America/Santiago", "Pacific/Apia", "Asia/Tehran", "Etc/GMT+5"]
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    for _ in range(3000):
        low, high = random.choice([(-62135000000, 253402000000), (0, 4102444800)])
        seconds, zone = random.randrange(low, high), random.choice(zones)
        t = (epoch + datetime.timedelta(seconds=seconds)).astimezone(zoneinfo.ZoneInfo(zone))
        print(zone, seconds, t.year, t.month - 1, t.day, t.hour, t.minute, t.second, t.isoweekday() % 7,
              t.timetuple().tm_yday - 1)
    """

  private static let parts = [
    "getFullYear", "getMonth", "getDate", "getHours", "getMinutes", "getSeconds", "getDayOfWeek", "getDayOfYear",
  ]

  @Test func localTimesAreThoseOfPython() throws {
    guard let python = SharedData.python else { return }
    let lines = try runPython(python, Self.program).split(separator: "\n").map { $0.split(separator: " ") }
    let schema = Schema([Field("zone", .utf8), Field("seconds", .int64)])
    let zones = ArrowArray(lines.map { Optional(String($0[0])) })
    let seconds = ArrowArray(.int64, lines.map { Int64($0[1]) })
    let batch = RecordBatch(schema, [zones, seconds])
    for (place, part) in Self.parts.enumerated() {
      let expression = try Expression.compile("timestamp(seconds).\(part)(zone)", schema: schema)
      let column = expression.evaluate(batch: batch)
      #expect(column.errors == nil, "\(part): \(column.messages)")
      for (row, line) in lines.enumerated() {
        let expected = CELValue.int(Int64(line[place + 2])!)
        #expect(column.array.celValue(row).equals(expected), "\(part) of \(line)")
      }
    }
  }
}
