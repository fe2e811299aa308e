import Arrow
import Buffers
import Definitions
import Engine
import TestSupport
import Testing

@Suite struct MetricsTests {
  // MARK: Text

  @Test func theTextIsWhatPrometheusReads() throws {
    var text = PrometheusText(labels: [("stage", "seq-filter")])
    text.add("a_total", .counter, "Things.", 3)
    text.add("b", .gauge, "By kind.", by: "kind", ["x": 1.5, #"q"\"# + "\n": -2])
    text.add("none", .gauge, "Nothing to say.", by: "kind", [String: Int]())
    text.add(info: "c_info", "Version.", [("version", "7"), ("digest", "ab")])
    #expect(
      text.text == """
        # HELP a_total Things.
        # TYPE a_total counter
        a_total{stage="seq-filter"} 3
        # HELP b By kind.
        # TYPE b gauge
        b{stage="seq-filter",kind="q\\"\\\\\\n"} -2.0
        b{stage="seq-filter",kind="x"} 1.5
        # HELP c_info Version.
        # TYPE c_info gauge
        c_info{stage="seq-filter",version="7",digest="ab"} 1

        """)
    #expect(try PrometheusSamples(text.text).values.count == 4)
  }

  @Test func aHistogramCountsUpToEachBound() throws {
    var histogram = Histogram(bounds: [0.1, 1])
    for value in [0.05, 0.1, 0.5, 7] { histogram.observe(value) }
    var text = PrometheusText()
    text.add("h_seconds", "Times.", [([("route", "r")], histogram)])
    let samples = try PrometheusSamples(text.text)
    #expect(samples["h_seconds_bucket", ["route": "r", "le": "0.1"]] == 2)
    #expect(samples["h_seconds_bucket", ["route": "r", "le": "1.0"]] == 3)
    #expect(samples["h_seconds_bucket", ["route": "r", "le": "+Inf"]] == 4)
    #expect(samples["h_seconds_count", ["route": "r"]] == 4)
    #expect(samples["h_seconds_sum", ["route": "r"]] == 7.65)
  }

  @Test(arguments: [
    "a 1\n", "# HELP a x\n# TYPE a gauge\na 1", "# TYPE a gauge\n# HELP a x\na 1\n",
    "# HELP a x\n# TYPE a gauge\na 1\na 2\n", "# HELP a x\n# TYPE a gauge\n# TYPE a gauge\na 1\n",
    "# HELP a x\n# TYPE a counter\na 1\n", "# HELP a x\n# TYPE a gauge\na{b=\"c} 1\n",
    "# HELP a x\n# TYPE a gauge\na{b=\"c\",b=\"d\"} 1\n", "# HELP a x\n# TYPE a gauge\na one\n", "\n",
  ])
  func theTestsParserRefusesWhatIsWrong(_ text: String) {
    #expect(throws: ProgramFailure.self) { try PrometheusSamples(text) }
  }

  // MARK: Newest events

  /// Events of random types in runs and singly, beside what a plain loop finds.
  @Test(arguments: [0, 1, 2, 511, 512, 513, 5_000], [1, 2, 1_000])
  func newestEventsAreThoseOfAPlainLoop(count: Int, runLength: Int) {
    var random = SeededRandom(seed: UInt64(count * 7 + runLength))
    var expected: [String: (ts: Int64, seenAt: Int64)] = [:]
    var names: [String] = []
    var (ts, seenAt): ([Int64], [Int64]) = ([], [])
    while names.count < count {
      let name = ["click", "clack", "save", "", "a longer name than the others"].randomElement(using: &random)!
      for _ in 0..<min(Int.random(in: 1...runLength, using: &random), count - names.count) {
        names.append(name)
        ts.append(.random(in: -1_000_000...1_000_000, using: &random))
        seenAt.append(.random(in: -1_000_000...1_000_000, using: &random))
        let known = expected[name] ?? (.min, .min)
        expected[name] = (max(known.ts, ts.last!), max(known.seenAt, seenAt.last!))
      }
    }
    var newest = NewestEvents()
    newest.add(Self.events(names, ts, seenAt))
    #expect(newest.eventTypes.mapValues(\.ts) == expected.mapValues(\.ts))
    #expect(newest.eventTypes.mapValues(\.seenAt) == expected.mapValues(\.seenAt))

    var coded = NewestEvents()
    coded.add(Self.events(names, ts, seenAt, areCoded: true))
    #expect(coded == newest)

    var halves = NewestEvents()
    for range in [0..<count / 2, count / 2..<count] {
      var half = NewestEvents()
      half.add(Self.events(Array(names[range]), Array(ts[range]), Array(seenAt[range])))
      halves.add(half)
    }
    #expect(halves == newest)
  }

  @Test func batchesWithoutTimesSayNothing() {
    var newest = NewestEvents()
    newest.add(RecordBatch(Schema([Field("event_type", .utf8)]), [Self.names(["a"])], rowCount: 1))
    #expect(newest.isEmpty)
  }

  private static func events(_ names: [String], _ ts: [Int64], _ seenAt: [Int64], areCoded: Bool = false) -> RecordBatch
  {
    func times(_ values: [Int64]) -> ArrowArray {
      ArrowArray(.timestampMicrosUTC, count: values.count, storage: .fixed(Buffer(values)))
    }
    let types = areCoded ? coded(names) : self.names(names)
    return RecordBatch(
      Schema([
        Field(SystemColumns.ts, .timestampMicrosUTC), Field(SystemColumns.seenAt, .timestampMicrosUTC),
        Field(SystemColumns.eventType, types.type),
      ]),
      [times(ts), times(seenAt), types], rowCount: names.count)
  }

  private static func coded(_ names: [String]) -> ArrowArray {
    let distinct = Array(Set(names))
    let indices = names.map { UInt8(distinct.firstIndex(of: $0)!) }
    return ArrowArray(
      .dictionary(index: .uint8, value: .utf8, isOrdered: false), count: names.count,
      storage: .dictionary(indices: Buffer(indices), values: self.names(distinct)))
  }

  private static func names(_ names: [String]) -> ArrowArray {
    var builder = VariableWidthBuilder()
    for name in names { unsafe builder.append(Array(name.utf8).span.bytes) }
    return builder.take()
  }
}
