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

  /// Whoever starts it has to say so before strangers are let in.
  @Test(arguments: ["0.0.0.0", "::"]) func othersAreNotLetInUnasked(host: String) throws {
    let made = try ServedStore(1)
    let command = "timeout 20 seq-serve --store store --port 0 --host \(host)"
    let outcome = try Shell.run(command, in: made.directory.path)
    #expect(outcome.status == .exited(2) && outcome.errors.contains("give --tenants FILE, or --open"))
    let server = try RunningServer(
      ["--store", made.store.path, "--host", "0.0.0.0", "--open"], in: made.directory.path)
    #expect(try HTTPClient(port: server.port).get("/v1/sequences").status == 200)
  }

  @Test func tenantsAreFollowed() throws {
    let made = try ServedStore(1)
    let (folder, token) = (made.directory, "0123456789abcdef")
    let hash = try Shell.succeed("printf %s \(token) | sha256sum | cut -c1-64", in: folder.path).prefix(64)
    let file = { (hash: Substring) in
      #"{"tenants": [{"name": "a", "token_sha256": "\#(hash)", "sequences": {"*": "*"}}]}"#
    }
    folder.write(file(Substring(String(repeating: "0", count: 64))), to: "tenants.json")
    let server = try RunningServer(
      ["--store", made.store.path, "--host", "0.0.0.0", "--tenants", "tenants.json"], in: folder.path)
    let client = try HTTPClient(port: server.port)
    let status = { try client.get("/v1/sequences", headers: ["Authorization": "Bearer \(token)"]).status }
    #expect(try status() == 401)
    folder.write(file(hash), to: "tenants.json")
    #expect(try eventually { try status() == 200 })
    folder.write("{", to: "tenants.json")
    #expect(eventually { server.messages.contains("seq-serve: tenants.json: ") })
    usleep(1_200_000)
    #expect(server.messages.split(separator: "\n").filter { $0.contains("tenants.json") }.count == 1)
    #expect(try status() == 200)
    let missing = try Shell.run("timeout 20 seq-serve --store store --tenants nothing.json", in: folder.path)
    #expect(missing.status == .exited(2) && missing.errors.contains("nothing.json"))
  }
}
