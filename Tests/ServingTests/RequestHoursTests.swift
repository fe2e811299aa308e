import JSONText
import SequenceStore
import Serving
import Synchronization
import TestSupport
import Testing

/// Hours pass over a server of one sequence and one tenant: how requests went in each is kept on disk and compared with the same hour of the weeks before,
/// and people are told where they look.
@Suite struct RequestHoursTests {
  private let made: ServedStore
  private let time = TestTime()

  /// Every Monday at ten a third of the requests fails; else hardly any does.
  private static let monday = Day("2026-11-23")!
  private static let usualErrors = 0.002
  private static let mondayErrors = 0.3

  private static func hour(_ number: Int64) -> Int64 { monday.startMicros / ProfilePeriod.hourMicros + number }

  init() throws {
    made = try ServedStore(0)
    try made.indexOldEvent("e1")
    var lines = ""
    for hour in Self.hour(8 - 5 * 168)..<Self.hour(8) {
      let isBad = (hour - Self.hour(10)) % 168 == 0
      let sample: JSONValue = [
        "t": .integer(hour * 3_600),
        "values": [
          "requests/sequence/all": 500, "p99/sequence/all": 0.05,
          "errors/sequence/all": .number(isBad ? Self.mondayErrors : Self.usualErrors),
          "requests/tenant/ranking": 500, "p99/tenant/ranking": 0.05,
          "errors/tenant/ranking": .number(isBad ? Self.mondayErrors : Self.usualErrors),
        ],
      ]
      lines += sample.text + "\n"
    }
    try made.store.makeHistoryDirectory()
    made.directory.write(lines, to: "store/serving/hours.ndjson")
  }

  @Test func anHourThatIsNotAsItWasIsToldUntilItIsOver() throws {
    var server = try WatchedServer(made, time, from: Self.hour(8), minute: 30)
    try server.pass(until: Self.hour(9), errors: 0.9)
    #expect(server.report == nil, "nobody knows how that hour began")
    try server.pass(until: Self.hour(10), errors: 0)
    #expect(server.report != nil && server.errors == nil)
    try server.pass(until: Self.hour(11), errors: Self.mondayErrors)
    #expect(server.errors == nil, "so it is on Mondays")

    try server.pass(until: Self.hour(12), errors: Self.mondayErrors)
    let first = try #require(server.errors)
    #expect(first.isOpen && first.since == Self.monday && first.atMicros == Self.hour(11) * ProfilePeriod.hourMicros)
    #expect(abs(first.value - Self.mondayErrors) < 0.02 && abs(first.expected - Self.usualErrors) < 1e-6)
    let label = try made.definitionsLabel()
    #expect(first.definitions == label)
    try server.expectIsTold(since: Self.monday, definitions: label)

    // Other definitions, another server: it is still the same.
    server.stop()
    made.directory.write(
      ServedStore.definitions.replacing("USER", with: "int64").replacing("owner=\"team\"", with: "owner=\"other\""),
      to: "definitions.py")
    try made.run("seq-config compile definitions.py -o definitions.json")
    try made.indexOldEvent("e2")
    #expect(try made.definitionsLabel() != label)
    server = try WatchedServer(made, time, from: Self.hour(12), minute: 20)
    try server.expectIsTold(since: Self.monday, definitions: label)
    try server.pass(until: Self.hour(13), errors: 0.9)
    try server.pass(until: Self.hour(14), errors: Self.mondayErrors)
    let second = try #require(server.errors)
    #expect(second.isOpen && second.atMicros == Self.hour(13) * ProfilePeriod.hourMicros)
    try server.expectIsTold(since: Self.monday, definitions: label)

    for hour in Self.hour(15)...Self.hour(14 + 24) {
      #expect(server.errors?.isOpen == true)
      try server.pass(until: hour, errors: 0)
    }
    #expect(server.errors?.isOpen == false)
    try server.expectIsNotTold()
    server.stop()
    let kept = SharedData.contents(of: made.store.requestHistory) ?? []
    #expect(kept.count { $0 == UInt8(ascii: "\n") } == 5 * 168 + 3 + 1 + 24, "a line for each whole hour")
  }
}

/// A time of day that stands still until it is set.
private final class TestTime: Sendable {
  private let value = Mutex<Int64>(0)

