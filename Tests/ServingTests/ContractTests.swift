import Arrow
import Buffers
import JSONText
import TestSupport
import Testing

/// What answers say of the data, and what clients may demand of it.
@Suite struct ContractTests {
  private static let definitions = """
    from seqline import *
    def source(name):
        return Source(name, path=f"{name}/*.ndjson", user="user", ts="ts", id="id", arrival="seen", lateness="3d",
                      fields={"user": "int64", "ts": "timestamp[ms]", "seen": "timestamp[ms]", "id": "string",
                              "item": "int64", "kind": "string"})
    web, app = source("web"), source("app")
    stored = Lookup("stored", table="stored.csv", key="item_id", columns={"category": "string"})
    shown = Lookup("shown", table="shown.csv", key="item_id", columns={"price": "float64"})
    enrich = [stored.on("item_id"), shown.on("item_id", at="request")]
    click, save = (EventType(name, source=web, owner="team", retention="3650d", dataset="web", where=f"kind == '{name}'",
                             columns={"item_id": "item"}, enrich=enrich) for name in ["click", "save"])
    tap = EventType("tap", source=app, owner="team", retention="3650d", columns={"item_id": "item"})
    Sequence("web", owner="team", events=[click, save], max_length=100, columns=["ts", "item_id", "category", "price"],
             freshness="1s")
    Sequence("all", owner="team", events=[click, save, tap], max_length=100, columns=["ts", "item_id"])
    """
  private let directory = TemporaryDirectory()
  private let server: RunningServer

  init() throws {
    directory.write(Self.definitions, to: "definitions.py")
    directory.write("item_id,category\n" + (0..<8).map { "\($0),c\n" }.joined(), to: "stored.csv")
    directory.write("item_id,price\n" + (0..<5).map { "\($0),\($0)\n" }.joined(), to: "shown.csv")
    // Clicks of the last minute; no save, and no tap at all.
    try directory.runStages(
      """
      seq-config compile definitions.py -o definitions.json
      now=$(date +%s)000
      for n in 0 1 2 3 4 5 6 7 8 9; do
        echo '{"user": 1, "ts": '$((now - n * 1000 - 60000))', "seen": '$((now - n * 1000 - 30000))', "id": "'$n'", "item": '$n', "kind": "click"}'
      done > raw.ndjson
      seq-ingest --source web raw.ndjson | seq-filter --source web | seq-enrich --tables . | seq-assemble | seq-index --replace all
      """)
    server = try RunningServer(
      ["--store", "store", "--definitions", "definitions.json", "--tables", "."], in: directory.path)
  }

  private func get(_ target: String) throws -> HTTPResponse {
    try HTTPClient(port: server.port).get("/v1/sequences/" + target)
  }

  @Test func anAnswerSaysHowFreshAndCompleteItIs() throws {
    let answer = try get("web/users/1").json
    let freshness = try #require(answer["freshness"])
    let click = try #require(freshness["click"])
    #expect((29.0...3_600).contains(click["lag"]?.double ?? -1), "\(answer.text)")
    #expect(freshness["save"]?["freshness"] == click["freshness"], "both come by one source")
    #expect(click["freshness"]?.double ?? -1 <= click["lag"]?.double ?? -1)
    #expect(answer["coverage"]?["shown"] == ["found": 5, "total": 10])
    #expect(answer["coverage"]?["stored"] == ["found": 8, "total": 10, "stored": 0.8])
    #expect(try get("web/users/1?columns=ts").json["coverage"] == nil)
    #expect(try get("web/users/1?columns=category&last=3").json["coverage"]?["stored"]?["total"] == 3)
    let contract = try get("web").json
    #expect(contract["promised"]?["freshness_seconds"]?.double == 1)
    #expect(contract["measured"]?["coverage"]?["stored"]?.double == 0.8)
    #expect(contract["measured"]?["freshness"]?["click"]?["lag"]?.double ?? 0 >= 29)
  }

  @Test func demandsThatAreNotMetAreRefusedOrTold() throws {
    for (query, says) in [
      ("min_freshness=10s", "event type 'click' is"), ("min_coverage=0.81", "look-up 'shown' found 5 of 10 keys"),
      ("min_coverage=stored:0.81", "look-up 'stored' found 8 of 10 keys; 0.81 is demanded"),
      ("min_coverage=stored:0.81&columns=ts", "look-up 'stored' found 80 % of the keys of stored events"),
    ] {
      let refused = try get("web/users/1?\(query)")
      #expect(refused.status == 503 && refused.json["error"]?.string?.contains(says) == true, "\(refused.text)")
      let told = try get("web/users/1?\(query)&degrade=1").json
      let reasons = told["degraded"]?.array?.compactMap(\.string) ?? []
      #expect(reasons.contains { $0.contains(says) } && told["events"]?.array?.count == 10, "\(told.text)")
    }
    for query in [
      "min_freshness=1d", "min_coverage=0.5", "min_coverage=stored:0.8,shown:0.5", "min_coverage=0.9&columns=ts",
    ] {
      let answer = try get("web/users/1?\(query)")
      #expect(answer.status == 200 && answer.json["degraded"] == nil, "\(answer.text)")
    }
    #expect(try get("all/users/1?min_freshness=1d&types=click,save").status == 200)
    #expect(try get("web/users/1?min_coverage=nothing:0.5").status == 400)
  }

  @Test func ofAnEmptyStoreNothingIsKnown() throws {
    let server = try RunningServer(
      ["--store", "nothing", "--definitions", "definitions.json", "--tables", "."], in: directory.path)
    let client = try HTTPClient(port: server.port)
    let answer = try client.get("/v1/sequences/all/users/1").json
    #expect(answer["count"] == 0 && answer["freshness"]?["tap"] == [:])
    let refused = try client.get("/v1/sequences/all/users/1?min_freshness=1d&types=tap")
    #expect(refused.status == 503 && refused.json["error"]?.string?.contains("'tap' it is not known") == true)
  }

  @Test func whatHadNotArrivedIsNotKnown() throws {
    let events = try #require(try get("web/users/1?timestamps=ms&columns=ts").json["events"]?.array)
    for place in [0, 4, 9] {
      let arrival = events[place]["ts"]!.integer! + 30_000
      let known = try get("web/users/1?timestamps=ms&columns=ts&known_at=\(arrival)").json["events"]?.array
      #expect(known == Array(events[...place]))
    }
  }

  @Test func aBatchAndAnArrowStreamSayTheSame() throws {
    let client = try HTTPClient(port: server.port)
    let batch = try client.post("/v1/sequences/web:batch", ["users": [1, 2]]).json
    #expect(batch["coverage"]?["shown"] == ["found": 5, "total": 10] && batch["freshness"]?["click"] != nil)
    #expect(try client.post("/v1/sequences/web:batch", ["users": [1], "min_coverage": 0.9]).status == 503)
    #expect(
      try client.post("/v1/sequences/web:batch", ["users": [1], "min_coverage": ["stored": 0.5]]).status == 200)
    let stream = try client.get(
      "/v1/sequences/web/users/1?min_coverage=0.9&degrade=1",
      headers: ["Accept": "application/vnd.apache.arrow.stream"])
    let metadata = try IPCStreamDecoder.decode(Buffer(stream.body)).schema.metadata
    let coverage = try JSONValue(parsing: metadata["seq.coverage"] ?? "")
    #expect(coverage["stored"]?["found"] == 8)
    #expect(metadata["seq.degraded"]?.contains("'shown'") == true)
  }
}
