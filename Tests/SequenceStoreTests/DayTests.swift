import SequenceStore
import Testing

@Suite struct DayTests {
  @Test(arguments: [("2026-11-20", "2026-11-20"), ("2026-11-20..2026-11-22", "2026-11-20..2026-11-22"), ("all", "all")])
  func aRangeReadsAsItIsWritten(text: String, description: String) throws {
    #expect(try DayRange(parsing: text).description == description)
  }

  @Test(arguments: [
    "", "2026-11", "2026-11-22..2026-11-20", "2026-11-20.2026-11-21", "2026-02-30", "a..b", "..", "2026-11-20..",
  ])
  func anInvalidRangeIsAnError(_ text: String) {
    #expect(throws: StoreError.self) { try DayRange(parsing: text) }
  }

  @Test func aRangeHoldsBothItsEnds() throws {
    let range = try DayRange(parsing: "2026-11-20..2026-11-22")
    let days = try ["2026-11-19", "2026-11-20", "2026-11-22", "2026-11-23"].map { try #require(Day($0)) }
    #expect(days.map(range.contains) == [false, true, true, false])
    #expect(DayRange.all.contains(days[0]))
  }

  @Test(arguments: [
    (Int64(0), "1970-01-01"), (-1, "1969-12-31"), (86_399_999_999, "1970-01-01"), (86_400_000_000, "1970-01-02"),
  ])
  func aTimeIsOfOneDay(micros: Int64, day: String) {
    #expect(Day(micros: micros).description == day)
  }
}
