import Arrow
import Definitions
import DeltaLog
import Engine
import Glibc
import JSONText
import SequenceStore
import TestSupport
import Testing

/// Profiles of what lies in a store.
@Suite struct StoreProfilerTests {
  private static let dayMicros: Int64 = 86_400_000_000
  private static let hourMicros: Int64 = 3_600_000_000

  /// About `perHour` clicks an hour, and a third as many saves; on the last day whatever `change` makes of them.
  private func events(days: Int, perHour: Int, change: (inout TestEvent) -> Void = { _ in }) -> [TestEvent] {
    var random = SeededRandom(seed: 8)
    var events: [TestEvent] = []
    for hour in 0..<days * 24 {
      let count = perHour + Int(random.next() % UInt64(perHour / 4))
      for number in 0..<count {
        let micros =
          TestStore.day0.startMicros + Int64(hour) * Self.hourMicros + Int64(random.next() % 3_600_000) * 1_000
        var event = TestEvent(
          user: Int64(random.next() % 500), micros: micros, seen: micros + Int64(random.next() % 4_000_000),
          type: number % 4 == 3 ? "save" : "click", key: Int64(bitPattern: random.next()),
          item: random.next() % 20 == 0 ? nil : Int64(random.next() % 1_000 + 1), text: "text \(random.next() % 7)")
        if hour >= (days - 1) * 24 { change(&event) }
        events.append(event)
      }
    }
    return events
  }

  private func profile(_ test: TestStore, days: Int) throws -> (AnomalyReport, actions: [UpkeepAction]) {
    var actions: [UpkeepAction] = []
    let now = TestStore.day0.startMicros + Int64(days) * Self.dayMicros
    let profiler = StoreProfiler(test.store, definitions: test.definitions, nowMicros: now)
    let (report, _) = try profiler.run(["events"]) { actions.append($0) }
    return (report, actions)
  }

  @Test func profilesCountWhatIsThere() throws {
    let test = try TestStore()
    let events = TestStore.events(6_000).filter { $0.dataset == "events" }
    try test.index(events)
    let (_, actions) = try profile(test, days: 5)
    #expect(actions.count == 5 && actions.reduce(0) { $0 + $1.rowsIn } == events.count)
    #expect(actions.first?.description.hasPrefix("profile datasets/events 2026-11-") == true)
    var lines: [JSONValue] = []
    for name in SharedData.names(in: test.store.path + "/profiles/events") where name.hasSuffix(".ndjson") {
      let text = SharedData.contents(of: "\(test.store.path)/profiles/events/\(name)") ?? []
      lines += try String(decoding: text, as: UTF8.self).split(separator: "\n").map {
        try JSONValue(parsing: String($0))
      }
    }
    let hours = lines.flatMap { $0["hours"]?.array ?? [] }
    func total(_ type: String, _ count: (JSONValue) -> Int64?) -> Int {
      Int(hours.filter { $0["type"]?.string == type }.reduce(0) { $0 + (count($1) ?? 0) })
    }
    for type in ["click", "save"] {
      let own = events.filter { $0.type == type }
      #expect(total(type) { $0["rows"]?.integer } == own.count)
      #expect(total(type) { $0["columns"]?["item_id"]?["nulls"]?.integer } == own.count { $0.item == nil })
      #expect(total(type) { $0["columns"]?["text"]?["nulls"]?.integer } == own.count { $0.text == nil })
      let values = total(type) { hour in
        hour["columns"]?["item_id"]?["counts"]?.array?.enumerated().reduce(0) {
          $0 + ($1.offset % 2 == 1 ? $1.element.integer ?? 0 : 0)
        }
      }
      #expect(values == own.count { $0.item != nil })
    }
  }

