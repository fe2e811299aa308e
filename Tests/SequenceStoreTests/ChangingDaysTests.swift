import Definitions
import SequenceStore
import TestSupport
import Testing

/// Days that are known to be whole are so no longer once their files are others.
@Suite struct ChangingDaysTests {
  private static let (start, dayMicros) = (TestStore.day0.startMicros, 86_400_000_000 as Int64)
  private static let dayCount = 24

  /// Events come late, corrections move them to other days, days are replaced, merged into months and let go, beside readers
  /// who share one cache, ask now and then, each for times of their own, some of them in what was.
  @Test(arguments: [1, 3], 1...4)
  func whoReadsBesideWritersMissesNothing(shardCount: Int, seed: Int) throws {
    var test = try TestStore()
    test.definitions.shardCount = shardCount
    var random = SeededRandom(seed: UInt64(seed) * 8 + UInt64(shardCount))
    let plans = try ["all", "derived", "merged", "saves"].map { try test.plan($0) }
    let cache = PageCache(byteLimit: 64 << 20)
    var events = TestStore.events(900, days: Self.dayCount, users: 8, seed: UInt64(seed))
    try test.index(events)
    var snapshots = [try StoreSnapshot(test.store)]
    for round in 0..<30 {
      for _ in 0...Int(random.next() % 2) { try change(test, &events, round, &random) }
      snapshots.append(try StoreSnapshot(test.store, reusing: snapshots.last))
      for _ in 0..<16 {
        let plan = plans[Int(random.next() % 4)]
        // Seldom of an earlier snapshot, as one that began before is.
        let snapshot = random.next() % 8 == 0 ? snapshots.suffix(3).first! : snapshots.last!
        let request = Self.request(plan, &random)
        let found = try SequenceReader(snapshot, cache: cache).read(request, of: plan)
        let wanted = try SequenceReader(snapshot).read(request, of: plan)
        #expect(
          found.events.allRows == wanted.events.allRows && found.cut == wanted.cut,
          "\(round) \(plan.definition.name) \(request)")
      }
    }
  }

  /// Also of a lineage of its own: what one knew of files that the other never had is not what the other has.
  @Test func snapshotsThatPartedDoNotMixTheirDays() throws {
    let test = try TestStore()
    let plan = try test.plan()
    let events = TestStore.events(300, days: 4, users: 3)
    try test.index(events)
    let (first, cache) = (try StoreSnapshot(test.store), PageCache(byteLimit: 64 << 20))
    let day = Day(TestStore.day0.number + 1)
    func days(_ share: Int) throws -> StoreSnapshot {
      try test.index(
        events.filter { Day(micros: $0.micros) == day && Int($0.key) % share == 0 }, replacing: .days(day...day))
      return try StoreSnapshot(test.store, reusing: first)
    }
    let parted = [first, try days(2), try days(3), try days(1)]
    let request = SequenceRequest(user: .integer(0), last: 1_000, columns: plan.columns)
    for snapshot in parted + parted.reversed() + parted {
      let found = try SequenceReader(snapshot, cache: cache).read(request, of: plan).events.allRows
      #expect(try found == SequenceReader(snapshot).read(request, of: plan).events.allRows)
    }
  }

  private static func request(_ plan: SequencePlan, _ random: inout SeededRandom) -> SequenceRequest {
    let user = Int64(random.next() % 5)
    var request = SequenceRequest(
      user: .integer(user * user / 7), last: [3, 40, 200, 10_000][Int(random.next() % 4)],
      columns: plan.definition.fields)
    func time() -> Int64 { start + Int64(random.next() % UInt64(dayCount * 86_400)) * 1_000_000 }
    if random.next() % 3 == 0 { request.fromMicros = time() }
    if random.next() % 4 == 0 { request.untilMicros = time() }
    if random.next() % 8 == 0 { request.knownAtMicros = time() }
    return request
  }

  private func change(
    _ test: TestStore, _ events: inout [TestEvent], _ round: Int, _ random: inout SeededRandom
  ) throws {
    let day = Day(TestStore.day0.number + Int32(random.next() % UInt64(Self.dayCount)))
    switch random.next() % 10 {
    case 0...4:
      var more: [TestEvent] = []
      for _ in 0...random.next() % 8 {
        var event = TestStore.events(1, days: 2, users: 8, seed: random.next())[0]
        // Few of them are of more days than these, as most of a stream is.
        event.micros += Int64(random.next() % 4 == 0 ? day.number - TestStore.day0.number : 20) * Self.dayMicros
        event.seen = event.micros + Int64(round)
        more.append(event)
      }
      for _ in 0...random.next() % 3 {
        var event = events[Int(random.next() % UInt64(events.count))]
        guard !more.contains(where: { $0.key == event.key }) else { continue }
        event.revision += 1 + Int32(round)
        event.micros += Int64(random.next() % 3) * Self.dayMicros - Self.dayMicros
        event.isRetracted = random.next() % 3 == 0
        more.append(event)
      }
      events += more
      try CompactionTests.add(more, to: test)
    case 5, 6:
      let share = Int64(random.next() % 3)
      let left = CompactionTests.resolved(events).filter {
        Day(micros: $0.micros) == day && share > 0 && $0.key % share == 0
      }
      try test.index(left, replacing: .days(day...day))
    case 7, 8:
      try CompactionTests.compact(test, afterDays: random.next() % 3 == 0 ? 60 : 1, isFull: random.next() % 2 == 0)
    default:
      let now = Self.start + Int64(90 + round / 8) * Self.dayMicros
      let retention = Retention(test.store, definitions: test.definitions, nowMicros: now)
      for name in try test.store.datasetNames() { try retention.run(name) { _ in } }
    }
  }
}
