import DeltaLog
import Glibc
import JSONText
import SequenceStore
import TestSupport
import Testing

/// Retention, vacuum, and reads of what was.
@Suite struct UpkeepTests {
  private static let dayMicros: Int64 = 86_400_000_000
  private static let start = TestStore.day0.startMicros

  private func dataFiles(_ test: TestStore) throws -> Int {
    let table = test.store.dataset("events").path
    return SharedData.names(in: table).filter { $0.hasPrefix("bucket=") }
      .map { SharedData.names(in: "\(table)/\($0)/shard=00").count }.reduce(0, +)
  }

  @Test(arguments: [0, 400]) func eventsGoOnceTheirBucketIsOlderThanTheirRetention(mergedAfterDays: Int64) throws {
    let test = try TestStore()
    let events = TestStore.events(1_000)
    try test.index(events)
    try CompactionTests.compact(test, afterDays: mergedAfterDays)
    func retain(days: Int64) throws -> [UpkeepAction] {
      var actions: [UpkeepAction] = []
      let retention = Retention(
        test.store, definitions: test.definitions, nowMicros: Self.start + days * Self.dayMicros)
      for name in ["events", "views"] { try retention.run(name) { actions.append($0) } }
      return actions
    }
    // Days 0...4 of 18 November are kept for 90 days; a merged month as long as its last day.
    #expect(try retain(days: 90).isEmpty)
    let isMonth = mergedAfterDays > 0
    let actions = try retain(days: 92)
    #expect(actions.map(\.filesIn) == (isMonth ? [] : [2, 2]))
    let kept = isMonth ? events : events.filter { $0.micros >= Self.start + 2 * Self.dayMicros }
    #expect(try CompactionTests.content(test) == kept.sorted(by: TestEvent.order))
    _ = try retain(days: 103)
    #expect(try CompactionTests.content(test).isEmpty)
  }

  @Test func aVersionWithinTheGraceCanStillBeRead() throws {
    let test = try TestStore()
    let old = TestStore.events(600, seed: 1)
    var new = TestStore.events(600, seed: 2)
    for index in new.indices { new[index].seen += 10 * Self.dayMicros }
    try test.index(old)
    let version = try test.store.dataset("events").snapshot().version
    usleep(5_000)
    let between = DeltaTable.nowMillis()
    usleep(5_000)
    try test.index(new)
    func vacuum(graceMillis: Int64) throws -> Int {
      var count = 0
      try FileVacuum(test.store, graceMillis: graceMillis).run { count += $0.filesIn }
      return count
    }
    #expect(try vacuum(graceMillis: 60_000) == 0)
    let own = old.filter { $0.dataset == "events" }.count
    for snapshot in try [
      StoreSnapshot(test.store, datasets: ["events"], versions: ["events": version]),
      StoreSnapshot(test.store, datasets: ["events"], asOfMillis: between),
    ] {
      var rows = 0
      try DatasetScan(snapshot, dataset: "events").forEachBatch { rows += $0.rowCount }
      #expect(rows == own && snapshot.versions["events"] == version)
    }
    usleep(5_000)
    #expect(try dataFiles(test) == 10)
    #expect(try vacuum(graceMillis: 1) == 10)
    #expect(try dataFiles(test) == 5)
    #expect(Set(try test.scan("events")) == Set(new.filter { $0.dataset == "events" }))
    #expect(throws: StoreError.self) {
      let snapshot = try StoreSnapshot(test.store, datasets: ["events"], versions: ["events": version])
      try DatasetScan(snapshot, dataset: "events").forEachBatch { _ in }
    }
  }

  @Test func aVersionIsReadWithTheRetractionsOfItsTime() throws {
    let test = try TestStore()
    for key in 0..<12 {
      try CompactionTests.add([TestEvent(user: 1, micros: Self.start + Int64(key), key: Int64(key))], to: test)
      let gone = TestEvent(user: 1, micros: Self.start, seen: 1, key: 0, revision: 1, isRetracted: true)
      usleep(2_000)
      if key == 5 { try CompactionTests.add([gone], to: test) }
    }
    let table = test.store.dataset("events")
    let latest = try table.snapshot().version
    #expect(latest > 10)
    for version in 1...latest {
      var keys: Set<Int64> = []
      let snapshot = try StoreSnapshot(test.store, datasets: ["events"], versions: ["events": version])
      try DatasetScan(snapshot, dataset: "events").forEachBatch { batch in
        for row in 0..<batch.rowCount { keys.insert(batch["event_key"]!.values.load(row, as: Int64.self)) }
      }
      #expect(keys.contains(0) == (version <= 6), "version \(version)")
    }
  }

  @Test func vacuumDeletesWhatNoCommitHas() throws {
    let test = try TestStore()
    try test.index(TestStore.events(300))
    let directory = "\(test.store.dataset("events").path)/bucket=2026-11-18/shard=00"
    let stray = "\(directory)/0123.parquet"
    #expect(close(unsafe open(stray, O_CREAT | O_WRONLY, 0o600)) == 0)
    try FileVacuum(test.store, graceMillis: 60_000).run { _ in }
    #expect(try dataFiles(test) == 6)
    usleep(5_000)
    var actions: [UpkeepAction] = []
    try FileVacuum(test.store, graceMillis: 1).run(deletes: false) { actions.append($0) }
    #expect(try dataFiles(test) == 6 && actions.map(\.filesIn) == [1])
    try FileVacuum(test.store, graceMillis: 1).run { _ in }
    #expect(try dataFiles(test) == 5)
  }

  @Test func whatWasKnownAtATimeIsReadable() throws {
    let test = try TestStore()
    let first = TestEvent(user: 1, micros: Self.start, seen: Self.start + 10, key: 1, item: 1)
    let second = TestEvent(user: 1, micros: Self.start + 1, seen: Self.start + 30, key: 2, item: 2)
    var (corrected, gone) = (first, second)
    (corrected.revision, corrected.seen, corrected.item) = (1, Self.start + 20, 3)
    corrected.micros += Self.dayMicros
    (gone.revision, gone.seen, gone.isRetracted) = (1, Self.start + 40, true)
    for event in [first, corrected, second, gone] { try CompactionTests.add([event], to: test) }
    let plan = try test.plan()
    let snapshot = try StoreSnapshot(test.store)
    for (known, expected) in [(5, []), (10, [1]), (20, [3]), (30, [2, 3]), (40, [3])] as [(Int64, [Int64])] {
      let request = SequenceRequest(
        user: .integer(1), last: 10, knownAtMicros: Self.start + known,
        columns: plan.columns.filter { $0.name == "item_id" })
      let found = try SequenceReader(snapshot).read(request, of: plan).events
      #expect(found.allRows == expected.map { ["item_id": .integer($0)] }, "known at \(known)")
      var scanned: [Int64] = []
      let scan = try DatasetScan(snapshot, dataset: "events", knownAtMicros: Self.start + known)
      try scan.forEachBatch { batch in
        scanned += (0..<batch.rowCount).map { batch["item_id"]!.values.load($0, as: Int64.self) }
      }
      #expect(scanned == expected, "known at \(known)")
    }
  }
}
