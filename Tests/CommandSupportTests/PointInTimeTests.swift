import CommandSupport
import Testing

@Suite struct PointInTimeTests {
  @Test(arguments: [
    ("1970-01-01", 0), ("1970-01-02", 86_400_000_000), ("1970-01-01T00:00:01Z", 1_000_000),
    ("1970-01-01T01:00:00.25+01:00", 250_000), ("1969-12-31T23:59:59.9999999Z", -1),
    ("2024-02-29", 1_709_164_800_000_000),
  ])
  func momentsAndDaysAreRead(text: String, micros: Int64) { #expect(PointInTime(argument: text)?.micros == micros) }

  @Test(arguments: ["", "now", "2026", "2026-13-01", "2025-02-29", "2026-01-01T25:00:00Z", "2026-01-01 00:00:00Z"])
  func whatIsNoTimeIsRefused(text: String) { #expect(PointInTime(argument: text) == nil) }
}
