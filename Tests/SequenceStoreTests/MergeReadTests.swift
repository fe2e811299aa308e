import Arrow
import Definitions
import JSONText
import SequenceStore
import TestSupport
import Testing

@Suite struct MergeReadTests {
  /// An event that stands for those of its item that lie close before it.
  private struct Group {
    var newest: TestEvent
    var types: Set<String>
  }

  /// The groups of a user's events, newest first, by the plainest means.
  private func groups(
    _ events: [TestEvent], within micros: Int64, key: (TestEvent) -> String?
  ) -> [Group] {
    var groups: [Group] = []
    for event in events.sorted(by: TestEvent.order).reversed() {
      let place = groups.firstIndex { group in
        key(event) != nil && key(group.newest) == key(event) && group.newest.micros - event.micros <= micros
      }
      if let place {
        groups[place].types.insert(event.type)
      } else {
        groups.append(Group(newest: event, types: [event.type]))
      }
    }
    return groups
  }

  private func expected(_ groups: [Group], _ request: SequenceRequest) -> [JSONValue] {
    var (kept, capped): ([Group], [String: Int]) = ([], [:])
    for group in groups where kept.count < request.last && group.newest.micros >= request.fromMicros ?? .min {
      if let asked = request.eventTypes, !asked.contains(group.newest.type) { continue }
      capped[group.newest.type, default: 0] += 1
      if let cap = request.caps[group.newest.type], capped[group.newest.type]! > cap { continue }
      kept.append(group)
    }
    return kept.reversed().map { group in
      let actions = ["save", "view"].map { JSONValue.integer(group.types.contains($0) ? 1 : 0) }
      let row = group.newest.row.object!.merging(["actions": .array(actions)]) { $1 }
      return .object(row.filter { member in request.columns.contains { $0.name == member.key } })
    }
  }

  @Test(arguments: ["merged", "merged_texts"]) func onlyTheNewestEventOfAnItemIsGivenOut(name: String) throws {
    let test = try TestStore()
    let events = TestStore.events(4_000, days: 9).map { event in
      var event = event
      event.item = event.item.map { $0 % 20 }
      event.text = event.item.map { "täxt \($0 % 7)" }
      return event
    }
    try test.index(events)
    let plan = try test.plan(name)
    let within: Int64 = name == "merged" ? 2_400_000_000 : 172_800_000_000
    let reader = SequenceReader(
      try StoreSnapshot(test.store), verifiesChecksums: true, cache: PageCache(byteLimit: 8 << 20))
    var random = SeededRandom(seed: 5)
    for (user, request) in SequenceReaderTests.requests(plan, text: false) {
      var request = request
      let fields = plan.definition.fields.shuffled(using: &random)
      request.columns = Array(fields.prefix(1 + Int(random.next() % UInt64(fields.count))))
      let own = events.filter { $0.user == user && $0.micros < request.untilMicros ?? .max }
      let groups = groups(own, within: within) { name == "merged" ? $0.item.map { "\($0)" } : $0.text }
      #expect(try reader.read(request, of: plan).events.allRows == expected(groups, request))
    }
  }

  /// The items of a user's events, by the plainest means.
  private func objects(_ events: [TestEvent], _ request: SequenceRequest, isText: Bool) -> [JSONValue] {
    func key(_ event: TestEvent) -> JSONValue? {
      isText ? event.text.map { .string($0) } : event.item.map { .integer($0) }
    }
    let own = events.filter {
      $0.micros >= request.fromMicros ?? .min && $0.micros < request.untilMicros ?? .max && key($0) != nil
        && request.eventTypes?.contains($0.type) ?? true
    }.sorted(by: TestEvent.order)
    var keys: [JSONValue] = []
    for event in own.reversed() where !keys.contains(key(event)!) { keys.append(key(event)!) }
    return keys.prefix(request.last).reversed().map { item in
      let events = own.filter { key($0) == item }
      func count(_ type: String) -> JSONValue { .integer(Int64(events.count { $0.type == type })) }
      return [
        isText ? "text" : "item_id": item, "first": .integer(events[0].micros),
        "last": .integer(events.last!.micros), "count": .integer(Int64(events.count)), "count_click": count("click"),
        "count_save": count("save"), "count_view": count("view"),
      ]
    }
  }

  @Test(arguments: ["merged", "merged_texts"]) func anObjectIsARowOverAllItsEvents(name: String) throws {
    let test = try TestStore()
    let events = TestStore.events(3_000, days: 6)
    try test.index(events)
    let plan = try test.plan(name)
    let reader = SequenceReader(try StoreSnapshot(test.store))
    for (user, request) in SequenceReaderTests.requests(plan, text: false).prefix(150) {
      var request = request
      (request.view, request.columns) = (.objects, plan.definition.objectFields)
      let expected = objects(events.filter { $0.user == user }, request, isText: name != "merged")
      let found = try reader.read(request, of: plan)
      #expect(found.events.schema.fields == request.columns && found.events.allRows == expected)
      request.last = .max
      #expect(found.cut.contains(.length) == (try reader.read(request, of: plan).events.rowCount > expected.count))
    }
  }
}
