import CommandSupport
import Engine
import JSONText
import Testing

@Suite struct SummaryTests {
  static let report: RunReport = {
    var report = RunReport()
    (report.bytesIn, report.rowsIn, report.rowsOut, report.retractions) = (25_000_000, 10, 7, 2)
    report.rejected = ["a string does not end": 1, "not UTF-8": 3, "empty": 1]
    report.mismatches = ["user.id": 4]
    report.expressionErrors = ["click where": 5]
    report.kept = ["click": 5]
    report.coverage = ["user": .init(hits: 2, misses: 1), "item": .init(), "b": .init(hits: 1_999, misses: 1)]
    return report
  }()

  @Test func theTextNamesWhatWasNotPlainWork() {
    let summary = Summary(command: "seq-filter", format: .text)
    #expect(
      summary.line(Self.report, [("commits", .integer(3)), ("days", "2026-11-20")], seconds: 2)
        == "seq-filter: 10 rows in, 7 out, 2 retractions, 5 rejected (3 not UTF-8; 1 a string does not end; 1 empty), "
        + "values of a wrong type: 4 user.id, expression errors: 5 click where, b found 99.9 %, item found 100.0 %, "
        + "user found 66.6 %, 3 commits, 2026-11-20 days, 12 MB/s")
    #expect(summary.line(RunReport(), seconds: 0) == "seq-filter: 0 rows in, 0 out")
  }

  @Test func theJSONHoldsEverything() throws {
    let line = Summary(command: "seq-filter", format: .json).line(
      Self.report, [("commits", .integer(3))], seconds: 1.23456)
    let expected: JSONValue = [
      "command": "seq-filter", "seconds": .number(1.235), "bytes_in": .integer(25_000_000), "rows_in": .integer(10),
      "rows_out": .integer(7), "retractions": .integer(2),
      "rejected": ["a string does not end": .integer(1), "not UTF-8": .integer(3), "empty": .integer(1)],
      "mismatches": ["user.id": .integer(4)], "expression_errors": ["click where": .integer(5)],
      "kept": ["click": .integer(5)], "commits": .integer(3), "repeated_keys": .object([:]), "stopped": .bool(false),
      "coverage": [
        "user": ["hits": .integer(2), "misses": .integer(1)], "item": ["hits": .integer(0), "misses": .integer(0)],
        "b": ["hits": .integer(1_999), "misses": .integer(1)],
      ],
    ]
    #expect(try JSONValue(parsing: line) == expected)
    #expect(!line.contains("\n"))
  }
}
