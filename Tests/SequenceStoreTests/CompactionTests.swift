import DeltaLog
import JSONText
import SequenceStore
import Synchronization
import TestSupport
import Testing

@Suite struct CompactionTests {
  private static let dayMicros: Int64 = 86_400_000_000
  private static let start = TestStore.day0.startMicros

  /// Compacts completely, as of days after the first.
  @discardableResult static func compact(
    _ test: TestStore, afterDays days: Int64 = 1, isFull: Bool = true, readingMillis: Int64 = 0
  ) throws -> [UpkeepAction] {
    var options = Compaction.Options()
    options.isFull = isFull
    options.readingMillis = readingMillis
    options.nowMicros = start + days * dayMicros
    let compaction = Compaction(test.store, definitions: test.definitions, options)
    var actions: [UpkeepAction] = []
    for name in try test.store.datasetNames() { try compaction.run(name) { actions.append($0) } }
    #expect(SharedData.names(in: test.store.temporary).isEmpty)
    return actions
  }

  /// Adds events to their days, as a stream or a batch of another day does.
  static func add(_ events: [TestEvent], to test: TestStore) throws {
    let nowhere = Day(20_000)
    try test.index(events, replacing: .days(nowhere...nowhere))
  }

  /// Random events, then duplicates, corrections, also into other days, and retractions of some of them.
  static func history(seed: UInt64) -> [TestEvent] {
    var random = SeededRandom(seed: seed)
    var events = TestStore.events(400, days: 4, users: 9, seed: seed)
    for index in events.indices {
      let arrival = start + Int64(random.next() % 1_000_000) * 1_000
      events[index].seen = arrival
      var other = events[index]
      other.seen = arrival + Int64(random.next() % 1_000) * 1_000
      switch random.next() % 6 {
      case 0: break  // a duplicate
      case 1:
        other.revision = 1
        other.micros += Int64(random.next() % 3) * dayMicros - dayMicros
        other.item = 5
      case 2:
        other.revision = Int32(random.next() % 3) + 1
        other.isRetracted = true
      default: continue
      }
      events.append(other)
    }
    return events
  }

  /// The rows that hold of a history, as any order of arrival must leave them.
  static func resolved(_ events: [TestEvent]) -> [TestEvent] {
    var best: [String: TestEvent] = [:]
    for event in events {
      let identity = "\(event.user) \(event.type) \(event.key)"
      guard let other = best[identity] else {
        best[identity] = event
        continue
      }
      let isBetter = event.revision != other.revision ? event.revision > other.revision : event.seen < other.seen
      if isBetter { best[identity] = event }
    }
    return best.values.filter { !$0.isRetracted }.sorted(by: TestEvent.order)
  }

  static func content(_ test: TestStore) throws -> [TestEvent] {
    try (test.scan("events") + test.scan("views")).sorted(by: TestEvent.order)
  }

  @Test(arguments: 1...12) func aCompactedStoreHasWhatOneBatchWouldHave(seed: Int) throws {
    let test = try TestStore()
    var random = SeededRandom(seed: UInt64(seed))
    var events = Self.history(seed: UInt64(seed))
    let expected = Self.resolved(events)
    for index in events.indices.reversed() { events.swapAt(index, Int(random.next() % UInt64(index + 1))) }
    var rest = events[...]
    while !rest.isEmpty {
      let part = rest.prefix(Int(random.next() % 300) + 1)
      rest = rest.dropFirst(part.count)
      // One input has each event once.
      var seen: [String: TestEvent] = [:]
      for event in part {
        let identity = "\(event.user) \(event.type) \(event.key)"
        if let other = seen[identity], (other.revision, -other.seen) > (event.revision, -event.seen) { continue }
        seen[identity] = event
      }
      try Self.add(Array(seen.values), to: test)
      if random.next() % 3 == 0 { try Self.compact(test, isFull: random.next() % 2 == 0) }
    }
    try Self.compact(test)
    #expect(try Self.content(test) == expected)
    for name in ["events", "views"] {
      let table = try test.store.dataset(name).snapshot()
      #expect(Set(table.files.compactMap { $0.partitionValues["bucket"] ?? nil }).count == table.files.count)
      #expect(try DatasetVerification(StoreSnapshot(test.store), dataset: name).problems.isEmpty)
    }
    #expect(try Self.compact(test).isEmpty)
  }

