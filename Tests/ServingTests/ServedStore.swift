import Engine
import JSONText
import SequenceStore
import Serving
import TestSupport

/// A store of random events in two datasets, made by the commands.
struct ServedStore {
  let directory = TemporaryDirectory()
  let hasTextUsers: Bool

  static let startMicros = Day("2026-11-18")!.startMicros

  static let definitions = """
    from seqline import *
    log = Source("log", path="raw/*.ndjson", user="user", ts="ts", id="id", revision="rev", lateness="3d",
                 fields={"user": "USER", "ts": "timestamp[ms]", "id": "string", "rev": "int32", "kind": "string",
                         "item": "int64", "text": "string", "score": "float32", "tags": "list<string>"})
    def event(name, dataset):
        return EventType(name, source=log, owner="team", retention="90d", dataset=dataset, where=f"kind == '{name}'",
                         columns={"item_id": "item", "text": "text", "score": "score", "tags": "tags"})
    click, save, view = event("click", "events"), event("save", "events"), event("view", "views")
    Sequence("all", owner="team", stage="production", events=[click, save, view], max_length=40, caps={click: 10},
             window="4d", columns=["ts", "event_type", "item_id", "text", "score", "tags", "user_id"],
             freshness="1s", completeness="99.9% after 1d")
    Sequence("saves", owner="team", events=[save], max_length=500, where="item_id >= 50", columns=["ts", "item_id"])
    """

  /// - Parameter count: of events, spread unevenly over 40 users and evenly over 5 days.
  init(_ count: Int = 4_000, hasTextUsers: Bool = false) throws {
    self.hasTextUsers = hasTextUsers
    let source = Self.definitions.replacing("USER", with: hasTextUsers ? "string" : "int64")
    directory.write(source, to: "definitions.py")
    try run("seq-config compile definitions.py -o definitions.json")
    if count > 0 { try index(count, seed: 1) }
  }

  var store: StoreDirectory { StoreDirectory(directory.path + "/store") }

  @discardableResult func run(_ script: String) throws -> String {
    try directory.runStages(script)
  }

  /// Replaces all days by random events.
  func index(_ count: Int, seed: UInt64) throws {
    directory.write(Self.lines(count, seed: seed, hasTextUsers: hasTextUsers), to: "raw.ndjson")
    try run("seq-filter raw.ndjson | seq-enrich | seq-assemble | seq-index --replace all")
  }

  /// User `number` as it is written in events.
  static func user(_ number: Int, isText: Bool) -> JSONValue {
    isText ? .string("u \(number)/é?&") : .integer(Int64(number))
  }

  /// One event in twenty is corrected; a correction may move it to another kind of event, and so take it back.
  private static func lines(_ count: Int, seed: UInt64, hasTextUsers: Bool) -> String {
    var random = SeededRandom(seed: seed)
    var lines: [String] = []
    for number in 0..<count {
      let spread = Int(random.next() % 40)
      var event: [String: JSONValue] = [
        "id": .string("e\(number)"), "user": user(spread * spread / 40, isText: hasTextUsers),
        "ts": .integer(
          startMicros / 1_000 + Int64(random.next() % 5) * 86_400_000 + Int64(random.next() % 3_000) * 1_000),
      ]
      for revision in 0...(random.next() % 20 == 0 ? 1 : 0) {
        event["rev"] = .integer(Int64(revision))
        event["kind"] = .string(["click", "save", "view", "noise"][Int(random.next() % 4)])
        event["item"] = random.next() % 8 == 0 ? .null : .integer(Int64(random.next() % 100))
        event["text"] = random.next() % 3 == 0 ? .null : .string("täxt \"\(random.next() % 90)\"\n")
        event["score"] = .number(Double(random.next() % 64) / 8)
        event["tags"] = .array((0..<random.next() % 3).map { .string("t\($0)") })
        lines.append(JSONValue.object(event).text)
      }
    }
    lines.shuffle(using: &random)
    return lines.joined(separator: "\n") + "\n"
  }

  /// All stored events of both datasets as seq-store writes them.
  func rows() throws -> [JSONValue] {
    let text = try run("seq-store cat --format ndjson --timestamps us")
    return try text.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
  }
}

/// The API behind a server in this process.
final class TestServer {
  let made: ServedStore
  let api: SequenceAPI
  private let server: HTTPServer

  /// - Parameter now: the time of day by which the dashboard goes, in microseconds.
  init(
    _ made: ServedStore, gate: Gate = Gate(), now: @escaping @Sendable () -> Int64 = { Clock.nowMicros }
  ) throws {
    let api = try SequenceAPI(definitions: .store(made.store), store: made.store, now: now) { _ in }
    self.made = made
    self.api = api
    server = try HTTPServer(
      HTTPAddress(host: "127.0.0.1", port: 0), threads: 2, gate: gate, metrics: api.metrics
    ) { api.answer($0) }
  }

  deinit {
    server.stop()
    try? server.wait()
  }

  var port: Int { server.port }

  func client() throws -> HTTPClient { try HTTPClient(port: server.port, server: self) }

  func get(_ target: String, headers: [String: String] = [:]) throws -> HTTPResponse {
    try client().get(target, headers: headers)
  }
}

extension JSONValue {
  /// Without members that are null.
  var withoutNulls: JSONValue {
    guard case .object(let members) = self else { return self }
    return .object(members.filter { !$0.value.isNull })
  }
}
