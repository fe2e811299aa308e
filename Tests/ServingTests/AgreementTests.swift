import Arrow
import Buffers
import Definitions
import Engine
import JSONText
import SequenceStore
import TestSupport
import Testing

/// The same sequence of the same user until the same time has the same values, whichever way it is read.
@Suite struct AgreementTests {
  private static let definitions = """
    from seqline import *
    log = Source("log", path="raw/*.ndjson", user="user", ts="ts", id="id", revision="rev", arrival="seen", lateness="9d",
                 fields={"user": "int64", "ts": "timestamp[ms]", "seen": "timestamp[ms]", "id": "string", "rev": "int32",
                         "kind": "string", "item": "int64", "score": "float64", "note": "string"})
    item = Lookup("item", table="items.csv", key="item_id", columns={"category": "string", "price": "float64"})
    shown = [item.on("item_id", at="request"), Derive("dear", "price > 20.0", at="request")]
    def event(name, dataset, enrich):
        return EventType(name, source=log, owner="team", retention="90d", dataset=dataset, where=f"kind == '{name}'",
                         columns={"item_id": "item", "score": "score", "note": "note"}, enrich=enrich)
    click, save, view = event("click", "events", shown), event("save", "events", shown[:1]), event("view", "views", [])
    def sequence(name, **options):
        Sequence(name, owner="team", events=[click, save, view], where="score > 0.1 || note == 'b'",
                 columns=["ts", "event_type", "event_key", "item_id", "category", "price", "dear"],
                 merge=Merge("item_id", within="90m", actions=MultiHot("event_type", ["save", "click"], name="actions")),
                 objects=Objects("note"),
                 derive=[Counter("n"), Counter("saves_3h", where="event_type == 'save'", window="3h"),
                         Counter("scores", "sum", "score", where="note != 'c'"),
                         Counter("mean_6h", "mean", "score", window="6h"),
                         Counter("top_1d", "max", "score", window="1d"), Session("session", gap="40m"), Gap("gap"),
                         Gap("since_b", where="note == 'b' && event_type == 'view'")], **options)
    sequence("whole", max_length=100000)
    sequence("cut", max_length=12, caps={click: 4}, window="2d")
    """
  private static let start = Day("2026-11-18")!.startMicros
  private static let userCount = 6

  private let directory = TemporaryDirectory()

  init() throws {
    directory.write(Self.definitions, to: "definitions.py")
    let items = (0..<20).map { "\($0 * 2),category \($0 % 3),\($0 * 3)\n" }.joined()
    directory.write("item_id,category,price\n" + items, to: "items.csv")
    try run("seq-config compile definitions.py -o definitions.json")
  }

  @discardableResult private func run(_ script: String, store: String = "batch") throws -> String {
    try directory.runStages(script, store: store)
  }

  /// Events with ties, corrections, and corrections that take events back; each arrives after those before it.
  private static func lines(_ random: inout SeededRandom) -> [String] {
    var events: [[String: JSONValue]] = []
    for number in 0..<(100 + Int(random.next() % 500)) {
      let millis = start / 1_000 + Int64(random.next() % 6) * 86_400_000 + Int64(random.next() % 400) * 60_000
      for revision in 0...Int(random.next() % 12 == 0 ? 1 : 0) {
        events.append([
          "id": .string("e\(number)"), "user": .integer(Int64(number % userCount * (number % 3) / 2)),
          "rev": .integer(Int64(revision)),
          "ts": .integer(millis + Int64(revision) * Int64(random.next() % 90_000_000)),
          "kind": .string(["click", "save", "view"][revision > 0 ? number % 4 % 3 : number % 3]),
          "item": random.next() % 9 == 0 ? .null : .integer(Int64(random.next() % 12)),
          "score": .number(Double(random.next() % 1_000) / 777),
          "note": random.next() % 5 == 0 ? .null : .string(["a", "b", "c", "ä"][Int(random.next() % 4)]),
        ])
        if revision > 0, random.next() % 3 == 0 { events[events.count - 1]["kind"] = "noise" }
      }
    }
    events.shuffle(using: &random)
    return events.enumerated().map { number, event in
      var event = event
      event["seen"] = .integer(start / 1_000 + 10 * 86_400_000 + Int64(number))
      return JSONValue.object(event).text
    }
  }

  /// One store of the whole log, and one that got half of it as a stream, of which some may lie in the live log.
  private func fill(_ random: inout SeededRandom) throws {
    let lines = Self.lines(&random)
    func write(_ lines: ArraySlice<String>, _ name: String) {
      directory.write(lines.map { $0 + "\n" }.joined(), to: name)
    }
    write(lines[...], "all.ndjson")
    try run("rm -rf batch mixed; seq-filter all.ndjson | seq-enrich | seq-assemble | seq-index --replace all")
    let cuts = [Int(random.next() % UInt64(lines.count)), Int(random.next() % UInt64(lines.count))].sorted()
    for (number, part) in [lines[..<cuts[0]], lines[cuts[0]..<cuts[1]], lines[cuts[1]...]].enumerated() {
      write(part, "part.ndjson")
      let index = ["seq-assemble | seq-index --replace all", "seq-index --settle", "seq-index"][number]
      try run("seq-filter part.ndjson | seq-enrich | \(index)", store: "mixed")
    }
  }

