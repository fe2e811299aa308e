import Definitions
import DeltaLog
import Engine
import SequenceStore
import TestSupport
import Testing

@Suite struct RetractionExpiryTests {
  private static let start = TestStore.day0.startMicros
  private static let tenDays: Int64 = 10 * 86_400_000_000

  /// How far a batch is ahead says nothing of what the stream is still to bring.
  @Test func aStreamBehindABatchKeepsItsRetractions() throws {
    let test = try TestStore()
    var settling = LiveRun.Options()
    settling.settles = true
    let event = TestEvent(user: 1, micros: Self.start, seen: Self.start + 20, key: 1)
    var gone = event
    (gone.revision, gone.isRetracted, gone.seen) = (1, true, Self.start + 10)
    try test.stream([gone, TestEvent(user: 2, micros: Self.start, seen: Self.start + 10, key: 2)], settling)
    let later = Self.start + Self.tenDays
    try CompactionTests.add([TestEvent(user: 2, micros: Self.start, seen: later, key: 3)], to: test)
    try CompactionTests.compact(test)
    #expect(try retractionCount(test) == 1)

    try test.stream([event], settling)
    try CompactionTests.compact(test)
    #expect(try CompactionTests.content(test).map(\.key) == [2, 3], "what comes late stays hidden")

    try test.stream([TestEvent(user: 2, micros: Self.start, seen: later, key: 4)], settling)
    try CompactionTests.compact(test)
    #expect(try CompactionTests.content(test).map(\.key) == [2, 3, 4])
    #expect(try retractionCount(test) == 0, "the stream itself has come so far")
  }

  /// Before anything is known of a stream it may be one that is read again from its start.
  @Test func rowsOfAFirstRollWithoutAPositionDoNotCount() throws {
    let test = try TestStore()
    var settling = LiveRun.Options()
    settling.settles = true
    let gone = TestEvent(user: 1, micros: Self.start, seen: Self.start, key: 1, revision: 1, isRetracted: true)
    try CompactionTests.add([gone], to: test)
    for (key, left) in [(2, 1), (3, 0)] as [(Int64, Int)] {
      try test.stream([TestEvent(user: 2, micros: Self.start, seen: Self.start + Self.tenDays, key: key)], settling)
      try CompactionTests.compact(test)
      #expect(try retractionCount(test) == left, "the second time it is a stream without positions")
    }
  }

  /// What came after the last position comes again when a source is read on, and with it what came before.
  @Test func rowsThatComeAgainDoNotCount() throws {
    let test = try TestStore()
    var settling = LiveRun.Options()
    settling.settles = true
    func stream(_ events: [TestEvent], upTo offset: Int64?) throws {
      try test.frames(events, offset.map { [.position(source: "log", partition: nil, offset: $0)] } ?? [])
      _ = try LiveRun(test.store, definitions: test.definitions, options: settling)
        .run(StageOptions(inputs: [test.directory.path + "/in.frames"], threads: 2))
    }
    let event = TestEvent(user: 1, micros: Self.start, seen: Self.start + 20, key: 1)
    var gone = event
    (gone.revision, gone.isRetracted, gone.seen) = (1, true, Self.start + 10)
    let later = TestEvent(user: 2, micros: Self.start, seen: Self.start + Self.tenDays, key: 2)
    try stream([gone], upTo: 100)
    try stream([event, later], upTo: nil)
    try CompactionTests.compact(test)
    #expect(try retractionCount(test) == 1)

    try stream([event, later], upTo: 200)
    try CompactionTests.compact(test)
    #expect(try CompactionTests.content(test).map(\.key) == [2], "what comes again stays hidden")
    try CompactionTests.compact(test)
    #expect(try retractionCount(test) == 0, "it does not come again")
  }

  /// A shard that has brought nothing yet may be far behind the others.
  @Test func theSlowestShardCounts() throws {
    let test = try TestStore()
    var definitions = test.definitions
    definitions.shardCount = 2
    let gone = TestEvent(user: 1, micros: Self.start, seen: Self.start, key: 1, revision: 1, isRetracted: true)
    let later = (1...8).map { TestEvent(user: $0, micros: Self.start, seen: Self.start + Self.tenDays, key: 10 + $0) }
    try test.frames([gone] + later, [.position(source: "log", partition: nil, offset: 100)])
    let own = ShardRouter(count: 2).split(test.batch([gone], dataset: "events"))[0].shard
    for (shard, left) in [(own, 1), (Shard(1 - own.number), 0)] {
      var settling = LiveRun.Options()
      settling.settles = true
      _ = try LiveRun(test.store, definitions: definitions, shard: shard, options: settling)
        .run(StageOptions(inputs: [test.directory.path + "/in.frames"], threads: 2))
      var options = Compaction.Options()
      options.readingMillis = 0
      try Compaction(test.store, definitions: definitions, options).run("events") { _ in }
      #expect(try retractionCount(test) == left)
    }
  }

  /// Whatever a server keeps of an earlier version, in a run of a large file, in that of all small ones: it answers as one that
  /// starts now.
  @Test func aNewerVersionHidesWhatOneThatIsReadAnewDoes() throws {
    let test = try TestStore()
    let events = (0..<9_200 as Range<Int64>).map {
      TestEvent(user: $0 % 7, micros: Self.start + $0, seen: Self.start, key: $0, item: $0)
    }
    func gone(_ range: Range<Int>) -> [TestEvent] {
      events[range].map { event in
        var gone = event
        (gone.revision, gone.isRetracted, gone.seen) = (1, true, Self.start + 1)
        return gone
      }
    }
    try test.index(events)
    var snapshot = try StoreSnapshot(test.store)
    let plan = try test.plan("all")
    for (step, range) in [0..<40, 40..<9_000, 9_000..<9_010, 9_010..<9_030].enumerated() {
      try CompactionTests.add(gone(range), to: test)
      if step == 3 { try CompactionTests.compact(test) }
      snapshot = try StoreSnapshot(test.store, reusing: snapshot)
      // Those of a large file, and of all small ones, name each of the seven users once.
      let runCount = [1, 2, 2, 1][step]
      #expect(snapshot.retractionByteCount == 11 * range.upperBound + runCount * (7 * 8 + 8 * 4))
      for user in 0..<7 as Range<Int64> {
        let left = (Int64(range.upperBound)..<9_200).filter { $0 % 7 == user }
        let request = SequenceRequest(
          user: .integer(user), last: 2_000, columns: plan.columns.filter { $0.name == "item_id" })
        for snapshot in [snapshot, try StoreSnapshot(test.store)] {
          let events = try SequenceReader(snapshot).read(request, of: plan).events
          #expect(events.allRows.map { $0["item_id"]!.integer! } == left)
        }
      }
    }
  }

  private func retractionCount(_ test: TestStore) throws -> Int {
    Int(try test.store.retractions("events").snapshot().rowCount ?? -1)
  }
}
