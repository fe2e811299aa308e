import Arrow
import Buffers
import Definitions
import Engine
import Frames
import JSONText
import Parquet
import TestSupport
import Testing

@Suite struct LookupTableTests {
  let directory = TemporaryDirectory()

  /// - Parameters:
  ///   - lookup: arguments of the look-up besides its name.
  ///   - enrich: the enrichments of event type `e`, whose columns are `n`, `text` and `x`.
  func enricher(_ lookup: String, enrich: String = #"look.on("n")"#) throws -> EventEnricher {
    let pipeline = try pipeline(lookup, enrich: enrich)
    let tables = try LookupTable.loadAll(of: pipeline.definitions, directory: directory.path)
    return try EventEnricher(pipeline.definitions.eventTypes, definitions: pipeline.definitions, tables: tables)
  }

  private func pipeline(_ lookup: String, enrich: String) throws -> Pipeline {
    try Pipeline(
      """
      look = Lookup("look", \(lookup))
      EventType("e", source=log, owner="t", retention="9d", dataset="d", where="true",
                columns={"n": "n", "text": "text", "x": "x"}, enrich=[\(enrich)])
      """)
  }

  /// Enriches events with the given values of `n` and `text`, the first at 10 s, each 10 s after the one before.
  func enrich(_ enricher: EventEnricher, n: [Int?], text: [String?] = []) throws -> (
    rows: RecordBatch, report: RunReport
  ) {
    let pipeline = try pipeline(#"table="t.csv", key="k", columns={"unused": "int64"}"#, enrich: "")
    let lines = n.indices.map { index in
      let text = index < text.count ? text[index].map { JSONValue.string($0).text } ?? "null" : "null"
      let number = n[index].map(String.init) ?? "null"
      return
        #"{"user":1,"ts":\#(index * 10_000_000 + 10_000_000),"id":"\#(index)","type":"e","n":\#(number),"text":\#(text)}"#
    }
    let events = try pipeline.events(lines).batches
    var report = RunReport()
    var worker = EventEnricher.Worker(enricher)
    let enriched = try worker.enrich(events[0], report: &report)
    #expect(enriched.count == 1)
    return (enriched[0], report)
  }

  @Test func rowsAreFoundByIntegerAndTheRestIsCounted() throws {
    directory.write("k,name\n1,one\n2,two\n-3,minus\n1,last\n,none\n", to: "t.csv")
    let enricher = try enricher(#"table="t.csv", key="k", columns={"name": "string"}"#)
    let (rows, report) = try enrich(enricher, n: [1, 2, nil, 4, -3])
    #expect([rows].strings("name") == ["last", "two", nil, nil, "minus"])
    #expect(report.coverage == ["look": .init(hits: 3, misses: 1)])
    #expect(rows.schema.fields.last?.type.valueType == .utf8)
  }

  @Test func rowsAreFoundByText() throws {
    directory.write("k,v\na,1\nä,2\n\"\",3\nlonger than thirty-two bytes for sure,4\n", to: "t.csv")
    let enricher = try enricher(
      #"table="t.csv", key="k: string", columns={"v": "int64"}"#, enrich: #"look.on("text", prefix="p_")"#)
    let texts = ["ä", "a", "", nil, "b", "longer than thirty-two bytes for sure"]
    let (rows, report) = try enrich(enricher, n: Array(repeating: nil, count: 6), text: texts)
    #expect([rows].integers("p_v") == [2, 1, 3, nil, nil, 4])
    #expect(report.coverage == ["look": .init(hits: 4, misses: 1)])
  }

  @Test func theLatestRowNotAfterTheEventCounts() throws {
    directory.write("k,since,v\n1,30,c\n1,20,b\n1,20,b2\n2,11,late\n3,,always\n3,25,then\n", to: "t.csv")
    let enricher = try enricher(
      #"table="t.csv", key="k", as_of="since: timestamp[s]", columns={"v": "string"}"#)
    let (rows, report) = try enrich(enricher, n: [1, 1, 1, 1, 3])
    #expect([rows].strings("v") == [nil, "b2", "c", "c", "then"])
    #expect(report.coverage["look"] == .init(hits: 4, misses: 1))
    #expect([try enrich(enricher, n: [2, 2]).rows].strings("v") == [nil, "late"])
    #expect([try enrich(enricher, n: [3, 3, 3]).rows].strings("v") == ["always", "always", "then"])
  }

  @Test func onlyTheRowsInUseTravel() throws {
    directory.write("k,v\n" + (0..<2_000).map { "\($0),\($0 * 2)\n" }.joined(), to: "t.csv")
    let enricher = try enricher(#"table="t.csv", key="k", columns={"v": "int64"}"#)
    let (rows, _) = try enrich(enricher, n: [1_999, 7, nil, 7, 5_000, 1_999])
    guard case .dictionary(_, let values) = try #require(rows["v"]).storage else { return #expect(Bool(false)) }
    #expect(values.allValues == [.integer(3_998), .integer(14)])
    #expect([rows].integers("v") == [3_998, 14, nil, 14, nil, 3_998])
  }

  @Test(arguments: [3, 1_024, 1_025, 3_000])
  func textIsSentWholeOrByRowAlike(distinctCount: Int) throws {
    directory.write("k,v\n" + (0..<3_000).map { "\($0),t\($0 % distinctCount)\n" }.joined(), to: "t.csv")
    let enricher = try enricher(#"table="t.csv", key="k", columns={"v": "string"}"#)
    let (rows, _) = try enrich(enricher, n: [2_999, nil, 0, 9_999])
    #expect([rows].strings("v") == ["t\(2_999 % distinctCount)", nil, "t0", nil])
  }

  @Test func aLookUpMayReadWhatAnotherFound() throws {
    directory.write("k,maker\n1,m\n2,\n3,x\n", to: "t.csv")
    directory.write("m,country\nm,FI\n", to: "makers.csv")
    let enricher = try enricher(
      """
      table="t.csv", key="k", columns={"maker": "string"})
      other = Lookup("other", table="makers.csv", key="m: string", columns={"country": "string"}
      """, enrich: #"Derive("size", "size(country)"), other.on("maker"), look.on("n")"#)
    let (rows, report) = try enrich(enricher, n: [1, 2, 3, 4])
    #expect([rows].strings("country") == ["FI", nil, nil, nil])
    #expect([rows].integers("size") == [2, nil, nil, nil])
    #expect(report.coverage == ["look": .init(hits: 3, misses: 1), "other": .init(hits: 1, misses: 1)])
  }

  @Test func enrichedEventsCanBeEnrichedAnew() throws {
    directory.write("k,name\n1,old\n", to: "t.csv")
    let arguments = #"table="t.csv", key="k", columns={"name": "string"}"#
    let (rows, _) = try enrich(try enricher(arguments), n: [1])
    directory.write("k,name\n1,new\n", to: "t.csv")
    var worker = EventEnricher.Worker(try enricher(arguments))
    var report = RunReport()
    let again = try worker.enrich(rows, report: &report)
    #expect(again.strings("name") == ["new"])
    #expect(again[0].schema.fields.map(\.name) == rows.schema.fields.map(\.name))
  }

  @Test func eventsOfUnknownTypesOrColumnsAreRefused() throws {
    directory.write("k,name\n1,one\n", to: "t.csv")
    let enricher = try enricher(#"table="t.csv", key="k", columns={"name": "string"}"#)
    let (rows, _) = try enrich(enricher, n: [1])
    var worker = EventEnricher.Worker(enricher)
    var report = RunReport()
    let types = try #require(rows.schema.index(of: "event_type"))
    var columns = rows.columns
    columns[types] = ArrowArray(["other"])
    let other = RecordBatch(rows.schema, columns)
    #expect(throws: UnknownEventType(name: "other")) { try worker.enrich(other, report: &report) }
    let fewer = rows.selecting(rows.schema.fields.map(\.name).filter { $0 != "x" })
    #expect(throws: WrongColumn(column: "x", reason: .missing)) { try worker.enrich(fewer, report: &report) }
  }

  // MARK: Quantisation

  static let vectors = #"""
    {"k":1,"v":[1,-2,0.5,127]}
    {"k":2,"v":[0,0,0,0]}
    {"k":3,"v":null}
    {"k":4,"v":[1e-3,-254,100.4,65504]}

    """#

  @Test(arguments: ["float32", "float64"])
  func embeddingsAreNarrowedToHalfPrecision(element: String) throws {
    directory.write(Self.vectors, to: "t.ndjson")
    let enricher = try enricher(
      #"table="t.ndjson", key="k", columns={"v": "\#(element)[4]"}, quantize={"v": "float16"}"#)
    let (rows, _) = try enrich(enricher, n: [1, 2, 3, 4])
    func list(_ values: [Double]) -> JSONValue { .array(values.map { .number(Double(Float16($0))) }) }
    #expect(
      [rows].values("v") == [list([1, -2, 0.5, 127]), list([0, 0, 0, 0]), .null, list([1e-3, -254, 100.4, 65_504])])
  }

  @Test(arguments: ["float32", "float64"])
  func embeddingsAreNarrowedToBytesWithAScale(element: String) throws {
    directory.write(Self.vectors, to: "t.ndjson")
    let enricher = try enricher(
      #"table="t.ndjson", key="k", columns={"v": "\#(element)[4]"}, quantize={"v": "int8"}"#)
    let (rows, _) = try enrich(enricher, n: [1, 2, 3, 4, 5])
    func list(_ values: [Int64]) -> JSONValue { .array(values.map { .integer($0) }) }
    #expect([rows].values("v") == [list([1, -2, 1, 127]), list([0, 0, 0, 0]), .null, list([0, 0, 0, 127]), .null])
    #expect([rows].values("v_scale")[0] == .number(1))
    #expect([rows].values("v_scale")[1...2] == [.number(0), .null])
  }

  @Test func elementsThatAreNoNumbersSpoilNoOthers() throws {
    let elements: [Float] = [.nan, 2, -1, .infinity, -.infinity, .nan, 0, 0]
    let child = ArrowArray(.float32, count: 8, storage: .fixed(Buffer(elements)))
    let lists = ArrowArray(
      .fixedSizeList(Field("item", .float32), count: 4), count: 2, storage: .fixedSizeList(child: child))
    try writeParquet(
      RecordBatch(Schema([Field("k", .int64), Field("v", lists.type)]), [ArrowArray(.int64, [1, 2]), lists]))
    let enricher = try enricher(#"table="t.parquet", key="k", columns={"v": "float32[4]"}, quantize={"v": "int8"}"#)
    let (rows, _) = try enrich(enricher, n: [1, 2])
    func list(_ values: [Int64]) -> JSONValue { .array(values.map { .integer($0) }) }
    #expect([rows].values("v") == [list([0, 127, -64, 127]), list([-127, 0, 0, 0])])
    #expect([rows].values("v_scale") == [.number(Double(Float(2.0 / 127))), .number(0)])
  }

  // MARK: Formats

  func writeParquet(_ batch: RecordBatch) throws {
    var writer = try ParquetWriter(schema: batch.schema)
    var context = ParquetEncoderContext()
    try writer.append(batch, using: &context)
    let file = try OpenFile(writing: directory.path + "/t.parquet")
    for buffer in writer.takeBytes() { try file.write(buffer.bytes) }
    for buffer in try writer.finish(using: &context).bytes { try file.write(buffer.bytes) }
  }

  static let everyType =
    #"columns={"i": "int32", "s": "string", "b": "bool", "f": "float64", "t": "timestamp[us, UTC]", "l": "list<string>", "v": "float32[2]"}"#
  static let everyLine = #"""
    {"v":[1,2.5],"k":1,"i":-5,"s":"a,\"b\"","b":true,"f":0.25,"t":"1970-01-01T00:00:01.5Z","l":["x",null]}
    {"k":2}

    """#

  func expectEveryType(_ enricher: EventEnricher) throws {
    let (rows, report) = try enrich(enricher, n: [1, 2])
    #expect(report.coverage["look"] == .init(hits: 2))
    let values = ["i", "s", "b", "f", "t", "l", "v"].map { [rows].values($0) }
    #expect(values.map { $0[1] } == Array(repeating: .null, count: 7))
    let first: [JSONValue] = [
      .integer(-5), .string(#"a,"b""#), .bool(true), .number(0.25), .integer(1_500_000),
      .array([.string("x"), .null]), .array([.number(1), .number(2.5)]),
    ]
    #expect(values.map { $0[0] } == first)
  }

  @Test(arguments: ["", "gzip", "zstd"])
  func tablesOfNDJSONAreRead(compressor: String) throws {
    directory.write(Self.everyLine, to: "plain")
    if compressor.isEmpty {
      directory.write(Self.everyLine, to: "t.ndjson")
    } else {
      guard let tool = Tool.find(compressor) else { return }
      let output = try Tool.run(tool, ["-c", directory.path + "/plain"]).output
      try Files.write(output, to: directory.path + "/t.ndjson")
    }
    try expectEveryType(try enricher(#"table="t.ndjson", key="k", \#(Self.everyType)"#))
  }

  @Test func tablesOfParquetAreRead() throws {
    directory.write(Self.everyLine, to: "t.ndjson")
    guard let python = SharedData.python else { return }
    let program = """
      import sys, pyarrow as pa, pyarrow.parquet as pq, datetime
      t = datetime.datetime(1970, 1, 1, 0, 0, 1, 500000, datetime.timezone.utc)
      pq.write_table(pa.table({
        "k": pa.array([1, 2], pa.int32()), "i": pa.array([-5, None], pa.int64()), "s": pa.array(['a,"b"', None]).dictionary_encode(),
        "b": [True, None], "f": pa.array([0.25, None], pa.float32()), "t": pa.array([t, None], pa.timestamp("ms", "UTC")),
        "l": [["x", None], None], "v": pa.array([[1, 2.5], None], pa.list_(pa.float64())), "rest": [1, 2]}),
        sys.argv[1] + "/t.parquet", row_group_size=1)
      """
    _ = try runPython(python, program, [directory.path])
    try expectEveryType(try enricher(#"table="t.parquet", key="k", \#(Self.everyType)"#))
  }

  @Test func cellsOfCSVAreQuotedOrNull() throws {
    directory.write(
      "\u{FEFF}s,k,f,t\r\n\"a, \"\"b\"\"\nsecond\",1,1e3,1970-01-01T00:00:02Z\r\n,2,,\r\n\n\"\",3,\"-1\",", to: "t.csv")
    let enricher = try enricher(
      #"table="t.csv", key="k", columns={"s": "string", "f": "float64", "t": "timestamp[us, UTC]"}"#)
    let (rows, _) = try enrich(enricher, n: [1, 2, 3])
    #expect([rows].strings("s") == ["a, \"b\"\nsecond", nil, ""])
    #expect([rows].values("f") == [.number(1_000), .null, .number(-1)])
    #expect([rows].integers("t") == [2_000_000, nil, nil])
  }

  @Test(arguments: [
    ("t.csv", "k,v\n1,2\n1\n", "line 3: a record of 1 cells where the header has 2; correct the table"),
    ("t.csv", "k,v\n\"1\n2\",x\n3,4,5\n", "line 4: a record of 3 cells where the header has 2; correct the table"),
    ("t.csv", "k,v\n1,\"2\n", "line 2: a quoted cell does not end; correct the table"),
    ("t.csv", "k,v\n1,\"2\"3\n", "line 2: a quoted cell goes on after its closing quote; correct the table"),
    ("t.csv", "k,w\n1,2\n", "line 1: there is no column 'v'; correct the table"),
    ("t.csv", "", "line 1: there is no column 'k'; correct the table"),
    ("t.csv", "k,v\n1,yes\n2,\"\nx\"\n", "line 2: "),
    ("t.csv", "k,v\n\n1,2\n\"2\",1\n3,x\n", "line 5: "),
    ("t.csv", "k,v\n1,true\n", "column 'v' has 1 values that are no int64; correct the look-up's types or the table"),
    ("t.ndjson", "{\"k\":1}\n{\"k\":2\n", "line 2: "),
    ("t.ndjson", "{\"key\":1,\"v\":2}\n", "there is no column 'k'; correct the look-up's columns"),
    ("t.parquet", "PAR1", ""),
  ])
  func aTableThatCannotServeIsRefusedByName(name: String, text: String, reason: String) throws {
    directory.write(text, to: name)
    let pipeline = try pipeline(#"table="\#(name)", key="k", columns={"v": "int64"}"#, enrich: #"look.on("n")"#)
    let error = #expect(throws: (any Error).self) {
      try LookupTable.loadAll(of: pipeline.definitions, directory: directory.path)
    }
    let place = "\(directory.path)/\(name): "
    #expect("\(error!)".hasPrefix(place + reason), "\(error!)")
  }

  @Test func columnsOfParquetThatDoNotFitAreRefusedByName() throws {
    let structure = ArrowArray(
      .structure([Field("a", .list(Field("item", .float32)))]), count: 1,
      storage: .structure(children: [ArrowArray(nulls: .list(Field("item", .float32)), count: 1)]))
    let columns = [ArrowArray(.int64, [1]), ArrowArray(["x"]), structure]
    try writeParquet(RecordBatch(Schema(zip(["k", "v", "s"], columns).map { Field($0, $1.type) }), columns))
    for (columns, message) in [
      (#"{"w": "int64"}"#, "there is no column 'w'; correct the look-up's columns"),
      (#"{"v": "float32[2]"}"#, "column 'v' is string, not float32[2]; correct the look-up's types"),
      (#"{"s": "float32[2]"}"#, "column 's' is struct<a: list<float32>>, not float32[2]; correct the look-up's types"),
    ] {
      let error = #expect(throws: LookupError.self) {
        try enricher(#"table="t.parquet", key="k", columns=\#(columns)"#)
      }
      #expect(error?.description == "\(directory.path)/t.parquet: \(message)")
    }
  }
}
