import Arrow
import Engine
import JSONText
import Testing

@Suite struct ExplodeTests {
  static let source = """
    user="user", ts="ts", id="id", revision="rev",
        fields={"user": "int64", "ts": "timestamp[us]", "id": "string", "rev": "int32", "note": "string",
                "items[].sku": "string", "items[].count": "int32", "items[].part": "int64"}
    """

  func pipeline(key: String = "", filter: String = "items.count > 0") throws -> Pipeline {
    try Pipeline(
      source: Self.source,
      """
      EventType("item", source=log, owner="t", retention="9d", dataset="d", explode="items"\(key), where="\(filter)",
                columns={"sku": "items.sku", "count": "items.count", "place": "element_index", "note": "note"})
      """)
  }

  func line(_ id: String, _ items: String, _ more: String = "") -> String {
    #"{"user":1,"ts":5,"id":"\#(id)","note":"n-\#(id)"\#(more)\#(items.isEmpty ? "" : #","items":\#(items)"#)}"#
  }

  @Test func eachElementBecomesARecordWithItsIndex() throws {
    let two = #"[{"sku":"x","count":1},{"sku":"y","count":0},{"sku":"z","count":3}]"#
    let lines = [
      line("a", two), line("b", "[]"), line("c", "null"), line("d", ""), line("e", #"[{"sku":"w","count":2}]"#),
    ]
    let (batches, report) = try pipeline().events(lines)
    #expect(batches.strings("sku") == ["x", "z", "w"])
    #expect(batches.integers("place") == [0, 2, 0])
    #expect(batches.strings("note") == ["n-a", "n-a", "n-e"])
    #expect(batches.integers("event_key") == ["a/0", "a/2", "e/0"].map(key))
    #expect(report.kept == ["item": 3])
    #expect(try pipeline().events([line("b", "[]")]).batches.isEmpty)
  }

  @Test func elementsWithoutAFieldHaveNullThere() throws {
    let lines = [line("a", #"[{"sku":"x"},{"count":2},{"sku":"z","count":3}]"#)]
    let (batches, _) = try pipeline(filter: "true").events(lines)
    #expect(batches.strings("sku") == ["x", nil, "z"])
    #expect(batches.integers("count") == [nil, 2, 3])
  }

  @Test func aKeyTellsElementsApartAndOneWithoutHasItsIndex() throws {
    let lines = [line("a", #"[{"sku":"x","count":1},{"count":2},{"count":3}]"#)]
    let named = try pipeline(key: #", explode_key="items[].sku""#).events(lines)
    #expect(named.batches.integers("event_key") == ["a/x", "a/1", "a/2"].map(key))
    let numbered = try pipeline(key: #", explode_key="60 / (items.count - 1)""#).events(lines)
    #expect(numbered.batches.integers("event_key") == ["a/0", "a/60", "a/30"].map(key))
    #expect(numbered.report.expressionErrors == ["explode_key": 1])
  }

  @Test func aCorrectionRetractsTheElementsThatFail() throws {
    let items = #"[{"sku":"x","count":1},{"sku":"y","count":0}]"#
    let (batches, report) = try pipeline().events([line("a", items, #","rev":2"#)])
    #expect(batches.integers("event_key") == ["a/0", "a/1"].map(key))
    #expect(batches.values("retracted") == [.bool(false), .bool(true)])
    #expect(batches.strings("sku") == ["x", nil])
    #expect(report.retractions == 1)
  }

  /// A foreign frame may hold lists of one array that differ in length.
  @Test func listsOfUnequalLengthAreFilledWithNulls() throws {
    let pipeline = try pipeline(filter: "true")
    let raw = try pipeline.raw([
      line("a", #"[{"sku":"x","count":1},{"sku":"y","count":2}]"#), line("b", #"[{"sku":"z"}]"#),
    ])
    let longer = try pipeline.raw([line("a", #"[{"count":1}]"#), line("b", #"[{"count":5},{"count":6}]"#)])
    let place = try #require(raw.schema.index(of: "items.count"))
    var columns = raw.columns
    columns[place] = longer.columns[place]
    var report = RunReport()
    let batches = try pipeline.filter().events(of: RecordBatch(raw.schema, columns), report: &report)
    #expect(batches.strings("sku") == ["x", "y", "z", nil])
    #expect(batches.integers("count") == [1, nil, 5, 6])
  }
}
