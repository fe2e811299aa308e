import JSONText
import SequenceStore
import TestSupport
import Testing

/// Of users with very many rows in a day only the newest are read; answers are what they would be if all were.
@Suite struct SplitReadTests {
  /// A day of 30 000 events of one user in three files, many at equal times, some in two files.
  private static func fill(_ test: TestStore) throws {
    var random = SeededRandom(seed: 77)
    let start = TestStore.day0.startMicros
    let events = (0..<30_000).map { number in
      TestEvent(
        user: 1, micros: start + Int64(random.next() % 40_000) * 2_000_000, seen: start,
        type: ["click", "save", "click", "click"][number % 4], key: Int64(number), item: Int64(random.next() % 90))
    }
    let earlier = (0..<50).map { TestEvent(user: 1, micros: start - Int64($0) * 60_000_000 - 1, key: -Int64($0) - 1) }
    for part in 0..<3 {
      let own = events.filter { $0.key % 3 == part || $0.key % 100 == 0 && $0.key % 3 != (part + 1) % 3 }
      try CompactionTests.add(own + (part == 0 ? earlier : []), to: test)
    }
  }

  @Test(arguments: ["all", "saves", "derived", "merged"]) func theNewestAreTheSameHoweverManyAreAskedFor(name: String)
    throws
  {
    let test = try TestStore()
    try Self.fill(test)
    let plan = try test.plan(name)
    let snapshot = try StoreSnapshot(test.store)
    func answer(_ last: Int, until: Int64? = nil, cached: Bool = false) throws -> SequenceEvents {
      let cache = cached ? PageCache(byteLimit: 64 << 20) : nil
      return try SequenceReader(snapshot, cache: cache).read(
        SequenceRequest(user: .integer(1), last: last, untilMicros: until, columns: plan.definition.fields), of: plan)
    }
    let noon = TestStore.day0.startMicros + 43_200_000_000
    for until in [nil, noon] {
      let all = try answer(.max, until: until).events.allRows
      #expect(all.count > 80)
      for last in [1, 40, 2_500, 7_000, 50_000] {
        let found = try answer(last, until: until, cached: last % 3 == 1)
        #expect(found.events.allRows == Array(all.suffix(last)))
        #expect(found.cut.contains(.length) == (all.count > last))
      }
    }
  }

  @Test func fewAreReadOfMany() throws {
    let test = try TestStore()
    try Self.fill(test)
    let plan = try test.plan()
    let snapshot = try StoreSnapshot(test.store)
    func bytes(_ last: Int) throws -> Int {
      let meter = ReadMeter()
      _ = try SequenceReader(snapshot, meter: meter).read(
        SequenceRequest(user: .integer(1), last: last, columns: plan.columns), of: plan)
      return meter.byteCount
    }
    #expect(try bytes(10) < bytes(50_000) * 3 / 4)
  }
}
