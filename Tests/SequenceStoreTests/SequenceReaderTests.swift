import Arrow
import Glibc
import JSONText
import SequenceStore
import TestSupport
import Testing

@Suite struct SequenceReaderTests {
  /// The answer by the plainest means.
  static func expected(_ events: [TestEvent], _ request: SequenceRequest, user: Int64, types: Set<String>)
    -> [JSONValue]
  {
    var capped: [String: Int] = [:]
    var rows: [TestEvent] = []
    let own = events.filter {
      $0.user == user && types.contains($0.type) && $0.micros >= request.fromMicros ?? .min
        && $0.micros < request.untilMicros ?? .max
    }
    for event in own.sorted(by: TestEvent.order).reversed() where rows.count < request.last {
      if let asked = request.eventTypes, !asked.contains(event.type) { continue }
      capped[event.type, default: 0] += 1
      if let cap = request.caps[event.type], capped[event.type]! > cap { continue }
      rows.append(event)
    }
    return rows.reversed().map(\.row)
  }

  func rows(_ batch: RecordBatch) -> [JSONValue] { batch.allRows }

  /// Requests of every kind, for users that are there and some that are not.
  static func requests(_ plan: SequencePlan, text: Bool) -> [(user: Int64, request: SequenceRequest)] {
    var random = SeededRandom(seed: 9)
    let columns = ["ts", "event_type", "item_id", "text"].map { name in plan.columns.first { $0.name == name }! }
    return (0..<300).map { number in
      let base = Int64(random.next() % 64)
      let user = number % 10 == 0 ? -base - 1 : base * base / 7
      let start = TestStore.day0.startMicros
      var request = SequenceRequest(
        user: text ? .text("u\(user)") : .integer(user), last: [1, 5, 50, 10_000][number % 4], columns: columns)
      if number % 3 == 0 { request.fromMicros = start + Int64(random.next() % 500_000) * 1_000_000 }
      if number % 5 == 0 { request.untilMicros = start + Int64(random.next() % 500_000) * 1_000_000 }
      if number % 7 == 0 { request.caps = ["click": 2, "save": Int(random.next() % 5)] }
      if number % 8 == 0 { request.eventTypes = [["save"], ["click", "view", "other"], []][number / 8 % 3] }
      return (user, request)
    }
  }

  @Test(arguments: ["int64", "string"]) func aReadIsWhatAFilterOfTheScanIs(userType: String) throws {
    let test = try TestStore(userType: userType)
    let events = TestStore.events(20_000)
    try test.index(events)
    let plan = try test.plan()
    let reader = SequenceReader(try StoreSnapshot(test.store), verifiesChecksums: true)
    for (user, request) in Self.requests(plan, text: userType == "string") {
      let found = try reader.read(request, of: plan).events
      #expect(found.allRows == Self.expected(events, request, user: user, types: ["click", "save", "view"]))
    }
  }

  /// Threads share a cache that has room for all pages, for some, or for none.
  @Test(arguments: [64 << 20, 400_000, 1_000]) func cachedPagesGiveTheSameRows(byteLimit: Int) async throws {
    let test = try TestStore()
    let events = TestStore.events(20_000)
    try test.index(events)
    let plan = try test.plan()
    let snapshot = try StoreSnapshot(test.store)
    let cache = PageCache(byteLimit: byteLimit)
    await Self.readOnThreads(snapshot, plan, events, cache: cache)
    let statistics = cache.statistics
    #expect(statistics.byteCount <= byteLimit && statistics.hits + statistics.misses > 1_000)
    #expect((statistics.hits > 0) == (byteLimit > 1_000) && (statistics.pageCount > 0) == (byteLimit > 1_000))
  }

  /// Four threads ask for the same, each in an order of its own.
  ///
  /// - Parameter check: after each read.
  static func readOnThreads(
    _ snapshot: StoreSnapshot, _ plan: SequencePlan, _ events: [TestEvent], cache: PageCache? = nil,
    check: @escaping @Sendable () -> Void = {}
  ) async {
    await withTaskGroup(of: Void.self) { group in
      for thread in 0..<4 {
        group.addTask {
          let reader = SequenceReader(snapshot, cache: cache)
          var random = SeededRandom(seed: UInt64(thread))
          for (user, request) in requests(plan, text: false).shuffled(using: &random) {
            let rows = try? reader.read(request, of: plan).events.allRows
            #expect(rows == expected(events, request, user: user, types: ["click", "save", "view"]))
            check()
          }
        }
      }
    }
  }

