import JSONText
import TestSupport
import Testing

/// examples/github over two full hours of GH Archive, against a plain program in Python.
@Suite(.enabled(if: Peer.isPresent, "no Python is set up"))
struct GitHubTests {
  @Test func twoHoursAreStoredAndServed() throws {
    guard let folder = SharedData.path("data/gharchive-2015-01-01") else { return }
    let made = try ExampleStore("github")
    let raw = "seq-ingest --root $DATA --date 2015-01-01"
    let variables = ["DATA": folder]
    try made.index(raw, variables)
    let expected = try Peer.run("github", folder)

    let types = try made.run("\(raw) --format ndjson --columns type | sort | uniq -c", variables)
    var counts: [String: JSONValue] = [:]
    for line in types.split(separator: "\n") {
      let parts = line.split(separator: " ", maxSplits: 1)
      counts[try JSONValue(parsing: String(parts[1]))["type"]!.string!] = .integer(Int64(parts[0])!)
    }
    #expect(.object(counts) == expected["types"]!)
    #expect(counts["PushEvent"] == 8_430 && counts.count == 14)

    #expect(try made.rows("activity") == expected["activity"])
    #expect(try made.rows("commits") == expected["commits"])
    #expect(try made.run("seq-store verify; echo $?") == "0\n")
    let all = try made.run(
      "\(raw) | seq-filter --event-type commit --format ndjson --columns sha | wc -l", variables)
    #expect(Int64(all.filter(\.isNumber)) == expected["commits"]?["count"]?.integer)
    try serve(made, expected["sequences"]!.object!)
  }

  private func serve(_ made: ExampleStore, _ sequences: [String: JSONValue]) throws {
    let server = try RunningServer(["--store", made.store], in: made.path)
    let client = try HTTPClient(port: server.port)
    let columns = "ts,event_type,repo,action,number,title,commits,changed_lines"
    for (user, expected) in sequences {
      let query = "until=2015-01-02T00:00:00Z&timestamps=us&columns=\(columns)"
      let found = try client.get("/v1/sequences/activity/users/\(user)?\(query)").json["events"]
      #expect(found?.withoutNulls == expected.withoutNulls, "user \(user)")
    }
    let commits = try client.get("/v1/sequences/commits/users/280212?until=2015-01-02T00:00:00Z&timestamps=us").json
    let times = commits["events"]?.array?.map { $0["ts"]?.integer ?? 0 } ?? []
    #expect(times == times.sorted())
    #expect(server.stop() == 0)
  }
}