  @Test func onlyWhatIsNewIsRead() throws {
    let test = try TestStore()
    try test.index(events(days: 3, perHour: 20))
    let first = try profile(test, days: 3)
    #expect(first.actions.count == 3)
    let second = try profile(test, days: 3)
    #expect(second.actions.isEmpty && second.0.scopes == first.0.scopes)
    try test.index(events(days: 1, perHour: 30), replacing: .days(TestStore.day0...TestStore.day0))
    let third = try profile(test, days: 3)
    #expect(third.actions.map(\.bucket) == [.day(TestStore.day0)])
    // What cannot be read is made anew.
    test.directory.write("{\"file\": 1}\nnothing\n", to: "store/profiles/events/\(TestStore.day0).ndjson")
    test.directory.write("nothing", to: "store/profiles/events/history.json")
    test.directory.write("[]", to: "store/profiles/anomalies.json")
    #expect(try profile(test, days: 3).actions.map(\.bucket) == [.day(TestStore.day0)])
  }

  struct Plant: CustomTestStringConvertible, Sendable {
    var kind: Anomaly.Kind
    var column: String?
    var change: @Sendable (inout TestEvent) -> Void
    var testDescription: String { kind.rawValue }
  }

  static let plants = [
    Plant(kind: .nulls, column: "item_id") { $0.item = nil },
    Plant(kind: .distribution, column: "item_id") { $0.item = $0.item.map { $0 * 40 } },
    Plant(kind: .distribution, column: "text") { $0.text = "text 1" },
    Plant(kind: .lag, column: nil) { $0.seen += 600_000_000 },
    Plant(kind: .volume, column: nil) { if $0.user % 5 > 0 { $0.type = "view" } },
  ]

  @Test(arguments: plants) func whatChangesOnTheLastDayIsFound(plant: Plant) throws {
    let test = try TestStore()
    try test.index(events(days: 8, perHour: 300) { if $0.type == "click" { plant.change(&$0) } })
    let (report, _) = try profile(test, days: 8)
    let subject = Anomaly.Subject(plant.kind, dataset: "events", eventType: "click", column: plant.column)
    let anomaly = try #require(report.open.first { $0.subject == subject }, "\(report.anomalies)")
    #expect(report.anomalies.count == 1, "\(report.anomalies)")
    #expect(anomaly.since == Day(TestStore.day0.number + 7))
    #expect(anomaly.definitions == test.definitions.label)
    let known = test.store.anomalies
    #expect(known == report.anomalies)
    var stat = try DatasetReport(StoreSnapshot(test.store), dataset: "events")
    stat.anomalies = known.filter { $0.isAbout(dataset: "events", test.definitions) }
    #expect(stat.text.contains("\(subject): ") && stat.json["anomalies"]?.array?.count == 1)
  }

  @Test func aTableTellsHowItsColumnsCame() throws {
    let test = try TestStore()
    try test.index(TestStore.events(500))
    let table = test.store.dataset("events")
    var history = TableHistory()
    try history.advance(table, to: table.snapshot().version)
    #expect(history.columnChanges.isEmpty && history.rollouts.map(\.definitions) == [test.definitions.label])
    #expect(history.definitions(of: TestStore.day0) == test.definitions.label)
    let source = TestStore.source.replacing("USER", with: "int64").replacing("ARRIVAL", with: "arrival='seen',")
      .replacing("ID", with: "'more': 'item + 1',")
    test.directory.write(source, to: "more.py")
    var later = test
    later.definitions = try AuthoringModule.find().compile(test.directory.path + "/more.py")
    try later.index(TestStore.events(600, seed: 2))
    let before = history
    try history.advance(table, to: table.snapshot().version)
    #expect(history.columnChanges.map(\.column) == ["more"])
    #expect(history.columnChanges.first?.before == nil && history.columnChanges.first?.after == "int64")
    #expect(history.columnChanges.first?.commit.definitions == later.definitions.label)
    #expect(history.rollouts.map(\.definitions) == [later.definitions.label, test.definitions.label])
    var anew = TableHistory()
    try anew.advance(table, to: table.snapshot().version)
    #expect(anew == history && before != history)
    try later.index([], replacing: .days(TestStore.day0...TestStore.day0))
    _ = try profile(later, days: 5)
    #expect(test.store.tableHistory("events").rollouts == history.rollouts)
  }
}
