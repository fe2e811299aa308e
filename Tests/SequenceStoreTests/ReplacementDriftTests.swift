import JSONText
import SequenceStore
import TestSupport
import Testing

/// What a replacement says about how days differ from what they held.
@Suite struct ReplacementDriftTests {
  private typealias Counts = ReplacementDrift.Counts

  @Test func nothingIsSaidOfAFirstRun() throws {
    let test = try TestStore()
    #expect(try test.index(TestStore.events(500))["events"]?.drift == nil)
    #expect(try test.index(TestStore.events(500))["events"]?.drift == nil)
  }

  @Test(arguments: [("int64", false), ("string", false), ("int64", true)])
  func eventsAreComparedByIdentity(userType: String, derives: Bool) throws {
    let test = try TestStore(userType: userType, derives: derives)
    let old = TestStore.events(4_000).map { derives ? $0.withID : $0 }
    try test.index(old)
    var (new, expected) = (old, ["click": Counts(), "save": Counts(), "view": Counts()])
    for (place, event) in old.enumerated() {
      switch place % 50 {
      case 0: (new[place].revision, expected[event.type]!.changed) = (1, expected[event.type]!.changed + 1)
      case 1: (new[place].item, expected[event.type]!.changed) = (1_000, expected[event.type]!.changed + 1)
      case 2:  // moved to another user and another day
        new[place].user += 1
        new[place].micros = TestStore.day0.startMicros + (event.micros + 86_400_000_000) % (5 * 86_400_000_000)
        if derives { new[place].seen = new[place].micros }
        expected[event.type]!.changed += 1
      default: break
      }
    }
    let dropped = stride(from: 3, to: old.count, by: 50)
    for place in dropped { expected[old[place].type]!.dropped += 1 }
    new = new.enumerated().filter { $0.offset % 50 != 3 }.map(\.element)
    for event in TestStore.events(40, seed: 9) {
      new.append(derives ? event.withID : event)
      expected[event.type]!.added += 1
    }
    let counts = try test.index(new)
    #expect(counts["events"]?.drift?.types == ["click": expected["click"]!, "save": expected["save"]!])
    #expect(counts["views"]?.drift?.types == ["view": expected["view"]!])
  }

  @Test func theCommitRecordsIt() throws {
    let test = try TestStore()
    let events = TestStore.events(300).map { event in
      var event = event
      event.type = "click"
      return event
    }
    try test.index(events)
    try test.index(Array(events.dropFirst(7)))
    let log = try test.log("events", version: 2)
    let metrics = try #require(log["commitInfo"]?["operationMetrics"])
    #expect(metrics["numEventsDropped"]?.string == "7")
    #expect(metrics["numEventsDropped.click"]?.string == "7")
    #expect(metrics["numEventsAdded"]?.string == "0")
  }

  /// Replacing a damaged day is how it is mended.
  @Test func aDamagedDayIsReplacedAllTheSame() throws {
    let test = try TestStore()
    try test.index(TestStore.events(2_000))
    let table = test.store.dataset("events")
    let file = try #require(try table.snapshot().files.first)
    _ = try Shell.succeed("printf XXXX | dd of='\(table.location(of: file))' bs=1 seek=40 conv=notrunc", in: "/")
    let counts = try test.index(TestStore.events(2_000, seed: 2))
    #expect(counts["events"]?.drift?.unreadableBuckets == 1)
  }
}

extension TestStore {
  /// The first line of a commit.
  fileprivate func log(_ dataset: String, version: Int) throws -> JSONValue {
    let name = String(repeating: "0", count: 20 - "\(version)".count) + "\(version).json"
    let bytes = try #require(SharedData.contents(of: "\(store.dataset(dataset).path)/_delta_log/\(name)"))
    let text = String(decoding: bytes, as: UTF8.self)
    return try JSONValue(parsing: String(try #require(text.split(separator: "\n").first)))
  }
}
