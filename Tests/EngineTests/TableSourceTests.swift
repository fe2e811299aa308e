import Buffers
import Engine
import Glibc
import JSONText
import TestSupport
import Testing

/// Parquet files, directories and Delta tables as sources, written by other tools.
@Suite(.enabled(if: TableWriters.python != nil, "no Python with pyarrow and deltalake")) struct TableSourceTests {
  let directory = TemporaryDirectory()
  let pipeline: Pipeline
  let ingest: PipelineStage

  init() throws {
    pipeline = try Pipeline(
      source: """
        user="user.id", ts="ts", id="id", type="type",
            fields={"user.id": "int64", "ts": "timestamp[ms]", "seen": "timestamp[rfc3339]", "id": "string",
                    "type": "string", "small": "int8", "items[].n": "int64", "a.b": "string"}
        """, "")
    ingest = try PipelineStage.ingest(pipeline.source, definitions: pipeline.definitions)
    _ = try runPython(
      TableWriters.python!,
      """
      import datetime, os, sys, pyarrow as pa, pyarrow.parquet as pq
      from deltalake import write_deltalake
      def table(first, count, bad=()):
          ids = range(first, first + count)
          return pa.table({
              "user": pa.array([{"id": None if i in bad else i % 5, "name": "x"} for i in ids]),
              "ts": pa.array([datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=i) for i in ids], pa.timestamp("us", "UTC")),
              "seen": pa.array([datetime.datetime(2026, 1, 1) for _ in ids], pa.timestamp("ns")),
              "id": pa.array([f"e{i}" for i in ids]).dictionary_encode(),
              "type": pa.array(["t"] * count),
              "small": pa.array([i for i in ids], pa.int64()),
              "items": pa.array([[{"n": i}, {"n": None}] for i in ids]),
              "a.b": pa.array([f"dot {i}" for i in ids]),
              "unused": pa.array([0.5] * count)})
      os.chdir(sys.argv[1])
      os.makedirs("dir/part=1"); os.makedirs("dir/_temporary")
      pq.write_table(table(0, 1000, bad=(7, 900)), "one.parquet", row_group_size=300)
      pq.write_table(table(0, 10), "dir/a.parquet")
      pq.write_table(table(10, 10), "dir/part=1/b.parquet")
      pq.write_table(table(20, 10), "dir/_temporary/c.parquet")
      for first in (0, 100, 200):
          part = table(first, 100).drop_columns(["type"]).append_column("type", pa.array([f"p{first}"] * 100))
          write_deltalake("delta", part.set_column(3, "id", part["id"].cast(pa.string())), mode="append", partition_by=["type"])
      """, [directory.path])
  }

  func path(_ name: String) -> String { directory.path + "/" + name }

  func run(_ inputs: [String], source: (any StageSource)? = nil, threads: Int = 3) throws -> (
    rows: [JSONValue], report: RunReport
  ) {
    var options = StageOptions(
      inputs: inputs, threads: threads, format: .ndjson, timestamps: .ms, deadLetters: path("dead"))
    options.output = path("out")
    let report = try StageRun(ingest, options: options, source: source).run()
    let lines = try OpenFile.text(of: path("out")).split(separator: "\n")
    return (try lines.map { try JSONValue(parsing: String($0)) }, report)
  }

  @Test func rowsBecomeTheDeclaredFields() throws {
    let (rows, report) = try run([path("one.parquet")])
    #expect(rows.count == 998)
    #expect(report.mismatches == ["small": 871])
    let row = rows[5]
    #expect(row["ts"]?.integer == 1_767_225_605_000)
    #expect(row["seen"]?.integer == 1_767_225_600_000)
    #expect(row["id"]?.string == "e5" && row["small"]?.integer == 5 && row["user.id"]?.integer == 0)
    #expect(row["a.b"]?.string == "dot 5")
    #expect(row["items.n"]?.text == "[5,null]")
    let letters = try OpenFile.text(of: path("dead")).split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    #expect(letters.map { $0["row"]?.integer } == [8, 901])
    #expect(letters[0]["source"]?.string == path("one.parquet"))
    #expect(letters[0]["text"]?.string?.contains("\"e7\"") == true)
    #expect(try run([path("one.parquet")], threads: 1).rows == rows)
  }

  @Test func aDirectorysFilesAreReadInOrder() throws {
    let ids = try run([path("dir")]).rows.map { $0["id"]?.string }
    #expect(ids == (0..<20).map { "e\($0)" })
    #expect(throws: TableError.self) { try run([path("delta/_delta_log")]) }
  }

  @Test func aDeltaTableHasItsPartitionsValues() throws {
    let rows = try run([path("delta")]).rows
    #expect(rows.count == 300)
    #expect(Set(rows.map { $0["type"]?.string }) == ["p0", "p100", "p200"])
  }

  @Test func onlyWhatWasAddedSinceAVersionIsRead() throws {
    let added = try run([], source: DeltaSource([path("delta")], since: 1)).rows
    #expect(Set(added.map { $0["type"]?.string }) == ["p200"])
    let all = SourcePositionLookup { source, _ in
      #expect(source.hasPrefix("delta:/"))
      return nil
    }
    #expect(try run([], source: DeltaSource([path("delta")], positions: all)).rows.count == 300)
    let latest = SourcePositionLookup { _, _ in 2 }
    #expect(try run([], source: DeltaSource([path("delta")], positions: latest)).rows.isEmpty)
    let error = #expect(throws: TableError.self) { try DeltaSource([path("delta")], since: 9) }
    #expect(error?.description.hasSuffix("version 9 is not there yet; the latest is 2") == true)
  }

  /// Any byte may be wrong: the reader throws and does not trap.
  @Test func damagedFilesThrow() throws {
    let bytes = try #require(SharedData.contents(of: path("one.parquet")))
    var random = SeededRandom(seed: 4)
    for _ in 0..<60 {
      var damaged = Array(bytes)
      damaged[Int.random(in: 4..<damaged.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
      try Files.write(Buffer(damaged), to: path("damaged.parquet"))
      _ = try? run([path("damaged.parquet")], threads: 1)
    }
  }
}

/// Tools that write tables.
private enum TableWriters {
  /// An interpreter with the writers.
  static let python: String? = unsafe getenv("SEQLINE_PYTHON").flatMap { path in
    let python = unsafe String(cString: path)
    return (try? runPython(python, "import pyarrow, deltalake")) == nil ? nil : python
  }
}
