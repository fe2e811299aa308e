import Arrow
import Buffers
import Definitions
import Engine
import JSONText
import TestSupport
import Testing

@Suite struct EventFilterTests {
  func line(_ id: String, type: String = "click", n: String = "11", _ more: String = "") -> String {
    #"{"user":1,"ts":5,"id":"\#(id)","type":"\#(type)","n":\#(n)\#(more)}"#
  }

  @Test func aRowBecomesAnEventOfEachTypeWhoseFilterItPasses() throws {
    let pipeline = try Pipeline(
      """
      EventType("big", source=log, owner="t", retention="9d", dataset="d", where="n > 10", columns={"n": "n"})
      EventType("odd", source=log, owner="t", retention="9d", dataset="d", where="n % 2 == 1", columns={"n": "n"})
      """)
    let (batches, report) = try pipeline.events([line("a", n: "11"), line("b", n: "3"), line("c", n: "12")])
    #expect(batches.count == 1)
    #expect(batches.strings("event_type") == ["big", "big", "odd", "odd"])
    #expect(batches.integers("n") == [11, 12, 11, 3])
    #expect(batches.integers("event_key") == ["a", "c", "a", "b"].map(key))
    #expect(report.kept == ["big": 2, "odd": 2])
    #expect(report.retractions == 0)
  }

  @Test func typesOfOneShapeShareABatchAndOthersDoNot() throws {
    let pipeline = try Pipeline(
      Pipeline.clickAndSave + """

        EventType("view", source=log, owner="t", retention="9d", dataset="d", where="type == 'view'", columns={"x": "x"})
        """)
    let lines = [line("a"), line("b", type: "view"), line("c", type: "save"), line("d", type: "none")]
    let (batches, _) = try pipeline.events(lines)
    #expect(batches.map { $0.schema.metadata[MetadataKey.eventType] } == ["click,save", "view"])
    #expect(batches.map { $0.schema.fields.dropFirst(7).map(\.name) } == [["n", "label"], ["x"]])
    #expect(batches.strings("event_type") == ["click", "save", "view"])
    #expect(try pipeline.events([line("d", type: "none")]).batches.isEmpty)
    #expect(try pipeline.events([]).batches.isEmpty)
  }

  @Test func onlyTheFieldsInUseAreRead() throws {
    let pipeline = try Pipeline(Pipeline.clickAndSave)
    #expect(try pipeline.filter().fields.map(\.path.text) == ["user", "ts", "id", "rev", "seen", "type", "n"])
  }