  var micros: Int64 {
    get { value.withLock { $0 } }
    set { value.withLock { $0 = newValue } }
  }
}

/// A server by the test's time.
private final class WatchedServer {
  private static let tenant = """
    {"tenants": [{"name": "ranking", "token_sha256": "\(TokenHash("secret".utf8).hexadecimal)", "sequences": {"*": "*"}}]}
    """

  private let made: ServedStore
  private let time: TestTime
  private let server: TestServer
  private let upkeep: Upkeep

  init(_ made: ServedStore, _ time: TestTime, from hour: Int64, minute: Int64) throws {
    time.micros = hour * ProfilePeriod.hourMicros + minute * 60_000_000
    (self.made, self.time) = (made, time)
    made.directory.write(Self.tenant, to: "tenants.json")
    let tenants = try TenantDirectory(file: made.directory.path + "/tenants.json")
    server = try TestServer(made, gate: Gate(tenants: tenants), now: { time.micros })
    upkeep = try server.api.startUpkeep { Issue.record($0) }
    upkeep.run()
  }

  /// Nothing of it runs any more.
  func stop() {
    upkeep.stop()
    upkeep.run()
  }

  /// Asks 120 times, a share of it in vain, and lets the hour begin.
  func pass(until hour: Int64, errors: Double) throws {
    let (client, target) = (try server.client(), "/v1/sequences/all/users/1?last=1")
    let errorCount = Int(120 * errors)
    for number in 0..<120 {
      let isVain = number < errorCount
      let response = try client.get(
        isVain ? target + "&min_freshness=1ms" : target, headers: ["Authorization": "Bearer secret"])
      guard response.status == (isVain ? 503 : 200) else { throw ProgramFailure(description: response.text) }
    }
    time.micros = hour * ProfilePeriod.hourMicros
    upkeep.run()
  }

  var report: AnomalyReport? { AnomalyReport(file: made.store.requestAnomalies) }

  /// What was found last of errors: the same of the sequence and of the tenant.
  var errors: Anomaly? {
    let found = report?.anomalies.filter { $0.subject.kind == .errors } ?? []
    #expect(found.isEmpty || found.map(\.subject.sequence) == ["all", nil] && found[1].subject.tenant == "ranking")
    #expect(Set(found.map(\.value)).count <= 1)
    return found.first
  }

  func expectIsTold(since day: Day, definitions: String) throws {
    let page = try server.get("/").text
    let metrics = try server.get("/metrics").text.split(separator: "\n")
    let stat = try made.run("seq-store stat").split(separator: "\n")
    let objects = try made.run("seq-store stat --json").split(separator: "\n")
    let since = "since \(day), definitions \(definitions)"
    for (label, name, title) in [("sequence", "all", "all"), ("tenant", "ranking", "tenant ranking")] {
      #expect(page.contains("errors of \(title)") && page.contains(definitions), "\(page)")
      let metric =
        "seqline_anomaly{kind=\"errors\",\(label)=\"\(name)\",since=\"\(day)\",definitions=\"\(definitions)\"} 1"
      #expect(metrics.contains { $0 == metric })
      #expect(stat.contains { $0.contains("errors of \(title): ") && $0.contains(since) }, "\(stat)")
      #expect(objects.contains { $0.contains("\"kind\":\"errors\"") && $0.contains("\"\(label)\":\"\(name)\"") })
    }
    #expect(stat.suffix(2).first == "requests", "\(stat)")
  }

  func expectIsNotTold() throws {
    #expect(try !server.get("/metrics").text.contains("kind=\"errors\""))
    #expect(try !made.run("seq-store stat").contains("errors of"))
  }
}

extension ServedStore {
  /// Replaces all by an event of user 1 that is too old for anybody who asks for fresh ones.
  fileprivate func indexOldEvent(_ id: String) throws {
    let millis = Day("2020-01-01")!.startMicros / 1_000
    let event: JSONValue = ["id": .string(id), "user": 1, "ts": .integer(millis), "kind": "click"]
    directory.write(event.text + "\n", to: "raw.ndjson")
    try run("seq-filter raw.ndjson | seq-enrich | seq-assemble | seq-index --replace all")
  }

  fileprivate func definitionsLabel() throws -> String {
    let definitions = try store.currentDefinitions()
    return "\(definitions.version):\(definitions.digest)"
  }
}
