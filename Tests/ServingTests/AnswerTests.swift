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

  @Test(arguments: [false, true]) func aBatchIsWhatSingleAnswersAre(hasTextUsers: Bool) throws {
    let made = try ServedStore(hasTextUsers: hasTextUsers)
    let (rows, server) = (try made.rows(), try TestServer(made))
    let client = try server.client()
    var random = SeededRandom(seed: 8)
    var found = 0
    for _ in 0..<60 {
      let request = RandomRequest(isText: hasTextUsers, using: &random)
      let users = (0..<Int(1 + random.next() % 9)).map { _ in
        ServedStore.user(Int(random.next() % 44), isText: hasTextUsers)
      }
      let expected = users.map { request.expected(rows, of: $0).events }
      let body = JSONValue.object(
        request.members.merging(["users": .array(users), "timestamps": "us"]) { $1 })
      let path = "/v1/sequences/\(request.sequence):batch"
      let answer = try client.post(path, body)
      #expect(answer.status == 200, "\(answer.text)")
      let answered = answer.json["users"]?.array ?? []
      #expect(answered.map { $0["user"]?.string } == users.map { $0.string ?? $0.text })
      #expect(answered.map { $0["events"]?.array?.map(\.withoutNulls) } == expected, "\(body.text)")
      #expect(answered.map { $0["count"]?.integer } == expected.map { Int64($0.count) })
      let stream = try client.post(path, body, headers: Self.arrow)
      let (schema, batches) = try IPCStreamDecoder.decode(
        Buffer(stream.body), options: IPCDecodingOptions(validatesText: true))
      #expect(schema.fields.prefix(2).map(\.name) == ["seq.user", "seq.cut"])
      let streamed = batches.flatMap(\.allRows)
      let labelled = zip(users, expected).flatMap { user, events in events.map { (user, $0) } }
      #expect(streamed.map { $0["seq.user"]! } == labelled.map(\.0))
      let plain = streamed.map { row in
        JSONValue.object(row.object!.filter { !$0.key.hasPrefix("seq.") }).withoutNulls
      }
      #expect(plain == labelled.map(\.1), "\(body.text)")
      found += labelled.count
    }
    #expect(found > 1_000)
  }

  @Test func whatIsWrongWithABatchIsSaid() throws {
    let server = try TestServer(ServedStore(100))
    let client = try server.client()
    let refused: [(body: String, status: Int, says: String)] = [
      ("", 400, "the body is no JSON"), ("[1]", 400, "no JSON object"), ("{}", 400, "users is no list of users"),
      (#"{"users":[]}"#, 400, "users is no list"), (#"{"users":[1.5]}"#, 400, "1.5 is no user"),
      (#"{"users":[null]}"#, 400, "null is no user"), (#"{"users":[1,"anna"]}"#, 400, "user 'anna' is no int64"),
      (#"{"users":[1],"limit":3}"#, 400, "no parameter 'limit'; use"),
      (#"{"users":[1],"last":"3"}"#, 400, "last '3' is no number above 0"),
      (#"{"users":[1],"last":null}"#, 400, "last 'null'"), (#"{"users":[1],"columns":"ts"}"#, 400, "no list of names"),
      (#"{"users":[1],"columns":["ts","dwell"]}"#, 400, "no column 'dwell'; it has ts, event_type"),
      (#"{"users":[1],"caps":{"click":0}}"#, 400, "caps"), (#"{"users":[1],"caps":{"buy":1}}"#, 400, "'buy'"),
      (#"{"users":[1],"degrade":1}"#, 400, "degrade '1'"), (#"{"users":[1],"version":2}"#, 409, "not 2"),
      (#"{"users":[1],"until":"yesterday"}"#, 400, "until 'yesterday'"),
      (#"{"users":[\#((0...1_000).map { "\($0)" }.joined(separator: ","))]}"#, 400, "1001 users; 1000 is the most"),
    ]
    for (body, status, says) in refused {
      let answer = try client.post("/v1/sequences/all:batch", body)
      #expect(answer.status == status && answer.json["status"]?.integer == Int64(status), "\(body): \(answer.text)")
      #expect(answer.json["error"]?.string?.contains(says) == true, "\(body): \(answer.text)")
    }
    #expect(try client.post("/v1/sequences/nope:batch", #"{"users":[1]}"#).status == 404)
    #expect(try client.post("/v1/sequences/all@2:batch", #"{"users":[1]}"#).status == 409)
    #expect(try client.post("/v1/sequences/all:batch?last=3", #"{"users":[1]}"#).status == 400)
    let wrong = try client.post("/v1/sequences/all:batch", "users=1", type: "application/x-www-form-urlencoded")
    #expect(wrong.status == 415)
    let get = try client.get("/v1/sequences/all:batch")
    #expect(get.status == 405 && get.headers["allow"] == "POST")
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
      for key in ["seq.definitions", "seq.tables", "seq.freshness", "seq.until", "seq.cut", "seq.live"] {
        #expect(stream.schema.metadata[key] != nil, "\(key)")
      }
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