  @Test func whatIsReadOfFilesIsCounted() throws {
    let test = try TestStore()
    try test.index(TestStore.events(20_000))
    let (plan, snapshot) = (try test.plan(), try StoreSnapshot(test.store))
    let files = try test.store.dataset("events").snapshot().files + test.store.dataset("views").snapshot().files
    let request = SequenceRequest(user: .integer(0), last: 50, columns: [plan.columns.first { $0.name == "item_id" }!])
    for (cache, reads) in [(nil, 2), (PageCache(byteLimit: 16 << 20), 1)] as [(PageCache?, Int)] {
      let meter = ReadMeter()
      let reader = SequenceReader(snapshot, cache: cache, meter: meter)
      _ = try reader.read(request, of: plan)
      let first = meter.byteCount
      #expect(first > 0 && first < files.reduce(0) { $0 + Int($1.byteCount) })
      _ = try reader.read(request, of: plan)
      // A dictionary that was read is remembered.
      #expect(reads == 1 ? meter.byteCount == first : meter.byteCount > first)
    }
  }

  /// Threads share indexes of which hardly any may be kept, of files that are not there any more.
  @Test(arguments: [0, 20_000]) func indexesAreReadAgainOfFilesThatAreGone(byteLimit: Int) async throws {
    let test = try TestStore()
    let events = TestStore.events(20_000)
    try test.index(events)
    let plan = try test.plan()
    let snapshot = try StoreSnapshot(test.store, indexByteLimit: byteLimit)
    try snapshot.preload()
    let table = test.store.dataset("events")
    for file in try table.snapshot().files { #expect(unsafe unlink(table.location(of: file)) == 0) }
    await Self.readOnThreads(snapshot, plan, events)
    let statistics = snapshot.indexes.statistics
    #expect(statistics.evictions > 1_000)
  }

  @Test func aSnapshotThatIsGoneHoldsNoMemoryForItsIndexes() throws {
    let test = try TestStore()
    try test.index(TestStore.events(5_000))
    let indexes = try {
      let snapshot = try StoreSnapshot(test.store)
      for (_, request) in Self.requests(try test.plan(), text: false) {
        _ = try SequenceReader(snapshot).read(request, of: test.plan())
      }
      #expect(snapshot.indexes.statistics.byteCount > 10_000 && snapshot.indexes.statistics.evictions == 0)
      return snapshot.indexes
    }()
    #expect(indexes.statistics.byteCount == 0 && indexes.statistics.slotCount == 0)
  }

  @Test(arguments: ["all", "derived", "merged"]) func piecesOfAnAnswerAreTheAnswer(name: String) throws {
    let test = try TestStore()
    try test.index(TestStore.events(10_000, days: 9))
    let plan = try test.plan(name)
    let reader = SequenceReader(try StoreSnapshot(test.store), cache: PageCache(byteLimit: 16 << 20))
    for (number, (_, request)) in Self.requests(plan, text: false).prefix(60).enumerated() {
      var request = request
      request.columns = plan.definition.fields
      request.keepsDictionaries = number % 2 == 0
      let whole = try reader.read(request, of: plan)
      guard var selected = try reader.select(request, of: plan, live: LiveRows()) else {
        Issue.record("live rows are missing where there are none")
        return
      }
      #expect(selected.rowCount == whole.events.rowCount && selected.cut == whole.cut)
      var rows: [JSONValue] = []
      while let piece = try selected.next(1 + number % 40, using: reader) {
        #expect(piece.rowCount <= 1 + number % 40)
        rows += piece.allRows
      }
      #expect(rows == whole.events.allRows)
    }
  }

  @Test func aSequenceHasItsOwnTypesAndFilter() throws {
    let test = try TestStore()
    let events = TestStore.events(5_000)
    try test.index(events)
    let plan = try test.plan("saves")
    let reader = SequenceReader(try StoreSnapshot(test.store))
    for (user, request) in Self.requests(plan, text: false) {
      let kept = events.filter { $0.item ?? 0 >= 50 }
      #expect(
        try reader.read(request, of: plan).events.allRows == Self.expected(kept, request, user: user, types: ["save"]))
    }
  }

  @Test func anEventThatMovedToAnotherDayIsReadOnce() throws {
    let test = try TestStore()
    let (first, second) = (TestStore.day0, Day(TestStore.day0.number + 1))
    let kept = TestEvent(user: 1, micros: first.startMicros + 5, key: 7, revision: 1, item: 2)
    try test.index([kept], replacing: .days(first...first))
    let stale = TestEvent(user: 1, micros: second.startMicros + 5, key: 7, item: 1)
    let other = TestEvent(user: 1, micros: second.startMicros + 6, key: 8, item: 3)
    try test.index([stale, other], replacing: .days(second...second))
    let plan = try test.plan()
    let request = SequenceRequest(user: .integer(1), last: 10, columns: plan.columns.filter { $0.name == "item_id" })
    let reader = SequenceReader(try StoreSnapshot(test.store))
    #expect(try reader.read(request, of: plan).events.allRows == [["item_id": 2], ["item_id": 3]])
  }

