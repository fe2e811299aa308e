import Buffers
import Glibc
import JSONText
import SequenceStore
import Serving
import TestSupport
import Testing

/// The alerts and the dashboard of `deploy/`, beside the metrics that there are.
@Suite struct DeployedMetricsTests {
  private static let deploy = SharedData.packageRoot + "/deploy"

  private static let definitions = """
    from seqline import *
    log = Source("log", path="raw/*.ndjson", user="user", ts="ts", id="id", revision="rev", lateness="3d",
                 fields={"user": "int64", "ts": "timestamp[ms]", "id": "string", "rev": "int32", "item": "int64"})
    item = Lookup("item", table="items.csv", key="item_id", columns={"category": "string"})
    EventType("click", source=log, owner="team", retention="3000d", columns={"item_id": "item"}, enrich=[item.on("item_id")])
    Sequence("s", owner="team", events=["click"], max_length=9, columns=["ts", "item_id", "category"], freshness="1s")
    """

  private let directory = TemporaryDirectory()

  @discardableResult private func run(_ script: String) throws -> String {
    try directory.runStages(script)
  }

  /// What stages and server tell after a batch and its repetition, a stream, and requests of a tenant with a limit.
  private func metrics() throws -> [String] {
    directory.write(Self.definitions, to: "definitions.py")
    directory.write("item_id,category\n1,cups\n2,pots\n", to: "items.csv")
    for (name, last) in [("first", 7), ("second", 8), ("late", 9)] {
      let events = (1...last).map {
        #"{"user": 1, "ts": \#(1_700_000_000_000 + $0), "id": "\#($0)", "item": \#($0 + (last == 8 ? 1 : 0))}"# + "\n"
      }
      directory.write(events.joined() + "no event\n", to: "\(name).ndjson")
    }
    let hash = TokenHash("token".utf8).hexadecimal
    directory.write(
      #"{"tenants": [{"name": "a", "token_sha256": "\#(hash)", "sequences": {"*": "*"}, "requests_per_second": 2}]}"#,
      to: "tenants.json")
    try run(
      """
      seq-config compile definitions.py -o definitions.json
      events() { seq-filter $1 --dead-letters dead.ndjson --metrics-file filter.prom | seq-enrich --tables . --metrics-file enrich.prom; }
      batch() { events $1 | seq-assemble | seq-index --replace all --metrics-file batch.prom --metrics-label run=backfill; }
      batch first.ndjson; batch second.ndjson; seq-store profile
      events late.ndjson | seq-index --settle --metrics-file stream.prom
      """)
    let anomaly = Anomaly(
      Anomaly.Subject(.nulls, dataset: "click", eventType: "click", column: "item_id"), atMicros: 0, isWholeDay: true,
      value: 1, expected: 0, since: Day("2026-11-20")!, isOpen: true, definitions: "1:0")
    let report = AnomalyReport(madeMicros: 1, anomalies: [anomaly])
    directory.write(report.json.text, to: "store/profiles/anomalies.json")
    let server = try RunningServer(
      ["--store", directory.path + "/store", "--tenants", "tenants.json"], in: directory.path)
    let client = try HTTPClient(port: server.port)
    // How soon an event can be read is told of what arrives while the server runs.
    try run(
      #"""
      echo "{\"user\": 1, \"ts\": $(date +%s%3N), \"id\": \"new\", \"item\": 1}" | seq-filter | seq-enrich --tables . | seq-index
      """#)
    for _ in 0..<8 {
      _ = try client.get(
        "/v1/sequences/s/users/1?until=2027-01-01T00:00:00Z", headers: ["Authorization": "Bearer token"])
    }
    let isFollowed = try eventually { try client.get("/metrics").text.contains("seqline_live_delay_seconds{") }
    #expect(isFollowed)
    let texts = ["filter", "enrich", "batch", "stream"].map {
      SharedData.contents(of: "\(directory.path)/\($0).prom") ?? []
    }
    return try texts.map { String(decoding: $0, as: UTF8.self) } + [client.get("/metrics").text]
  }

  private func text(_ file: String) throws -> String {
    String(decoding: try #require(SharedData.contents(of: "\(Self.deploy)/\(file)")), as: UTF8.self)
  }

  @Test func everyMetricAndLabelThatIsUsedExists() throws {
    let texts = try metrics()
    var (names, labels): (Set<String>, Set<String>) = ([], ["le", "run"])
    for text in texts {
      let samples = try PrometheusSamples(text)
      for (name, kind) in samples.kinds {
        names.insert(name)
        if kind == "histogram" { names.formUnion(["_bucket", "_sum", "_count"].map { name + $0 }) }
      }
      for series in samples.values.keys { labels.formUnion(series.matches(of: /[{,]([a-z_]+)=/).map { String($0.1) }) }
    }
    let dashboard = try JSONValue(parsing: text("grafana/seqline.json"))
    let panels = dashboard["panels"]?.array ?? []
    let targets = panels.flatMap { $0["targets"]?.array ?? [] }
    let rules = try text("prometheus/seqline.rules.yml")
    let used = targets.compactMap { $0["expr"]?.string } + [rules] + targets.compactMap { $0["legendFormat"]?.string }
    #expect(targets.count >= 25)
    for text in used {
      for found in text.matches(of: /seqline_[a-z_]+/) { #expect(names.contains(String(found.0)), "\(found.0)") }
      let named =
        text.matches(of: /(?:by|without) \(([a-z_, ]+)\)/).flatMap { $0.1.split(separator: /, */) }
        + text.matches(of: /{{ *([a-z_]+) *}}/).map(\.1) + text.matches(of: /\$labels\.([a-z_]+)/).map(\.1)
        + text.matches(of: /[{,]([a-z_]+)=~?"/).map(\.1)
      for label in named where label != "end" { #expect(labels.contains(String(label)), "\(label) in \(text)") }
    }
    // As Grafana wants it: panels with places that do not overlap, each with an id of its own.
    #expect(Set(panels.map { $0["id"]?.integer }).count == panels.count)
    #expect(dashboard["schemaVersion"]?.integer ?? 0 >= 38 && dashboard["uid"]?.string == "seqline")
    var taken: Set<[Int64]> = []
    for panel in panels {
      let place = try ["x", "y", "w", "h"].map { try #require(panel["gridPos"]?[$0]?.integer) }
      #expect(place[0] + place[2] <= 24)
      for x in place[0]..<place[0] + place[2] {
        for y in place[1]..<place[1] + place[3] { #expect(taken.insert([x, y]).inserted) }
      }
    }
  }

  private static let promtool =
    Tool.find("promtool")
    ?? {
      let own = SharedData.packageRoot + "/.build/tools/promtool"
      return SharedData.exists(own) ? own : nil
    }()

  private static func string(_ bytes: Buffer) -> String {
    unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }

  @Test(.enabled(if: promtool != nil, "promtool is absent: make promtool"))
  func prometheusAcceptsRulesAndMetrics() throws {
    let promtool = try #require(Self.promtool)
    let rules = try Tool.run(promtool, ["check", "rules", Self.deploy + "/prometheus/seqline.rules.yml"])
    #expect(rules.status == 0, "\(Self.string(rules.output))\(rules.errors)")
    for text in try metrics() {
      let found = try Tool.run(promtool, ["check", "metrics"], input: Buffer(Array(text.utf8)))
      #expect(found.status == 0 && found.errors == "", "\(Self.string(found.output))\(found.errors)")
    }
  }
}
