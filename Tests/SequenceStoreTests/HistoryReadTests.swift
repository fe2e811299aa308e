import Arrow
import Definitions
import DeltaLog
import Glibc
import JSONText
import SequenceStore
import TestSupport
import Testing

@Suite struct HistoryReadTests {
  /// The events that the sequence `derived` sees of a user, in order.
  private func seen(_ events: [TestEvent], user: Int64) -> [TestEvent] {
    events.filter { $0.user == user && $0.item.map { $0 != 13 } ?? true || $0.user == user && $0.text != nil }
      .sorted(by: TestEvent.order)
  }

  /// A derived column's value of event `place`, by the plainest means.
  private func value(_ name: String, _ events: [TestEvent], _ place: Int) -> JSONValue {
    let (now, before) = (events[place].micros, events[..<place])
    func items(_ minutes: Int64) -> [Int64] {
      before.filter { now - $0.micros <= minutes * 60_000_000 }.compactMap(\.item)
    }
    func gap(_ isCounted: (TestEvent) -> Bool) -> JSONValue {
      before.last(where: isCounted).map { .integer(now - $0.micros) } ?? .null
    }
    switch name {
    case "n": return .integer(Int64(place))
    case "saves_1h": return .integer(Int64(before.count { $0.type == "save" && now - $0.micros <= 3_600_000_000 }))
    case "sum_2d": return .integer(items(2_880).reduce(0, +))
    case "mean_1h":
      let items = items(60)
      return items.isEmpty ? .null : .number(Double(items.reduce(0, +)) / Double(items.count))
    case "least_30m": return items(30).min().map { .integer($0) } ?? .null
    case "session":
      let starts = events[...place].indices.filter {
        $0 == 0 || events[$0].micros - events[$0 - 1].micros > 240_000_000
      }
      return .integer(events[starts.last!].micros)
    case "gap": return gap { _ in true }
    default: return gap { $0.type == "save" && $0.item ?? 0 > 90 }
    }
  }

  private func expected(_ events: [TestEvent], _ request: SequenceRequest, user: Int64) -> [JSONValue] {
    let seen = seen(events, user: user)
    var capped: [String: Int] = [:]
    var places: [Int] = []
    for place in seen.indices.reversed() where places.count < request.last {
      let event = seen[place]
      if event.micros >= request.untilMicros ?? .max || event.micros < request.fromMicros ?? .min { continue }
      if let asked = request.eventTypes, !asked.contains(event.type) { continue }
      capped[event.type, default: 0] += 1
      if let cap = request.caps[event.type], capped[event.type]! > cap { continue }
      places.append(place)
    }
    return places.reversed().map { place in
      .object(
        Dictionary(
          uniqueKeysWithValues: request.columns.map { field in
            (field.name, seen[place].row[field.name] ?? value(field.name, seen, place))
          }))
    }
  }

  @Test(arguments: [false, true]) func aDerivedValueDoesNotDependOnWhereTheAnswerWasCut(derives: Bool) throws {
    let test = try TestStore(derives: derives)
    let events = TestStore.events(4_000, days: 9).map { derives ? $0.withID : $0 }
    try test.index(events)
    let plan = try test.plan("derived")
    let reader = SequenceReader(
      try StoreSnapshot(test.store), verifiesChecksums: true, cache: PageCache(byteLimit: 8 << 20))
    var random = SeededRandom(seed: 31)
    for (user, request) in SequenceReaderTests.requests(plan, text: false) {
      var request = request
      let fields = plan.definition.fields.shuffled(using: &random)
      request.columns = Array(fields.prefix(1 + Int(random.next() % UInt64(fields.count))))
      let found = try reader.read(request, of: plan).events
      #expect(found.schema.fields == request.columns)
      #expect(found.allRows == expected(events, request, user: user))
    }
  }

  @Test func daysAreReadOnlyAsFarBackAsTheColumnsLook() throws {
    let test = try TestStore()
    let day: Int64 = 86_400_000_000
    let events = (0..<5).map { number in
      TestEvent(
        user: 1, micros: TestStore.day0.startMicros + Int64(number) * day + 43_200_000_000, key: Int64(number), item: 95
      )
    }
    try test.index(events)
    let plan = try test.plan("derived")
    let table = test.store.dataset("events")
    let files = try table.snapshot().files.map { table.location(of: $0) }.sorted()
    for file in files.prefix(3) { #expect(unsafe unlink(file) == 0) }
    let reader = SequenceReader(try StoreSnapshot(test.store))
    func read(_ names: String...) throws(StoreError) -> [JSONValue] {
      let columns = names.map { name in plan.definition.fields.first { $0.name == name }! }
      return try reader.read(SequenceRequest(user: .integer(1), last: 1, columns: columns), of: plan).events.allRows
    }
    #expect(try read("ts") == [["ts": .integer(events[4].micros)]])
    #expect(try read("session", "saves_1h") == [["session": .integer(events[4].micros), "saves_1h": 0]])
    #expect(try read("gap") == [["gap": .integer(day)]])
    #expect(throws: StoreError.self) { try read("sum_2d") }
    #expect(throws: StoreError.self) { try read("n") }
    #expect(throws: StoreError.self) { try read("since_rare") }
  }

  @Test func correctionsCountInDerivedColumnsWithTheirLatestRevision() throws {
    let test = try TestStore()
    let (first, second) = (TestStore.day0, Day(TestStore.day0.number + 1))
    let stale = TestEvent(user: 1, micros: first.startMicros, key: 7, item: 1)
    let kept = TestEvent(user: 1, micros: first.startMicros + 1, key: 8, item: 2)
    try test.index([stale, kept], replacing: .days(first...first))
    let moved = TestEvent(user: 1, micros: second.startMicros, key: 7, revision: 1, item: 4)
    let last = TestEvent(user: 1, micros: second.startMicros + 5, key: 9, item: 3)
    try test.index([moved, last], replacing: .days(second...second))
    let plan = try test.plan("derived")
    let columns = ["n", "sum_2d"].map { name in plan.definition.fields.first { $0.name == name }! }
    let reader = SequenceReader(try StoreSnapshot(test.store))
    let found = try reader.read(SequenceRequest(user: .integer(1), last: 1, columns: columns), of: plan)
    #expect(found.events.allRows == [["n": 2, "sum_2d": 6]])
  }
}
