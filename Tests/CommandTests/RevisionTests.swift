import TestSupport
import Testing

/// Corrections and repetitions, from raw lines to the stored table: only the set of lines counts, not their order.
@Suite struct RevisionTests {
  private let folder = TemporaryDirectory()

  /// What was delivered, and the rows that are to be stored of it.
  struct Scenario: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var lines: [String]
    var stored: [String]
  }

  static let scenarios = [
    Scenario(
      testDescription: "a correction takes an event out",
      lines: [click("a", 0, ms: 5000), click("a", 1, ms: 10)], stored: []),
    Scenario(
      testDescription: "a correction brings an event in",
      lines: [click("a", 0, ms: 10), click("a", 1, ms: 5000)], stored: ["1 5000"]),
    Scenario(
      testDescription: "out and in again",
      lines: [click("a", 0, ms: 2000), click("a", 1, ms: 10), click("a", 2, ms: 3000)], stored: ["2 3000"]),
    Scenario(
      testDescription: "in and out again",
      lines: [click("a", 0, ms: 10), click("a", 1, ms: 2000), click("a", 2, ms: 10)], stored: []),
    Scenario(
      testDescription: "repetitions change nothing",
      lines: [click("a", 0, ms: 2000), click("a", 0, ms: 2000), click("a", 1, ms: 3000), click("a", 1, ms: 3000)],
      stored: ["1 3000"]),
    Scenario(
      testDescription: "a correction moves an event to another day",
      lines: [click("a", 0, ms: 2000), click("a", 1, ms: 2000, ts: 90_000_000)], stored: ["1 2000"]),
    Scenario(
      testDescription: "neighbours stay",
      lines: [click("a", 0, ms: 2000), click("b", 0, ms: 2500), click("a", 1, ms: 10), click("c", 0, ms: 10)],
      stored: ["0 2500"]),
    Scenario(
      testDescription: "a correction adds an element",
      lines: [view("v", 0, items: [1]), view("v", 1, items: [1, 2])], stored: ["1 null", "1 null"]),
  ]

  @Test(arguments: scenarios)
  func everyOrderOfArrivalGivesTheSameTable(_ scenario: Scenario) throws {
    var random = SeededRandom(seed: 3)
    var orders = [scenario.lines, scenario.lines.reversed()]
    orders += (0..<3).map { _ in (scenario.lines + scenario.lines).shuffled(using: &random) }
    for (number, lines) in orders.enumerated() {
      folder.write(lines.joined(separator: "\n") + "\n", to: "log.ndjson")
      let result = try Shell.run(
        """
        seq-filter log.ndjson | seq-enrich --tables "$FIXTURES" | seq-assemble | seq-index --store \(number) --replace all
        seq-filter log.ndjson | seq-enrich --tables "$FIXTURES" | seq-index --store u\(number) --replace all
        cmp <(cd \(number) && find datasets -name '*.parquet' | sort) <(cd u\(number) && find datasets -name '*.parquet' | sort)
        seq-store verify --store \(number) >&2 || echo unsound
        for d in $(ls \(number)/datasets); do seq-store cat $d --store \(number) --format ndjson; done
        """, in: folder.path,
        environment: ["FIXTURES": Fixtures.directory, "SEQ_DEFINITIONS": try Fixtures.shopDefinitions()])
      #expect(result.lines.map(Self.facts).sorted() == scenario.stored, "order \(number): \(lines)\n\(result)")
    }
  }

  /// The revision and `ms` of a stored row.
  private static func facts(_ row: String) -> String {
    func value(_ name: String) -> String {
      let parts = row.split(separator: "\"\(name)\":", maxSplits: 1)
      return parts.count == 2 ? String(parts[1].prefix { !",}".contains($0) }) : "null"
    }
    return row.hasPrefix("{") ? "\(value("revision")) \(value("ms"))" : row
  }

  private static func line(_ type: String, _ id: String, _ revision: Int, _ ts: Int, _ more: String) -> String {
    let at = 1_795_000_000_000 + 200_000_000 + revision
    return "{\"id\":\"\(id)\",\"type\":\"\(type)\",\"rev\":\(revision),\"ts\":\(1_795_000_000_000 + ts),\"at\":\(at),"
      + "\"user\":7,\(more)}"
  }

  static func click(_ id: String, _ revision: Int, ms: Int, ts: Int = 0) -> String {
    line("click", id, revision, ts, "\"item\":1,\"ms\":\(ms)")
  }

  private static func view(_ id: String, _ revision: Int, items: [Int]) -> String {
    line("view", id, revision, 0, "\"seen\":[\(items.map { "{\"item\":\($0)}" }.joined(separator: ","))]")
  }
}
