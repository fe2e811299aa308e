import Foundation
import JSONText
import SequenceStore
import TestSupport
import Testing

/// The pages for people.
@Suite struct DashboardTests {
  /// Tags that are opened and closed in order, as browsers need not demand and we do.
  static func problems(_ html: String) throws -> String {
    guard let python = Tool.find("python3") else { return "" }
    return try runPython(
      python,
      """
      import sys, html.parser
      VOID = {"meta", "link", "input", "br", "path", "circle", "rect", "line"}
      class Checker(html.parser.HTMLParser):
          stack, found = [], []
          def handle_starttag(self, tag, attributes):
              names = [name for name, _ in attributes]
              if len(names) != len(set(names)): self.found.append(f"attributes of {tag}")
              for name, value in attributes:
                  if name in ("src", "action", "href") and value.split(":")[0] in ("http", "https", "javascript"): self.found.append(value)
                  if name.startswith("on"): self.found.append(name)
              if tag not in VOID: self.stack.append(tag)
          def handle_endtag(self, tag):
              if tag not in VOID and (not self.stack or self.stack.pop() != tag): self.found.append(f"</{tag}>")
      checker = Checker()
      checker.feed(open(sys.argv[1], encoding="utf-8").read())
      print(*checker.found, *checker.stack)
      """, [html]
    ).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  func check(_ response: HTTPResponse, in folder: TemporaryDirectory) throws -> String {
    #expect(response.status == 200 && response.headers["content-type"] == "text/html; charset=utf-8")
    #expect(response.headers["content-security-policy"]?.contains("default-src 'none'") == true)
    folder.write(response.text, to: "page.html")
    #expect(try Self.problems(folder.path + "/page.html") == "")
    return response.text
  }

  @Test func theOverviewSaysHowDatasetsDo() throws {
    let made = try ServedStore()
    try made.index(4_000, seed: 2)
    let server = try TestServer(made)
    let text = try check(server.get("/"), in: made.directory)
    for section in ["anomalies", "freshness", "requests", "completeness", "definitions", "storage"] {
      #expect(text.contains("<section id=\"\(section)\""))
    }
    for name in ["click", "save", "view", "events", "views"] { #expect(text.contains(">\(name)<"), "\(name)") }
    let health = try #require(try DatasetHealth(StoreSnapshot(made.store), dataset: "events"))
    let rows = try made.rows().count { ["click", "save"].contains($0["event_type"]?.string) }
    #expect(health.rowCount == rows && health.buckets.count == 5 && health.replacements.count == 2)
    let drift = try #require(health.replacements.first).drift.total
    #expect(drift.added > 0 && drift.dropped > 0)
    #expect(health.replacements.last?.drift.total == ReplacementDrift.Counts())
    let later = try DatasetHealth(StoreSnapshot(made.store), dataset: "events", after: health)
    #expect(later?.replacements.map(\.version) == health.replacements.map(\.version))
    #expect(try DatasetHealth(StoreSnapshot(made.store, datasets: ["nothing"]), dataset: "nothing") == nil)
  }

  @Test func theExplorerShowsWhatTheAPIAnswers() throws {
    let made = try ServedStore()
    let server = try TestServer(made)
    let until = ServedStore.startMicros / 1_000 + 5 * 86_400_000
    let empty = try check(server.get("/explore"), in: made.directory)
    #expect(empty.contains("<form") && !empty.contains("class=\"timeline\""))
    let target = "/explore?sequence=all&user=3&last=25&until=\(until)&column.ts=1&column.item_id=1"
    let text = try check(server.get(target), in: made.directory)
    let found = try #require(text.firstMatch(of: /<a href="(\/v1[^"]*)">JSON/)).1
    let link = String(found).replacing("&amp;", with: "&")
    let events = try #require(try server.get(link).json["events"]?.array)
    #expect(!events.isEmpty && text.contains("\(events.count) events"))
    #expect(text.components(separatedBy: "<i style").count == events.count + 1)
    for event in events { #expect(text.contains("<td>\(event["ts"]!.string!)</td>")) }
    #expect(!text.contains("<th scope=\"col\">score</th>"))
    #expect(try server.get("/explore?user=anna").text.contains("role=\"alert\""))
    #expect(try server.get("/explore?sequence=none").status == 404)
  }

  @Test func whatIsWrittenByOthersIsEscaped() throws {
    let made = try ServedStore(0, hasTextUsers: true)
    let script = "<script>alert(1)</script>\"'&"
    let event: JSONValue = [
      "id": "e", "user": .string(script), "ts": .integer(ServedStore.startMicros / 1_000), "kind": "click",
      "text": .string(script),
    ]
    made.directory.write(event.text + "\n", to: "raw.ndjson")
    try made.run("seq-filter raw.ndjson | seq-enrich | seq-assemble | seq-index --replace all")
    let server = try TestServer(made)
    let user = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%22'%26"
    let text = try check(
      server.get("/explore?user=\(user)&until=\(ServedStore.startMicros / 1_000 + 1)"), in: made.directory)
    #expect(text.contains("1 event ") && !text.contains("<script"))
    #expect(text.components(separatedBy: "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;").count == 4)
  }

  @Test func theHistoryOutlivesTheServer() throws {
    let made = try ServedStore(200)
    let history = made.store.history
    func start() throws -> RunningServer {
      try RunningServer(["--store", made.store.path, "--threads", "1"], in: made.directory.path)
    }
    func lines() -> [String] {
      String(decoding: SharedData.contents(of: history) ?? [], as: UTF8.self).split(separator: "\n").map(String.init)
    }
    let first = try start()
    let deadline = Monotonic.now + 200
    while lines().isEmpty, Monotonic.now < deadline { usleep(10_000) }
    #expect(first.stop() == 0 && lines().count >= 1)
    made.directory.write(lines()[0] + "\nno sample\n", to: "store/serving/history.ndjson")
    let server = try start()
    #expect(try HTTPClient(port: server.port).get("/").status == 200)
    #expect(server.stop() == 0)
    let sample = try JSONValue(parsing: lines()[0])
    #expect(sample["t"]?.integer ?? 0 > 1_700_000_000 && sample["values"]?["small_files/events"]?.double == 5)
  }
}
