import SequenceStore
import Testing

@Suite struct BucketTests {
  @Test(arguments: [
    ("2026-11-20", "2026-11-20", "2026-11-20"), ("2026-09", "2026-09-01", "2026-09-30"),
    ("2024-02", "2024-02-01", "2024-02-29"), ("1970-01", "1970-01-01", "1970-01-31"),
    ("1969-12", "1969-12-01", "1969-12-31"), ("0001-01", "0001-01-01", "0001-01-31"),
  ])
  func aBucketCoversItsDays(text: String, first: String, last: String) throws {
    let bucket = try #require(Bucket(text))
    #expect(bucket.description == text)
    #expect(bucket.days == Day(first)!...Day(last)!)
    #expect(bucket.endMicros == Day(last)!.startMicros + 86_400_000_000)
  }

  @Test(arguments: ["", "2026", "2026-13", "2026-9", "2026-02-30", "2026-09-", "-09", "2026-11-20-01", "all"])
  func otherTextsAreNoBuckets(text: String) { #expect(Bucket(text) == nil) }

  @Test func aMonthHoldsEachOfItsDays() throws {
    let month = try #require(Month("2023-12"))
    for number in month.days.lowerBound.number...month.days.upperBound.number { #expect(Month(Day(number)) == month) }
    #expect(Month(Day(month.days.upperBound.number + 1)) > month)
    #expect(Month(Day(month.days.lowerBound.number - 1)) < month)
  }

  @Test func bucketsAreInTheOrderOfTheirLastDays() {
    let texts = ["2026-09", "2026-09-30", "2026-09-15", "2026-10-01", "2026-08"]
    #expect(
      texts.compactMap { Bucket($0) }.sorted().map(\.description)
        == ["2026-08", "2026-09-15", "2026-09", "2026-09-30", "2026-10-01"])
  }
}
