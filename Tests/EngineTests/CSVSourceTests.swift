import Buffers
import Engine
import Glibc
import JSONText
import TestSupport
import Testing

/// CSV as a source.
struct CSVSourceTests {
  let directory = TemporaryDirectory()
  let ingest: PipelineStage

  init() throws {
    let pipeline = try Pipeline(
      source: """
        user="user.id", ts="ts", id="id",
            fields={"user.id": "int64", "user.name": "string", "ts": "timestamp[ms]", "seen": "timestamp[rfc3339]", "id": "string",
                    "x": "float64", "ok": "bool", "items[].n": "int64", "tags": "list<string>", "raw": "json"}
        """, "")
    ingest = try PipelineStage.ingest(pipeline.source, definitions: pipeline.definitions)
  }

  func path(_ name: String) -> String { directory.path + "/" + name }

  func run(_ inputs: [String], threads: Int = 3, isCSV: Bool = false) throws -> (
    rows: [JSONValue], letters: [JSONValue], report: RunReport
  ) {
    unsafe unlink(path("dead"))
    var options = StageOptions(
      inputs: inputs.map(path), threads: threads, format: .ndjson, timestamps: .ms, deadLetters: path("dead"))
    options.output = path("out")
    options.isCSV = isCSV
    let report = try StageRun(ingest, options: options).run()
    return (try values("out"), try values("dead"), report)
  }

  func values(_ name: String) throws -> [JSONValue] {
    try OpenFile.text(of: path(name)).split(separator: "\n").map { try JSONValue(parsing: String($0)) }
  }

  static let small = """
    unused,user.id,ts,id,x,ok,user.name,items,tags,raw,seen\r
    ,1,1000,e1,1.5,true,"a ""b"", c","[{""n"":1},{""n"":null}]","[""x""]","{""k"": [1]}",2026-01-01T00:00:00Z\r

    ,2,2000,e2,,,"two
    lines",,,,\r
    ,3,3000,e3,abc,maybe,,{,[1,,\r
    ,4,4000\r
    ,5,,e5,,,,,,,\r
    ,6,6000,e6,,,"open"ed,,,,\r
    ,7,7000,007,1e3,false,"",,,5,2026-01-01T00:00:00Z
    """

  @Test func cellsBecomeTheDeclaredFields() throws {
    directory.write(Self.small, to: "small.csv")
    let (rows, letters, report) = try run(["small.csv"])
    #expect(rows.map { $0["id"]?.string } == ["e1", "e2", "e3", "007"])
    let first = rows[0]
    #expect(first["user.id"]?.integer == 1 && first["user.name"]?.string == #"a "b", c"# && first["x"]?.text == "1.5")
    #expect(first["ts"]?.integer == 1000 && first["seen"]?.integer == 1_767_225_600_000 && first["ok"]?.text == "true")
    #expect(first["items.n"]?.text == "[1,null]" && first["tags"]?.text == #"["x"]"#)
    #expect(rows[1]["user.name"]?.string == "two\nlines")
    #expect(rows[3]["user.name"]?.string == "" && rows[3]["x"]?.text == "1000.0")
    #expect(report.mismatches["x"] == 1 && report.mismatches["ok"] == 1)
    #expect(letters.map { $0["line"]?.integer } == [8, 7, 9])
    #expect(letters.map { $0["text"]?.string?.contains(",5,") } == [true, false, false])
    #expect(letters[1]["reason"]?.string == "a record of 3 cells where the header has 11")
    #expect(letters[2]["reason"]?.string == "a quoted cell goes on after its closing quote")
    let bytes = Array(Self.small.utf8)
    for letter in letters {
      let text = Array(letter["text"]!.string!.utf8)
      #expect(bytes[Int(letter["byte_offset"]!.integer!)...].starts(with: text))
    }
  }

  @Test func compressedAndPipedTextIsRead() throws {
    directory.write(Self.small, to: "small.csv")
    let rows = try run(["small.csv"]).rows
    try Shell.succeed("gzip -k small.csv; zstd -q small.csv; cp small.csv table; mkfifo pipe", in: directory.path)
    #expect(try run(["small.csv.gz"]).rows == rows)
    #expect(try run(["small.csv.zst"]).rows == rows)
    #expect(try run(["table"], isCSV: true).rows == rows)
  }

  /// Many blocks, of rows that Python wrote both ways.
  @Test(arguments: [1, 4]) func csvIsReadAsTheSameRowsOfNDJSON(threads: Int) throws {
    _ = try runPython(
      #require(Tool.find("python3")),
      """
      import csv, json, os, random, sys
      os.chdir(sys.argv[1])
      rng = random.Random(5)
      words = ["plain", "a,b", 'qu"ote', "line\\nbreak", "", "ümläut", " blank ", "back\\\\slash", "\\r\\n"]
      columns = ["user.id", "ts", "id", "user.name", "x", "items"]
      with open("big.csv", "w", newline="") as c, open("big.ndjson", "w") as n:
          out = csv.writer(c)
          out.writerow(columns)
          for i in range(150_000):
              user, ts, id, name = rng.randrange(100), 1_000 + i, f"e{i}", "".join(rng.choices(words, k=rng.randrange(12)))
              x, items = rng.choice([None, 0.5, -3]), rng.choice([None, [], [{"n": i}]])
              out.writerow([user, ts, id, name, x, None if items is None else json.dumps(items)])
              row = {"user": {"id": user, "name": name or None}, "ts": ts, "id": id, "x": x, "items": items}
              n.write(json.dumps(row) + "\\n")
      """, [directory.path])
    let (rows, letters, report) = try run(["big.csv"], threads: threads)
    let expected = try run(["big.ndjson"], threads: threads)
    #expect(report.bytesIn > 8 << 20)
    #expect(letters.isEmpty && rows.count == 150_000 && rows == expected.rows)
  }

  @Test func whatIsWrongWithTheHeaderIsSaid() throws {
    directory.write("user.id,ts\n1,2\n", to: "lacks.csv")
    directory.write("user.id,ts,id,ts\n1,2,a,3\n", to: "twice.csv")
    directory.write("", to: "empty.csv")
    directory.write("id,ts,user\n", to: "header.csv")
    let lacks = #expect(throws: FileError.self) { try run(["lacks.csv"]) }
    #expect(lacks?.description == path("lacks.csv") + ": line 1: there is no column 'id'")
    let twice = #expect(throws: FileError.self) { try run(["twice.csv"]) }
    #expect(twice?.description == path("twice.csv") + ": line 1: there are two columns 'ts'")
    #expect(try run(["empty.csv", "header.csv"]).rows.isEmpty)
  }
}