  /// Of rows of one event, revision and time of arrival the same one holds, whichever came first and whoever chooses.
  @Test func betweenEqualsContentDecides() throws {
    let first = (0..<40).map { key in
      TestEvent(user: key % 3, micros: TestStore.day0.startMicros + key, seen: 7, key: key, item: key)
    }
    let second = first.map { event in
      var event = event
      event.item = event.key % 5 == 0 ? nil : event.key + 100
      return event
    }
    var settling = LiveRun.Options()
    settling.settles = true
    var found: [[[JSONValue]]] = []
    for parts in [[first, second], [second, first]] {
      let test = try TestStore()
      for part in parts { try test.stream(part, settling) }
      let plan = try test.plan()
      func sequences() throws -> [[JSONValue]] {
        let reader = SequenceReader(try StoreSnapshot(test.store))
        return try (0..<3 as Range<Int64>).map { user in
          let request = SequenceRequest(user: .integer(user), last: 100, columns: plan.columns)
          return try reader.read(request, of: plan).events.allRows
        }
      }
      found.append(try sequences())
      try CompactionTests.compact(test)
      found.append(try sequences())
    }
    #expect(found.allSatisfy { $0 == found[0] })
    #expect(found[0].joined().count == 40)
  }

  @Test func aRetractionHidesLowerRevisionsOnly() throws {
    let test = try TestStore()
    let (first, second) = (TestStore.day0, Day(TestStore.day0.number + 1))
    let gone = TestEvent(user: 1, micros: first.startMicros, key: 7, item: 1)
    let kept = TestEvent(user: 1, micros: first.startMicros, key: 8, revision: 2, item: 2)
    try test.index([gone, kept], replacing: .days(first...first))
    let late = [7, 8].map { TestEvent(user: 1, micros: second.startMicros, key: $0, revision: 1, isRetracted: true) }
    try test.index(late, replacing: .days(second...second))
    let plan = try test.plan()
    let request = SequenceRequest(user: .integer(1), last: 10, columns: plan.columns.filter { $0.name == "item_id" })
    let reader = SequenceReader(try StoreSnapshot(test.store))
    #expect(try reader.read(request, of: plan).events.allRows == [["item_id": 2]])
  }

  @Test func aStoreWithoutTablesHasNoEvents() throws {
    let test = try TestStore()
    let plan = try test.plan()
    let request = SequenceRequest(user: .integer(1), last: 10, columns: plan.columns)
    let found = try SequenceReader(try StoreSnapshot(test.store)).read(request, of: plan)
    #expect(found.events.rowCount == 0 && found.events.schema.fields == plan.columns)
  }

  @Test func aTableThatAnotherEngineOptimizedIsReadAlike() throws {
    guard let python = SharedData.python else { return }
    let test = try TestStore()
    let (old, new) = (TestStore.events(4_000, seed: 3), TestStore.events(6_000, seed: 4))
    try test.index(old)
    try test.index(new)
    _ = try runPython(
      python,
      """
      import sys, deltalake
      for path in sys.argv[1:]:
          t = deltalake.DeltaTable(path)
          t.optimize.z_order(["item_id"]) if path == sys.argv[1] else t.optimize.compact()
          deltalake.DeltaTable(path).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
      """, [test.store.dataset("events").path, test.store.dataset("views").path])
    let plan = try test.plan()
    let reader = SequenceReader(try StoreSnapshot(test.store))
    for (user, request) in Self.requests(plan, text: false) {
      let found = try reader.read(request, of: plan).events.allRows
      #expect(found == Self.expected(new, request, user: user, types: ["click", "save", "view"]))
    }
  }

  @Test func aSnapshotStaysWhatItWas() throws {
    let test = try TestStore()
    let (old, new) = (TestStore.events(1_000, seed: 5), TestStore.events(1_000, seed: 6))
    try test.index(old)
    let snapshot = try StoreSnapshot(test.store)
    #expect(try !snapshot.isStale())
    try test.index(new)
    #expect(try snapshot.isStale())
    let newer = try StoreSnapshot(test.store, reusing: snapshot)
    let plan = try test.plan()
    for (user, request) in Self.requests(plan, text: false).prefix(60) {
      let (before, after) = try (
        SequenceReader(snapshot).read(request, of: plan), SequenceReader(newer).read(request, of: plan)
      )
      #expect(before.events.allRows == Self.expected(old, request, user: user, types: ["click", "save", "view"]))
      #expect(after.events.allRows == Self.expected(new, request, user: user, types: ["click", "save", "view"]))
    }
  }
}
