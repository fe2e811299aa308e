import Glibc
import JSONText
import TestSupport
import Testing

/// seq-serve as a process.
@Suite struct ServeCommandTests {
  private let target = "/v1/sequences/saves/users/1?until=2026-11-30T00:00:00Z&timestamps=us"

  @Test func aNewCommitIsServedWithoutARestart() throws {
    let made = try ServedStore(1_000)
    let server = try RunningServer(["--store", made.store.path], in: made.directory.path)
    let client = try HTTPClient(port: server.port)
    let before = try client.get(target).json
    for seed in UInt64(11)..<14 {
      try made.index(1_500, seed: seed)
      let request = try made.rows().filter { row in
        row["user_id"] == 1 && row["event_type"] == "save" && row["item_id"]?.integer ?? 0 >= 50
      }
      let times = request.map { $0["ts"]!.integer! }.sorted()
      var answer = JSONValue.null
      // A table is looked for twice a second.
      for _ in 0..<2_000 {
        answer = try client.get(target).json
        if answer["events"]?.array?.map({ $0["ts"]!.integer! }) == times { break }
        usleep(50_000)
      }
      #expect(answer["events"]?.array?.map { $0["ts"]!.integer! } == times)
      #expect(answer["tables"]?["events"]?.integer ?? 0 > before["tables"]?["events"]?.integer ?? 0)
    }
    #expect(server.stop() == 0)
  }

  @Test(arguments: [SIGTERM, SIGINT]) func aSignalEndsItWell(signal: Int32) throws {
    let made = try ServedStore(100)
    let server = try RunningServer(["--store", made.store.path, "--threads", "1"], in: made.directory.path)
    let idle = try HTTPClient(port: server.port)
    #expect(try idle.get("/healthz").text == "ok\n")
    let half = try HTTPClient(port: server.port)
    half.send("GET /healthz HT")
    #expect(server.stop(signal) == 0)
    #expect(throws: ProgramFailure.self) { try HTTPClient(port: server.port) }
  }

  @Test func aPortThatIsTakenIsSaid() throws {
    let made = try ServedStore(1)
    let server = try RunningServer(["--store", made.store.path], in: made.directory.path)
    let second = try Shell.run("timeout 200 seq-serve --store store --port \(server.port)", in: made.directory.path)
    #expect(second.status == .exited(2))
    #expect(second.errors.contains("127.0.0.1:\(server.port): cannot listen"))
  }

  @Test func aStoreWithoutDefinitionsIsSaid() throws {
    let folder = TemporaryDirectory()
    let outcome = try Shell.run("timeout 200 seq-serve --store nothing --port 0", in: folder.path)
    #expect(outcome.status == .exited(2) && outcome.errors.contains("nothing/definitions/CURRENT"))
  }
}
