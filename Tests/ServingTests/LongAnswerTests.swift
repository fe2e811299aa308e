import Arrow
import Buffers
import JSONText
import TestSupport
import Testing

/// Answers that are made in pieces.
@Suite struct LongAnswerTests {
  private static let definitions = """
    from seqline import *
    log = Source("log", path="raw/*.ndjson", user="user", ts="ts", id="id", lateness="3d",
                 fields={"user": "int64", "ts": "timestamp[ms]", "id": "string", "item": "int64", "kind": "string"})
    EventType("click", source=log, owner="team", retention="90d", columns={"item_id": "item", "kind": "kind"})
    Sequence("life", owner="team", events=["click"], max_length=100000, columns=["ts", "item_id", "kind"],
             derive=[Gap("gap")])
    """
  private static let count = 20_011

  private let directory = TemporaryDirectory()

  init() throws {
    directory.write(Self.definitions, to: "definitions.py")
    let lines = (0..<Self.count).map { number in
      #"{"user": \#(number % 5000 == 7 ? 2 : 1), "ts": \#(1_795_000_000_000 + number * 9_000), "id": "\#(number)", "#
        + #""item": \#(number), "kind": \#(number % 7 == 0 ? "null" : "\"kind \(number % 3)\"")}"# + "\n"
    }
    directory.write(lines.joined(), to: "raw.ndjson")
    try directory.runStages(
      """
      seq-config compile definitions.py -o definitions.json
      seq-filter raw.ndjson | seq-enrich | seq-assemble | seq-index --replace all
      """)
  }

  @Test func aLongAnswerComesInPiecesAndIsTheSame() throws {
    let server = try RunningServer(["--store", "store"], in: directory.path)
    let client = try HTTPClient(port: server.port)
    let path = "/v1/sequences/life/users/1?timestamps=us&until=2027-06-01T00:00:00Z"
    let rows = try client.get(path)
    #expect(rows.status == 200 && rows.headers["transfer-encoding"] == "chunked")
    let events = try #require(rows.json["events"]?.array)
    let items = (0..<Int64(Self.count)).filter { $0 % 5_000 != 7 }
    #expect(rows.json["count"]?.integer == Int64(items.count) && rows.json["cut"] == [])
    #expect(events.map { $0["item_id"]!.integer! } == items)
    #expect(events.dropFirst().allSatisfy { [9_000_000, 18_000_000].contains($0["gap"]?.integer) })
    let newest = try client.get(path + "&order=newest").json["events"]?.array
    #expect(newest.map { $0.reversed() } == events)
    let columns = try client.get(path + "&layout=columns").json["events"]
    #expect(columns?["item_id"]?.array?.map(\.integer) == items)
    #expect(columns?["kind"]?.array == events.map { $0["kind"] ?? .null })
    let arrow = ["Accept": "application/vnd.apache.arrow.stream"]
    for order in ["oldest", "newest"] {
      let stream = try client.get(path + "&order=\(order)", headers: arrow)
      let batches = try IPCStreamDecoder.decode(Buffer(stream.body), options: IPCDecodingOptions(validatesText: true))
        .batches
      #expect(batches.count > 3)
      let found = batches.flatMap(\.allRows).map(\.withoutNulls)
      #expect(order == "oldest" ? found == events : found.reversed() == events)
    }
    let last = try client.get(path + "&last=16000")
    #expect(last.headers["content-length"] != nil && last.json["events"]?.array == Array(events.suffix(16_000)))
    let batch = try client.post(
      "/v1/sequences/life:batch",
      ["users": [2, 1, 3], "timestamps": "us", "until": "2027-06-01T00:00:00Z"])
    #expect(batch.headers["transfer-encoding"] == "chunked")
    let users = batch.json["users"]?.array ?? []
    #expect(users.map { $0["count"]?.integer } == [Int64(Self.count - items.count), Int64(items.count), 0])
    #expect(users[1]["events"]?.array == events)
    let few = try client.post("/v1/sequences/life:batch", ["users": .array((0..<50).map { .integer($0) })])
    #expect(few.status == 400 && few.json["error"]?.string?.contains("ask for last=10000") == true)
  }

  @Test func whoAsksForTheHeadLearnsTheLength() throws {
    let server = try RunningServer(["--store", "store"], in: directory.path)
    let client = try HTTPClient(port: server.port)
    let path = "/v1/sequences/life/users/1?until=2027-06-01T00:00:00Z&columns=item_id"
    client.send("HEAD \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
    let length = try client.receive(hasBody: false)?.headers["content-length"].flatMap { Int($0) }
    // How fresh the data are takes more or fewer digits from one second to the next.
    #expect(abs(try client.get(path).body.count - (length ?? 0)) < 64)
  }
}