  @Test func aNullOrMissingFieldFailsTheFilterOrIsNull() throws {
    let pipeline = try Pipeline(
      """
      EventType("e", source=log, owner="t", retention="9d", dataset="d", where="true",
                columns={"n": "n", "text": "text", "twice": "n * 2"})
      EventType("f", source=log, owner="t", retention="9d", dataset="other", where="n > 10", columns={"n": "n"})
      """)
    let (batches, report) = try pipeline.events([line("a", n: "null"), #"{"user":1,"ts":5,"id":"b","type":"t"}"#])
    #expect(batches.count == 1)
    #expect(batches.values("n") == [.null, .null])
    #expect(batches.values("text") == [.null, .null])
    #expect(batches.values("twice") == [.null, .null])
    #expect(report.kept["e"] == 2)
  }

  @Test func expressionsThatFailGiveNullAndAreCounted() throws {
    let pipeline = try Pipeline(
      """
      EventType("e", source=log, owner="t", retention="9d", dataset="d", where="100 / n > 10", columns={"part": "100 / (n - 5)"})
      """)
    let (batches, report) = try pipeline.events([line("a", n: "0"), line("b", n: "5"), line("c", n: "4")])
    #expect(batches.values("part") == [.null, .integer(-100)])
    #expect(report.expressionErrors == ["e where": 1, "part": 1])
  }

  @Test func aFailingCorrectionRetractsForItsOwnTypeOnly() throws {
    let pipeline = try Pipeline(Pipeline.clickAndSave)
    let lines = [
      line("a", n: "3"), line("b", n: "3", #","rev":1"#), line("c", type: "save", n: "3", #","rev":2"#),
      line("d", n: "30", #","rev":3"#), line("e", type: "other", n: "3", #","rev":3"#),
    ]
    let (batches, report) = try pipeline.events(lines)
    #expect(batches.integers("event_key") == ["d", "b", "c"].map(key))
    #expect(batches.strings("event_type") == ["click", "click", "save"])
    #expect(batches.integers("revision") == [3, 1, 2])
    #expect(batches.values("retracted") == [false, true, true].map { .bool($0) })
    #expect(report.kept == ["click": 1, "save": 0])
    #expect(report.retractions == 2)
  }

  @Test func aRetractionHasNoFeaturesAndNoErrors() throws {
    let pipeline = try Pipeline(
      """
      EventType("e", source=log, owner="t", retention="9d", dataset="d", where="n > 10",
                columns={"n": "n", "one": "1", "length": "size(text)", "part": "100 / n"})
      """)
    let (batches, report) = try pipeline.events([line("a", n: "0", #","rev":1"#), line("b", n: "20")])
    #expect(batches.integers("n") == [20, nil])
    #expect(batches.integers("one") == [1, nil])
    #expect(batches.integers("part") == [5, nil])
    #expect(report.expressionErrors["part"] == nil)
  }

  @Test func withoutAFieldForTheTypeACorrectionRetractsForEveryTypeItFails() throws {
    let source =
      #"user="user", ts="ts", id="id", revision="rev","#
      + #"fields={"user": "int64", "ts": "timestamp[us]", "id": "string", "rev": "int64", "type": "string", "n": "int64"}"#
    let pipeline = try Pipeline(source: source, Pipeline.clickAndSave)
    let (batches, report) = try pipeline.events([line("a", n: "3", #","rev":99999999999"#), line("b", #","rev":-4"#)])
    #expect(batches.strings("event_type") == ["click", "click", "save"])
    #expect(batches.integers("event_key") == ["b", "a", "a"].map(key))
    #expect(batches.integers("revision") == [0, Int64(Int32.max), Int64(Int32.max)])
    #expect(report.retractions == 2)
  }

  @Test func withoutAnArrivalAnEventIsSeenWhenItHappens() throws {
    let pipeline = try Pipeline(Pipeline.clickAndSave)
    let (batches, _) = try pipeline.events([line("a", #","seen":77"#), line("b", #","seen":null"#), line("c")])
    #expect(batches.integers("seen_at") == [77, 5, 5])
    let source =
      #"user="user", ts="ts", id="id","#
      + #"fields={"user": "int64", "ts": "timestamp[us]", "id": "string", "type": "string", "n": "int64"}"#
    #expect(try Pipeline(source: source, Pipeline.clickAndSave).events([line("a")]).batches.integers("seen_at") == [5])
  }

  @Test(arguments: [
    ("int32", "7", DataType.int64, JSONValue.integer(7)),
    ("int64", "-9007199254740993", .int64, .integer(-9_007_199_254_740_993)),
    ("uint8", "200", .int64, .integer(200)), ("string", #""ü""#, .utf8, .string("ü")),
  ])
  func usersAreIntegersOrText(type: String, text: String, expected: DataType, value: JSONValue) throws {
    let source =
      #"user="user", ts="ts", id="id", "#
      + #"fields={"user": "\#(type)", "ts": "timestamp[us]", "id": "string"}"#
    let pipeline = try Pipeline(
      source: source,
      #"EventType("e", source=log, owner="t", retention="9d", dataset="d", where="true", columns={"one": "1"})"#
    )
    let (batches, _) = try pipeline.events([#"{"user":\#(text),"ts":5,"id":"a"}"#])
    #expect(batches[0].schema.fields[0] == Field("user_id", expected, isNullable: false))
    #expect(batches.values("user_id") == [value])
  }

  @Test(arguments: [
    ("string", #""x y""#, "x y"), ("int32", "-3", "-3"), ("uint64", "18446744073709551615", "18446744073709551615"),
  ])
  func theKeyIsTheHashOfTheIdsText(type: String, text: String, hashed: String) throws {
    let source =
      #"user="user", ts="ts", id="id", "#
      + #"fields={"user": "int64", "ts": "timestamp[us]", "id": "\#(type)"}"#
    let pipeline = try Pipeline(
      source: source,
      #"EventType("e", source=log, owner="t", retention="9d", dataset="d", where="true", columns={"one": "1"})"#
    )
    let (batches, _) = try pipeline.events([#"{"user":1,"ts":5,"id":\#(text)}"#])
    #expect(batches.integers("event_key") == [key(hashed)])
  }

  @Test func rawEventsOfOtherDefinitionsAreRefused() throws {
    let pipeline = try Pipeline(Pipeline.clickAndSave)
    let filter = try pipeline.filter()
    let raw = try pipeline.raw([line("a")])
    func error(_ change: (inout [Field], inout [ArrowArray]) -> Void) -> WrongColumn? {
      var (fields, columns) = (raw.schema.fields, raw.columns)
      change(&fields, &columns)
      var report = RunReport()
      do throws(WrongColumn) {
        _ = try filter.events(of: RecordBatch(Schema(fields), columns), report: &report)
        return nil
      } catch { return error }
    }
    let place = try #require(raw.schema.index(of: "n"))
    #expect(
      error {
        $0[place].name = "m"
        _ = $1
      } == WrongColumn(column: "n", reason: .missing))
    let wrong = error { fields, columns in
      fields[place].type = .utf8
      columns[place] = ArrowArray(["a"])
    }
    #expect(wrong == WrongColumn(column: "n", reason: .type(found: .utf8, expected: .int64)))
    let nulls = error { _, columns in columns[0] = ArrowArray(.int64, [Int64?.none]) }
    #expect(nulls == WrongColumn(column: "user", reason: .nulls))
  }
}