  /// What a merge holds does not grow with the table.
  @Test(
    arguments: [
      (1_000, 0, 3), (250, 0, 5), (150, 0, 6), (1_000, 64 << 20, 1),
    ] as [(Int, Int64, Int)])
  func noMoreIsMergedAtOnceThanIsAllowed(rowLimit: Int, byteCount: Int64, left: Int) throws {
    let test = try TestStore()
    var options = Compaction.Options()
    (options.isFull, options.tierFileCount, options.monthsAfterDays) = (false, 3, nil)
    (options.tierRowLimit, options.tierSmallByteCount) = (rowLimit, byteCount)
    let events = TestStore.events(1_200, days: 1, users: 9, seed: 4).filter { $0.dataset == "events" }
    for start in stride(from: 0, to: 600, by: 100) { try Self.add(Array(events[start..<start + 100]), to: test) }
    try Compaction(test.store, definitions: test.definitions, options).run("events") { _ in }
    let counts = try test.store.dataset("events").snapshot().files.map { file in
      file.statistics.flatMap { FileStatistics(parsing: $0) }?.rowCount ?? 0
    }
    #expect(counts.count == left && counts.reduce(0, +) == 600 && counts.allSatisfy { $0 <= rowLimit })
  }

  @Test func filesOfLikeSizeAreMergedOnceTheyAreMany() throws {
    let test = try TestStore()
    var options = Compaction.Options()
    (options.isFull, options.tierFileCount, options.monthsAfterDays) = (false, 3, nil)
    let compaction = Compaction(test.store, definitions: test.definitions, options)
    let events = TestStore.events(400, days: 1, users: 9, seed: 4)
    func fileCount() throws -> Int { try test.store.dataset("events").snapshot().files.count }
    for (part, start) in stride(from: 0, to: 400, by: 100).enumerated() {
      try Self.add(Array(events[start..<start + 100]), to: test)
      #expect(try compaction.isDue("events") == (part == 3))
      #expect(try !compaction.isOverdue("events"))
      if part < 3 { #expect(try fileCount() == part + 1) }
    }
    try compaction.run("events") { _ in }
    #expect(try fileCount() == 1)
    #expect(try !compaction.isDue("events"))
    #expect(try Self.content(test) == events.sorted(by: TestEvent.order))
  }

  @Test func filesThatPileUpAreOverdueUnlessTheyAreLarge() throws {
    let test = try TestStore()
    var options = Compaction.Options()
    (options.isFull, options.tierFileCount, options.monthsAfterDays) = (false, 4, nil)
    let events = TestStore.events(400, days: 1, users: 9, seed: 4)
    for part in 0..<7 {
      try Self.add(Array(events[part * 50..<part * 50 + 50]), to: test)
      #expect(try Compaction(test.store, definitions: test.definitions, options).isOverdue("events") == (part == 6))
    }
    options.tierSmallByteCount = 1_000
    let large = Compaction(test.store, definitions: test.definitions, options)
    #expect(try large.isDue("events"))
    #expect(try !large.isOverdue("events"))
  }

  /// What comes while many bytes are merged need not wait for these.
  @Test func smallFilesAreMergedBesideALargeMerge() throws {
    let test = try TestStore()
    var options = Compaction.Options()
    (options.isFull, options.tierFileCount, options.monthsAfterDays) = (false, 3, nil)
    let events = TestStore.events(2_000, days: 1, users: 9, seed: 4).filter { $0.dataset == "events" }
    func paths() throws -> Set<String> { Set(try test.store.dataset("events").snapshot().files.map(\.path)) }
    for part in 0..<4 { try Self.add(Array(events[part * 200..<part * 200 + 200]), to: test) }
    let large = try test.store.dataset("events").snapshot().files
    options.tierSmallByteCount = large.reduce(-1) { $0 + $1.byteCount }
    let small = Compaction(test.store, definitions: test.definitions, options)
    let actions = Mutex<[UpkeepAction]>([])
    let report = { @Sendable (action: UpkeepAction) in actions.withLock { $0.append(action) } }
    options.meanwhile = { chosen in
      guard let chosen else { return }
      do {
        #expect(chosen.count == 4 && large.allSatisfy { file in chosen.contains { $0.hasSuffix(file.path) } })
        for part in 40..<44 { try Self.add(Array(events[part * 20..<part * 20 + 20]), to: test) }
        try small.mergeSmallFiles("events", besides: chosen, report)
      } catch { Issue.record(error) }
    }
    try Compaction(test.store, definitions: test.definitions, options).run("events", report)
    #expect(actions.withLock { $0.map(\.rowsIn) } == [80, 800])
    #expect(actions.withLock { $0.map(\.filesIn) } == [4, 4])
    #expect(try paths().count == 2)
    #expect(try Self.content(test) == events.prefix(880).sorted(by: TestEvent.order))
    #expect(SharedData.names(in: test.store.temporary).isEmpty)
  }

  @Test func aCompactionThatIsNotWantedChangesNothing() throws {
    let test = try TestStore()
    let events = TestStore.events(200, days: 1, users: 9, seed: 4)
    for start in [0, 100] { try Self.add(Array(events[start..<start + 100]), to: test) }
    var options = Compaction.Options()
    options.isWanted = { false }
    let version = try test.store.dataset("events").snapshot().version
    do {
      try Compaction(test.store, definitions: test.definitions, options).run("events") { _ in }
      Issue.record("it ran to its end")
    } catch { #expect("\(error)" == "stopped before the end") }
    #expect(try test.store.dataset("events").snapshot().version == version)
    #expect(SharedData.names(in: test.store.temporary).isEmpty)
  }

  @Test func whatReadersSeeIsTheSameBeforeAndAfter() throws {
    let test = try TestStore()
    let events = Self.history(seed: 5)
    for start in stride(from: 0, to: events.count, by: 90) {
      try Self.add(Array(events[start..<min(start + 90, events.count)]), to: test)
    }
    func sequences() throws -> [[JSONValue]] {
      let reader = SequenceReader(try StoreSnapshot(test.store), verifiesChecksums: true)
      let plan = try test.plan()
      return try Set(events.map(\.user)).sorted().map { user in
        let request = SequenceRequest(user: .integer(user), last: 1_000, columns: plan.columns)
        return try reader.read(request, of: plan).events.allRows
      }
    }
    let before = try sequences()
    try Self.compact(test)
    #expect(try sequences() == before)
    try Self.compact(test, afterDays: 400)
    #expect(try sequences() == before)
    #expect(before.joined().count == Self.resolved(events).count)
  }

  @Test func daysOfOldMonthsAreMergedAndLateEventsJoinThem() throws {
    let test = try TestStore()
    let events = TestStore.events(2_000)
    try test.index(events)
    #expect(try Self.compact(test, afterDays: 47).isEmpty)
    let actions = try Self.compact(test, afterDays: 48)
    #expect(actions.map { $0.bucket?.description } == ["2026-11", "2026-11"])
    #expect(try buckets(test) == ["2026-11"])
    #expect(try Self.content(test) == events.sorted(by: TestEvent.order))
    let late = TestEvent(user: 1, micros: Self.start + 7, seen: Self.start + 9, key: 77)
    try Self.add([late], to: test)
    #expect(try buckets(test) == ["2026-11", "2026-11"])
    #expect(try DatasetVerification(StoreSnapshot(test.store), dataset: "events").problems.isEmpty)
    try Self.compact(test, afterDays: 48)
    #expect(try buckets(test) == ["2026-11"])
    #expect(try Self.content(test) == (events + [late]).sorted(by: TestEvent.order))
  }

  private func buckets(_ test: TestStore) throws -> [String] {
    try test.store.dataset("events").snapshot().files.compactMap { $0.partitionValues["bucket"] ?? nil }
  }

  @Test func aDayOfAMergedMonthIsReplacedAlone() throws {
    let test = try TestStore()
    let (old, new) = (TestStore.events(2_000, seed: 1), TestStore.events(2_000, seed: 2))
    try test.index(old)
    try Self.compact(test, afterDays: 400)
    let day = Day(TestStore.day0.number + 2)
    var batch = new.filter { Day(micros: $0.micros) == day }
    for index in batch.indices { batch[index].seen += Self.dayMicros }
    let counts = try #require(try test.index(batch, replacing: .days(day...day))["events"])
    #expect(counts.rowsReplaced == old.count { $0.dataset == "events" && Day(micros: $0.micros) == day })
    let expected = old.filter { Day(micros: $0.micros) != day } + batch
    #expect(try Self.content(test) == expected.sorted(by: TestEvent.order))
    #expect(try Set(buckets(test)) == ["2026-11"])
  }

  @Test func retractionsGoOnceTheyAreOldAndSettled() throws {
    let test = try TestStore()
    let lateness = 3 * Self.dayMicros
    let event = TestEvent(user: 1, micros: Self.start, seen: Self.start, key: 1)
    var gone = event
    (gone.revision, gone.isRetracted, gone.seen) = (1, true, Self.start + 10)
    try Self.add([event], to: test)
    try Self.add([gone, TestEvent(user: 2, micros: Self.start, seen: Self.start + lateness, key: 2)], to: test)
    try Self.compact(test)
    #expect(try Self.content(test).map(\.key) == [2])
    #expect(try retractionCount(test) == 1)
    // A lower revision that comes late is still hidden.
    try Self.add([event], to: test)
    try Self.compact(test)
    #expect(try Self.content(test).map(\.key) == [2])
    let later = TestEvent(user: 3, micros: Self.start, seen: Self.start + lateness + 20_000, key: 3)
    try Self.add([event, later], to: test)
    try Self.compact(test, isFull: false, readingMillis: 60_000)
    #expect(try Self.content(test).map(\.key) == [2, 3])
    #expect(try retractionCount(test) == 1, "a reader may still have the files that it is needed for")
    try Self.compact(test, isFull: false)
    #expect(try Self.content(test).map(\.key) == [2, 3])
    #expect(try retractionCount(test) == 0)
  }

  private func retractionCount(_ test: TestStore) throws -> Int {
    let table = test.store.retractions("events")
    return Int(try table.snapshot().rowCount ?? -1)
  }

  @Test func smallFilesAreMergedAndLargeOnesLeftWhereItIsNotWorthIt() throws {
    let test = try TestStore()
    try test.index(TestStore.events(500, days: 1, seed: 1))
    #expect(try Self.compact(test, isFull: false).isEmpty)
    for seed in 2...4 { try Self.add(TestStore.events(20, days: 1, seed: UInt64(seed)), to: test) }
    let actions = try Self.compact(test, isFull: false)
    #expect(Set(actions.map(\.place)) == ["datasets/events", "datasets/views"])
    #expect(try buckets(test).count == 1)
  }

  @Test func filesOfOtherEnginesAreSorted() throws {
    guard let python = SharedData.python else { return }
    let test = try TestStore()
    let events = TestStore.events(3_000, days: 2)
    try test.index(events)
    _ = try runPython(
      python,
      """
      import sys, deltalake, pyarrow as pa
      t = deltalake.DeltaTable(sys.argv[1])
      rows = t.to_pyarrow_table().sort_by([("item_id", "ascending")])
      deltalake.write_deltalake(t, rows, mode="overwrite")
      """, [test.store.dataset("events").path])
    try Self.compact(test)
    #expect(try Self.content(test) == events.sorted(by: TestEvent.order))
    #expect(try DatasetVerification(StoreSnapshot(test.store), dataset: "events").problems.isEmpty)
  }

  @Test func otherEnginesReadWhatWasCompacted() throws {
    guard let python = SharedData.python else { return }
    let test = try TestStore()
    let events = Self.history(seed: 3)
    for start in stride(from: 0, to: events.count, by: 60) {
      try Self.add(Array(events[start..<min(start + 60, events.count)]), to: test)
    }
    try Self.compact(test, afterDays: 400)
    let output = try runPython(
      python,
      """
      import sys, deltalake, duckdb
      table = deltalake.DeltaTable(sys.argv[1])
      t = table.to_pyarrow_table()
      print(len(t), sum(t["event_key"].to_pylist()), len(set(t["bucket"].to_pylist())))
      print(*duckdb.sql("select count(*), sum(event_key::hugeint) from t").fetchall()[0])
      print(table.history(1)[0]["operation"])
      """, [test.store.dataset("events").path])
    let own = Self.resolved(events).filter { $0.dataset == "events" }
    let sum = own.reduce(Int128(0)) { $0 + Int128($1.key) }
    #expect(output.split(separator: "\n") == ["\(own.count) \(sum) 1", "\(own.count) \(sum)", "OPTIMIZE"])
  }
}