  /// By user, the events of a sequence as `seq-assemble` gives them out, without what is null.
  private func assembled(_ sequence: String, until millis: Int64) throws -> [Int64: [JSONValue]] {
    let until = try run("date -u -d @\(millis / 1_000) +%Y-%m-%dT%H:%M:%SZ").split(separator: "\n")[0]
    let text = try run(
      """
      seq-store cat | seq-assemble --sequence \(sequence) --tables . --until \(until) --format ndjson --timestamps us
      """)
    var events: [Int64: [JSONValue]] = [:]
    for line in text.split(separator: "\n") {
      let row = try JSONValue(parsing: String(line))
      let lists = row.object!.filter { $0.key != "user_id" }
      events[row["user_id"]!.integer!] = (0..<lists["ts"]!.array!.count).map { place in
        JSONValue.object(lists.mapValues { $0.array![place] }).withoutNulls
      }
    }
    return events
  }

  private func plan(_ name: String) throws -> SequencePlan {
    let definitions = try DefinitionSet.load(directory.path + "/definitions.json")
    let tables = try LookupTable.loadAll(of: definitions, at: .request, directory: directory.path)
    return try SequencePlan(definitions.sequence(name)!, in: definitions, tables: tables)
  }

  /// A request with cuts of its own, in all the forms that it has.
  private struct Asked {
    var parameters: [(name: String, text: String, member: JSONValue)] = []
    /// As the reader takes it.
    var request: SequenceRequest
    var isNewestFirst = false

    var query: String { parameters.map { "\($0.name)=\($0.text)" }.joined(separator: "&") }
    var body: [String: JSONValue] { Dictionary(parameters.map { ($0.name, $0.member) }) { $1 } }

    mutating func add(_ name: String, _ text: String, _ member: JSONValue? = nil) {
      parameters.append((name, text, member ?? .string(text)))
    }

    mutating func add(_ name: String, millis: Int64) { add(name, "\(millis)", .integer(millis)) }

    mutating func add(_ name: String, names: [String]) {
      add(name, names.joined(separator: ","), .array(names.map { .string($0) }))
    }
  }

  private func asked(
    _ user: Int64, until millis: Int64, _ fields: [Field], using random: inout SeededRandom
  ) -> Asked {
    let keys = ["event_type", "event_key"]
    let others = fields.filter { !keys.contains($0.name) }.shuffled(using: &random)
    let columns = fields.filter { keys.contains($0.name) } + others.prefix(Int(random.next() % 8))
    let last = 1 + Int(random.next() % 30)
    var asked = Asked(
      request: SequenceRequest(user: .integer(user), last: last, untilMicros: millis * 1_000, columns: columns))
    asked.add("until", millis: millis)
    asked.add("last", "\(last)", .integer(Int64(last)))
    asked.add("columns", names: columns.map(\.name))
    if random.next() % 2 == 0 {
      let minutes = Int64(random.next() % 4_000) + 1
      asked.request.fromMicros = millis * 1_000 - minutes * 60_000_000
      asked.add("window", "\(minutes)m")
    }
    if random.next() % 3 == 0 {
      let since = millis - Int64(random.next() % 200_000_000)
      asked.request.fromMicros = max(asked.request.fromMicros ?? .min, since * 1_000)
      asked.add("since", millis: since)
    }
    asked.isNewestFirst = random.next() % 3 == 0
    if asked.isNewestFirst { asked.add("order", "newest") }
    return asked
  }

  /// The same with cuts that only readers make.
  private func furtherCut(_ asked: Asked, using random: inout SeededRandom) -> Asked {
    var asked = asked
    if random.next() % 2 == 0 {
      let types = Array(["click", "save", "view"].shuffled(using: &random).prefix(1 + Int(random.next() % 2)))
      asked.request.eventTypes = Set(types)
      asked.add("types", names: types)
    }
    if random.next() % 2 == 0 {
      asked.request.caps = ["click": 1 + Int(random.next() % 5)]
      let count = asked.request.caps["click"]!
      asked.add("caps", "click:\(count)", ["click": .integer(Int64(count))])
    }
    return asked
  }

  private func identity(_ row: JSONValue) -> String { "\(row["event_type"]!.text) \(row["event_key"]!.text)" }

