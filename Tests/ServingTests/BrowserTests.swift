import Glibc
import JSONText
import SequenceStore
import Serving
import TestSupport
import Testing

/// The pages in a browser, by day and by night, at a desk and on a phone. Pictures of them are left in `.build/pages`.
@Suite struct BrowserTests {
  private static let chromium = Tool.find("chromium") ?? Tool.find("chromium-browser") ?? Tool.find("google-chrome")
  private static let python = Tool.find("python3")

  /// A store of which there is everything to show: anomalies, a past, columns that came, requests of several kinds.
  private func server() throws -> TestServer {
    let made = try ServedStore()
    try made.index(4_000, seed: 2)
    let subject = Anomaly.Subject(.nulls, dataset: "events", eventType: "save", column: "item_id")
    let anomaly = Anomaly(
      subject, atMicros: ServedStore.startMicros, isWholeDay: false, value: 1, expected: 0.125,
      since: Day(micros: ServedStore.startMicros), isOpen: true, definitions: "0:0123456789abcdef")
    let scope = AnomalyReport.Scope(untilMicros: ServedStore.startMicros, judgedCount: 840, newCount: 12)
    let report = AnomalyReport(
      madeMicros: ServedStore.startMicros, scopes: ["events": scope], anomalies: [anomaly])
    try made.run("mkdir -p store/profiles store/serving")
    made.directory.write(report.json.text + "\n", to: "store/profiles/anomalies.json")
    made.directory.write(Self.past, to: "store/serving/history.ndjson")
    let server = try TestServer(made)
    for sequence in ["all", "saves", "none"] { _ = try server.get("/v1/sequences/\(sequence)/users/3") }
    return server
  }

  /// Two hours of samples.
  private static var past: String {
    var random = SeededRandom(seed: 1)
    return (0..<24).map { index -> String in
      let names = [
        "delay/click", "delay/save", "small_files/events", "p99/sequence/all", "errors/sequence/all", "live_rows",
        "stored_rows",
        "anomalies",
      ]
      let values = names.map { ($0, JSONValue.number(Double(random.next() % 1_000) / 1e3)) }
      let sample: JSONValue = [
        "t": .integer(ServedStore.startMicros / 1_000_000 + Int64(index) * 300),
        "values": .object(Dictionary(values) { first, _ in first }),
      ]
      return sample.text + "\n"
    }.joined()
  }

  @Test(.enabled(if: chromium != nil && python != nil, "chromium or python3 is absent: apt install chromium"))
  func aPersonFindsTheirWay() throws {
    let (chromium, python) = (try #require(Self.chromium), try #require(Self.python))
    let server = try server()
    let question: JSONValue = [
      "sequence": "all", "user": "3", "until": "2026-11-22T12:00:00Z", "columns": ["ts", "item_id", "tags"],
      "window": "12h",
    ]
    let images = SharedData.packageRoot + "/.build/pages"
    try Shell.succeed("mkdir -p '\(images)'", in: server.made.directory.path)
    let script = SharedData.packageRoot + "/Tests/ServingTests/browser/pages.py"
    let problems = try run(
      [python] + pythonArguments(file: script) + [chromium, "http://127.0.0.1:\(server.port)", question.text, images])
    #expect(problems == "")
  }
}
