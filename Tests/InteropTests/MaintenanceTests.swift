import JSONText
import TestSupport
import Testing

/// Tables that deltalake compacted, reordered and vacuumed stay readable and replaceable.
@Suite(.enabled(if: Peer.isPresent, "no Python with the other engines is set up"))
struct MaintenanceTests {
  private func answers(_ server: RunningServer, _ users: [Int64]) throws -> [JSONValue?] {
    let client = try HTTPClient(port: server.port)
    return try users.map { user in
      let target = "/v1/sequences/home_feed/users/\(user)?until=2026-11-21T00:00:00Z&last=50"
      return try client.get(target).json["events"]
    }
  }

  private func count(_ pattern: String, _ made: ExampleStore) throws -> Int {
    Int(try made.run("find store/datasets/engagements -name '\(pattern)' | wc -l").filter(\.isNumber)) ?? -1
  }

  @Test(arguments: ["compact", "z_order"]) func aTableThatDeltalakeKeepsInOrderReadsAlike(how: String) throws {
    let made = try ExampleStore.engagement()
    try made.index("cat raw/*/*.ndjson | shuf -n 100", days: "2026-11-19")
    try made.index("cat raw/*/*.ndjson", days: "2026-11-19")
    let (rows, users) = (try made.rows("engagements"), try Array(made.users("engagements").prefix(25)))
    let server = try RunningServer(["--store", made.store], in: made.path)
    let before = try answers(server, users)
    #expect(before.contains { $0?.array?.isEmpty == false })

    #expect(try Peer.run("maintain", made.table("engagements"), "split").integer ?? 0 > 5)
    #expect(try made.rows("engagements") == rows)
    #expect(try made.run("seq-store verify; echo $?") == "0\n")
    let changed = try Peer.run("maintain", made.table("engagements"), how)
    #expect(changed["numFilesRemoved"]?.integer ?? 0 >= 3)
    let files = try count("*.parquet", made)
    #expect(try Peer.run("maintain", made.table("engagements"), "vacuum").array?.isEmpty == false)
    #expect(try count("*.parquet", made) < files)
    #expect(try made.rows("engagements") == rows)
    #expect(try made.run("seq-store verify; echo $?") == "0\n")
    let fresh = try RunningServer(["--store", made.store], in: made.path)
    #expect(try answers(fresh, users) == before)
    #expect(try answers(server, users) == before)

    try made.index("cat raw/*/*.ndjson", days: "2026-11-19")
    #expect(try made.rows("engagements") == rows)
    #expect(try Peer.run("rows", "deltalake", made.table("engagements")) == rows)
    #expect(try made.run("seq-store verify; echo $?") == "0\n")
    #expect(server.stop() == 0)
  }
}
