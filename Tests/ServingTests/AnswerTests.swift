import Arrow
import Buffers
import JSONText
import TestSupport
import Testing

/// A user's events over HTTP are those that a filter over the whole store finds.
@Suite struct AnswerTests {
  private static let arrow = ["Accept": "application/vnd.apache.arrow.stream"]

  @Test(arguments: [false, true]) func anAnswerIsWhatAFilterOfTheStoreIs(hasTextUsers: Bool) throws {
    let made = try ServedStore(hasTextUsers: hasTextUsers)
    let (rows, server) = (try made.rows(), try TestServer(made))
    let client = try server.client()
    var random = SeededRandom(seed: 7)
    var found = 0
    for _ in 0..<250 {
      let request = RandomRequest(isText: hasTextUsers, using: &random)
      let (events, isWhole) = request.expected(rows)
      let answer = try client.get(request.target("timestamps=us"))
      #expect(answer.status == 200 && answer.headers["content-type"] == "application/json")
      #expect(answer.json["events"]?.array?.map(\.withoutNulls) == events, "\(request)")
      #expect(answer.json["count"]?.integer == Int64(events.count))
      #expect(isWhole || answer.json["cut"]?.array?.isEmpty == false, "\(request)")
      let columns = try client.get(request.target("layout=columns", "timestamps=us")).json["events"]
      #expect(Self.transposed(columns, request.columns) == events)
      let stream = try client.get(request.target(), headers: Self.arrow)
      let batches = try IPCStreamDecoder.decode(Buffer(stream.body), options: IPCDecodingOptions(validatesText: true))
      #expect(batches.batches.flatMap(\.allRows).map(\.withoutNulls) == events)
      found += events.count
    }
    #expect(found > 1_000)
  }

  private static func transposed(_ columns: JSONValue?, _ names: [String]) -> [JSONValue] {
    let count = columns?[names[0]]?.array?.count ?? 0
    return (0..<count).map { row in
      let members = names.map { ($0, columns?[$0]?.array?[row] ?? .null) }
      return JSONValue.object(Dictionary(uniqueKeysWithValues: members)).withoutNulls
    }
  }

  @Test func timestampsHaveTheFormThatWasAskedFor() throws {
    let made = try ServedStore(500)
    let server = try TestServer(made)
    let micros = try made.rows().filter { $0["user_id"] == 0 }.map { $0["ts"]!.integer! }.max()!
    func newest(_ form: String, _ headers: [String: String] = [:]) throws -> HTTPResponse {
      try server.get(
        "/v1/sequences/all/users/0?last=1&columns=ts&until=2027-01-01T00:00:00Z&window=1w\(form)", headers: headers)
    }
    // The definition's window of 4 days ends with `until`: none of the events is in it.
    #expect(try newest("").json["events"] == [])
    func ts(_ form: String) throws -> JSONValue? {
      try server.get("/v1/sequences/all/users/0?last=1&columns=ts&until=\(micros / 1_000 + 1)\(form)").json["events"]?
        .array?.first?["ts"]
    }
    #expect(try ts("&timestamps=us") == .integer(micros))
    #expect(try ts("&timestamps=ms") == .integer(micros / 1_000))
    #expect(try ts("&timestamps=s") == .integer(micros / 1_000_000))
    #expect(try ts("")?.string?.hasPrefix("2026-11-") == true)
    #expect(try ts("") == ts("&timestamps=rfc3339"))
    let target = "/v1/sequences/all/users/0?last=1&columns=ts,item_id&until=\(micros / 1_000 + 1)"
    for (form, type) in [("", DataType.timestampMicrosUTC), ("&timestamps=ms", .int64)] {
      let answer = try server.get(target + form, headers: Self.arrow)
      #expect(answer.headers["content-type"] == "application/vnd.apache.arrow.stream")
      let stream = try IPCStreamDecoder.decode(Buffer(answer.body), options: IPCDecodingOptions(validatesText: true))
      #expect(stream.schema.fields.map(\.type) == [type, .int64])
      #expect(stream.schema.metadata["seq.sequence"] == "all@1")
    }
  }

  @Test func aUserWithoutEventsHasAnEmptySequence() throws {
    let server = try TestServer(ServedStore(500))
    for target in ["/v1/sequences/all/users/-77", "/v1/sequences/all/users/9223372036854775807?layout=columns"] {
      let answer = try server.get(target)
      #expect(answer.status == 200 && answer.json["count"] == 0 && answer.json["cut"] == [])
    }
    let stream = try server.get("/v1/sequences/saves/users/-1", headers: Self.arrow)
    let decoded = try IPCStreamDecoder.decode(Buffer(stream.body), options: IPCDecodingOptions(validatesText: true))
    #expect(decoded.schema.fields.map(\.name) == ["ts", "item_id"])
    #expect(decoded.batches.allSatisfy { $0.rowCount == 0 })
  }

  @Test func aStoreWithoutTablesIsNotReadyButAnswers() throws {
    let made = try ServedStore(1)
    try made.run("rm -r store/datasets store/retractions 2>/dev/null || rm -rf store/datasets")
    let server = try TestServer(made)
    #expect(try server.get("/healthz").status == 200)
    let readiness = try server.get("/readyz")
    #expect(readiness.status == 503 && readiness.json["error"]?.string?.contains("events") == true)
    #expect(try server.get("/v1/sequences/all/users/1").json["count"] == 0)
    try made.index(500, seed: 2)
    try server.api.refresh()
    #expect(try server.get("/readyz").status == 200)
  }
}