  /// `events` less what a request cuts, by the plainest means.
  private func cut(_ events: [JSONValue], _ request: SequenceRequest) -> [JSONValue] {
    let inWindow = events.filter { $0["ts"]!.integer! >= request.fromMicros ?? .min }
    return inWindow.suffix(request.last).map { row in
      .object(row.object!.filter { member in request.columns.contains { $0.name == member.key } })
    }
  }

  @Test(arguments: 1...6) func everyWayToReadGivesEqualValues(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    try fill(&random)
    let server = try RunningServer(
      ["--store", directory.path + "/mixed", "--definitions", directory.path + "/definitions.json", "--tables", "."],
      in: directory.path)
    let client = try HTTPClient(port: server.port)
    let plan = try plan("whole")
    let reader = SequenceReader(try StoreSnapshot(StoreDirectory(directory.path + "/batch")))
    var compared = 0
    for _ in 0..<3 {
      let until = Self.start / 1_000 + Int64(random.next() % 8_000) * 86_400
      let seconds = until / 1_000 * 1_000
      let (whole, cut) = try (assembled("whole", until: seconds), assembled("cut", until: seconds))
      for user in Int64(0)..<Int64(Self.userCount) {
        let events = whole[user] ?? []
        let path = "/v1/sequences/cut/users/\(user)?timestamps=us&until=\(seconds)"
        #expect(try client.get(path).json["events"]?.array?.map(\.withoutNulls) == cut[user] ?? [], "\(path)")
        for _ in 0..<8 {
          let asked = asked(user, until: seconds, plan.definition.fields, using: &random)
          let expected = self.cut(events, asked.request)
          let read = try reader.read(asked.request, of: plan).events.allRows.map(\.withoutNulls)
          #expect(read == expected, "\(asked.query)")
          compared += expected.count
          try formsAgree(asked, expected, client)
          let further = furtherCut(asked, using: &random)
          try formsAgree(further, reader.read(further.request, of: plan).events.allRows.map(\.withoutNulls), client)
          // What was known then depends on when rows came into the store: not all ways have kept what was corrected.
          var earlier = further
          earlier.add("known_at", millis: Self.start / 1_000 + 10 * 86_400_000 + Int64(random.next() % 600))
          let target = "/v1/sequences/whole/users/\(user)?\(earlier.query)&timestamps=us&order=oldest"
          let known = try #require(try client.get(target).json["events"]?.array)
          try formsAgree(earlier, known.map(\.withoutNulls), client)
        }
        try objectsAgree(user, until: seconds, plan, reader, client)
      }
    }
    #expect(compared > 100)
  }

  /// JSON, Arrow and a batch give the same events.
  private func formsAgree(_ asked: Asked, _ events: [JSONValue], _ client: HTTPClient) throws {
    let expected = asked.isNewestFirst ? events.reversed() : events
    guard case .integer(let user) = asked.request.user else { return }
    let target = "/v1/sequences/whole/users/\(user)?\(asked.query)"
    let arrow = ["Accept": "application/vnd.apache.arrow.stream"]
    #expect(
      try client.get(target + "&timestamps=us").json["events"]?.array?.map(\.withoutNulls) == expected, "\(target)")
    let stream = try client.get(target, headers: arrow)
    let batches = try IPCStreamDecoder.decode(Buffer(stream.body)).batches
    #expect(batches.flatMap(\.allRows).map(\.withoutNulls) == expected, "\(target)")
    let users = [(user + 1) % Int64(Self.userCount), user]
    let body = JSONValue.object(
      asked.body.merging(["users": .array(users.map { .integer($0) }), "timestamps": "us"]) { $1 })
    let answered = try client.post("/v1/sequences/whole:batch", body).json["users"]?.array
    #expect(answered?.last?["events"]?.array?.map(\.withoutNulls) == expected, "\(body.text)")
    let runs = try IPCStreamDecoder.decode(
      Buffer(try client.post("/v1/sequences/whole:batch", body, headers: arrow).body)
    ).batches.flatMap(\.allRows)
    let own = runs.filter { $0["seq.user"] == .integer(user) }.map { row in
      JSONValue.object(row.object!.filter { !$0.key.hasPrefix("seq.") }).withoutNulls
    }
    #expect(own == expected, "\(body.text)")
  }

  private func objectsAgree(
    _ user: Int64, until millis: Int64, _ plan: SequencePlan, _ reader: SequenceReader, _ client: HTTPClient
  ) throws {
    var request = SequenceRequest(
      user: .integer(user), last: 3, fromMicros: millis * 1_000 - 172_800_000_000, untilMicros: millis * 1_000,
      columns: plan.definition.objectFields)
    request.view = .objects
    let expected = try reader.read(request, of: plan).events.allRows
    let target = "/v1/sequences/whole/users/\(user)?view=objects&window=2d&last=3&timestamps=us&until=\(millis)"
    #expect(try client.get(target).json["events"]?.array == expected, "\(target)")
  }
}
