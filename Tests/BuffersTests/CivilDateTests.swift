import Buffers
import Testing

@Suite struct CivilDateTests {
  @Test(arguments: [
    (-719_468, 0, 3, 1), (-719_162, 1, 1, 1), (-1, 1969, 12, 31), (0, 1970, 1, 1), (11_016, 2000, 2, 29),
    (20_777, 2026, 11, 20), (2_932_896, 9999, 12, 31), (-1_000_000, -768, 2, 4),
  ])
  func knownDays(days: Int, year: Int, month: Int, day: Int) {
    let date = CivilDate(year: year, month: month, day: day)
    #expect(date.daysSince1970 == days)
    #expect(CivilDate(daysSince1970: days) == date)
  }

  /// Two eras of 400 years about the year 0: every day follows the one before it, as months and leap years have it.
  @Test func daysFollowEachOther() {
    var date = CivilDate(daysSince1970: -870_000)
    for days in -869_999..<(-577_000) {
      date.day += 1
      if date.day > CivilDate.dayCount(month: date.month, year: date.year) {
        (date.month, date.day) = (date.month + 1, 1)
      }
      if date.month > 12 { (date.year, date.month) = (date.year + 1, 1) }
      #expect(CivilDate(daysSince1970: days) == date)
      #expect(date.daysSince1970 == days)
    }
  }

  @Test(arguments: [(2026, 2, 29), (2025, 13, 1), (2025, 0, 1), (2025, 4, 31), (1900, 2, 29), (2025, 1, 0)])
  func datesThatAreNone(year: Int, month: Int, day: Int) {
    #expect(CivilDate(checking: year, month, day) == nil)
  }

  @Test func leapDayOfACentury() { #expect(CivilDate(checking: 2000, 2, 29)?.daysSince1970 == 11_016) }
}
