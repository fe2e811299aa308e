import Definitions
import DeltaLog
import Engine
import Glibc
import SequenceStore
import TestSupport
import Testing

/// Users dealt to shards: whoever writes puts a row under its shard, and readers look nowhere else.
@Suite struct ShardTests {
  private static let day = TestStore.day0
  private static let dayMicros: Int64 = 86_400_000_000

  /// Batches, late rows, carried over rows, compaction by days and by months: a store of some shards answers as one of one.
  @Test(arguments: [1, 8], ["int64", "string"]) func everyWriterDealsAlike(shardCount: Int, userType: String) throws {
    let (one, test) = (try TestStore(userType: userType), try Self.store(shardCount, userType: userType))
    let events = CompactionTests.history(seed: UInt64(shardCount))
    let later = TestStore.events(200, days: 4, users: 9, seed: 77)
    for store in [one, test] {
      try store.index(CompactionTests.resolved(events))
      try CompactionTests.add(later, to: store)
      try CompactionTests.add(later, to: store)
      let days = DayRange.days(Self.day...Day(Self.day.number + 1))
      try store.index(
        events.filter { $0.revision == 0 && days.contains(Day(micros: $0.micros)) }.distinct, replacing: days,
        horizon: Self.day.startMicros + 500_000_000)
    }
    try check(test, like: one, shardCount)
    for days in [1, 400] as [Int64] {
      for store in [one, test] { try CompactionTests.compact(store, afterDays: days) }
      #expect(try CompactionTests.compact(test, afterDays: days).isEmpty)
      try check(test, like: one, shardCount)
      let places = try test.store.dataset("events").snapshot().files.map { $0.path.split(separator: "/").dropLast() }
      #expect(Set(places).count == places.count, "a shard of a bucket has one file")
    }
  }

  /// Files say to how many shards users were dealt when they were written.
  @Test func filesAreFoundAfterAChangeOfTheNumberOfShards() throws {
    let (one, first) = (try TestStore(), try Self.store(8))
    var events: [TestEvent] = []
    for (number, shardCount) in [8, 1, 5, 8].enumerated() {
      let test = try Self.store(shardCount, in: first.directory)
      let more = TestStore.events(300, days: 3, users: 40, seed: UInt64(number))
      events += more
      try CompactionTests.add(more, to: test)
      try one.index(events.sorted(by: TestEvent.order))
      try check(test, like: one, nil)
    }
    try CompactionTests.compact(first)
    try check(first, like: one, 8)
  }

  /// A file of another shard is not so much as opened.
  @Test func readersPassOverOtherShards() throws {
    let test = try Self.store(8)
    try test.index(TestStore.events(2_000, users: 40))
    let user: Int64 = 16 * 16 / 7
    let expected = try Self.sequence(of: user, in: test)
    #expect(!expected.isEmpty)
    let own = ShardRouter(count: 8).split(test.batch([TestEvent(user: user, micros: 0, key: 0)], dataset: "events"))[0]
      .shard
    for dataset in ["events", "views"] {
      let table = test.store.dataset(dataset)
      for file in try table.snapshot().files where file.partitionValues["shard"] != "\(own)" {
        unsafe unlink(table.location(of: file))
      }
    }
    #expect(try Self.sequence(of: user, in: test) == expected)
  }

  private static func store(
    _ shardCount: Int, userType: String = "int64", in directory: TemporaryDirectory? = nil
  ) throws -> TestStore {
    var test = try TestStore(userType: userType, in: directory)
    test.definitions.shardCount = shardCount
    return test
  }

  private static func sequence(of user: Int64, in test: TestStore) throws -> [String] {
    let isText = test.definitions.datasets[0].userType == .utf8
    let plan = try test.plan()
    let request = SequenceRequest(
      user: isText ? .text("u\(user)") : .integer(user), last: 10_000, columns: plan.columns)
    return try SequenceReader(StoreSnapshot(test.store)).read(request, of: plan).events.allRows.map(\.text)
  }

  /// Every row lies under its shard, and everybody finds what the store of one shard has.
  private func check(_ test: TestStore, like one: TestStore, _ shardCount: Int?) throws {
    let router = shardCount.map { ShardRouter(count: $0) }
    for dataset in ["events", "views"] {
      let snapshot = try StoreSnapshot(test.store)
      #expect(try DatasetVerification(snapshot, dataset: dataset).problems.isEmpty)
      let table = test.store.dataset(dataset)
      for file in try table.snapshot().files {
        guard let router else { continue }
        #expect(file.tags == (router.count > 1 ? ["seqline.shards": "\(router.count)"] : nil))
        try table.forEachBatch(of: file, in: table.snapshot(), columns: ["user_id"]) { batch in
          #expect(router.split(batch).map(\.shard.description) == [file.partitionValues["shard"]])
        }
      }
    }
    for user in 0..<60 as Range<Int64> {
      let (found, expected) = (
        try Self.sequence(of: user * user / 7, in: test), try Self.sequence(of: user * user / 7, in: one)
      )
      #expect(found == expected)
    }
  }
}

extension [TestEvent] {
  /// Of events of one identity the first.
  fileprivate var distinct: [TestEvent] {
    var known: Set<String> = []
    return filter { known.insert("\($0.user) \($0.type) \($0.key)").inserted }
  }
}
