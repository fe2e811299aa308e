import Arrow
import Definitions
import Engine
import SequenceStore
import TestSupport
import Testing

@Suite struct DerivedColumnsTests {
  /// Events over three days, among them corrections in other days, retractions, and equal times.
  static func events(_ count: Int, seed: UInt64 = 11) -> [TestEvent] {
    var random = SeededRandom(seed: seed)
    var events = TestStore.events(count, days: 3, users: 20, seed: seed)
    for index in events.indices {
      if random.next() % 3 == 0 { events[index].micros -= events[index].micros % 600_000_000 }
    }
    for var event in events where random.next() % 8 == 0 {
      let day = (Day(micros: event.micros).number - TestStore.day0.number + 1 + Int32(random.next() % 2)) % 3
      event.micros = Day(TestStore.day0.number + day).startMicros + Int64(random.next() % 86_000) * 1_000_000
      event.revision = 1
      event.isRetracted = random.next() % 2 == 0
      events.append(event)
    }
    return events.map(\.withID)
  }

  static func days() -> [DayRange] {
    (0..<3).map { .days(Day(TestStore.day0.number + $0)...Day(TestStore.day0.number + $0)) }
  }

  /// All answers to requests of every kind, with the columns that may be derived.
  static func answers(_ test: TestStore, plan name: String = "all", cache: PageCache? = nil) throws -> [[String]] {
    let plan = try test.plan(name)
    let reader = SequenceReader(try StoreSnapshot(test.store), verifiesChecksums: true, cache: cache)
    let names = ["event_key", "ts", "seen_at", "event_type", "revision", "item_id", "text"]
    let columns = names.map { name in plan.columns.first { $0.name == name }! }
    return try SequenceReaderTests.requests(plan, text: false).map { _, request in
      var request = request
      request.columns = columns
      return try reader.read(request, of: plan).events.allRows.map(\.text)
    }
  }

  static func stored(_ test: TestStore, _ dataset: String = "events") throws -> Set<String> {
    Set(try test.store.dataset(dataset).snapshot().schema.fields.map(\.name)).intersection(DerivedColumns.names)
  }

  @Test(arguments: ["all", "saves"]) func derivedColumnsAreReadLikeStoredOnes(plan: String) throws {
    let (lean, full) = (try TestStore(derives: true), try TestStore())
    let events = Self.events(6_000)
    try lean.index(events)
    try full.index(events)
    #expect(try Self.stored(lean).isEmpty)
    #expect(try Self.stored(full) == Set(DerivedColumns.names))
    let expected = try Self.answers(full, plan: plan)
    #expect(try Self.answers(lean, plan: plan) == expected)
    let cache = PageCache(byteLimit: 64 << 20)
    #expect(try Self.answers(lean, plan: plan, cache: cache) == expected)
    #expect(try Self.answers(lean, plan: plan, cache: cache) == expected)
    #expect(try DatasetVerification(StoreSnapshot(lean.store), dataset: "events").problems.isEmpty)
  }

  @Test func aTableMayHaveFilesOfBothKinds() throws {
    let (full, lean) = (try TestStore(), try TestStore(derives: true))
    let storing = try TestStore(in: lean.directory)
    let events = Self.events(6_000)
    try full.index(events)
    for (number, day) in Self.days().enumerated() { try (number == 1 ? storing : lean).index(events, replacing: day) }
    #expect(try Self.stored(lean) == Set(DerivedColumns.names))
    let expected = try Self.answers(full)
    #expect(try Self.answers(lean) == expected)
    #expect(try DatasetVerification(StoreSnapshot(lean.store), dataset: "events").problems.isEmpty)
    guard let python = SharedData.python else { return }
    _ = try runPython(
      python,
      """
      import sys, deltalake
      deltalake.DeltaTable(sys.argv[1]).optimize.z_order(["item_id"])
      deltalake.DeltaTable(sys.argv[2]).optimize.compact()
      """, [lean.store.dataset("events").path, lean.store.dataset("views").path])
    #expect(try Self.answers(lean) == expected)
  }

  @Test func aTableThatStoresAColumnGoesOnStoringIt() throws {
    let full = try TestStore()
    let events = Self.events(2_000)
    try full.index(events, replacing: Self.days()[0])
    let lean = try TestStore(derives: true, in: full.directory)
    try lean.index(events, replacing: Self.days()[1])
    #expect(try Self.stored(lean) == Set(DerivedColumns.names))
    let found = try lean.scan("events")
    #expect(Set(found.map(\.key)).isSubset(of: Set(events.map(\.key))) && !found.isEmpty)
  }

  @Test func aScanHasTheDerivedColumnsAndCanBeIndexedAgain() throws {
    let (test, copy) = (try TestStore(derives: true), try TestStore(derives: true))
    let events = Self.events(3_000).filter { $0.revision == 0 }
    try test.index(events)
    let indexer = try StoreIndexer(copy.store, definitions: copy.definitions, replacing: .all)
    let snapshot = try StoreSnapshot(test.store)
    for name in snapshot.datasetNames {
      for day in Self.days() {
        let scan = try DatasetScan(snapshot, dataset: name, range: day)
        #expect(scan.schema.metadata[MetadataKey.order] == "user")
        try scan.forEachBatch(limit: 100) { try indexer.add($0) }
      }
    }
    _ = try indexer.commit()
    #expect(
      try copy.store.dataset("events").snapshot().files.map(\.path)
        == test.store.dataset("events").snapshot().files.map(\.path))
  }

  @Test func aScanOfOtherColumnsDerivesAlike() throws {
    let test = try TestStore(derives: true)
    let events = Self.events(500).filter { $0.revision == 0 && $0.dataset == "events" }
    try test.index(events)
    let scan = try DatasetScan(StoreSnapshot(test.store), dataset: "events", columns: ["text"])
    var keys: [Int64: Int64] = [:]
    try scan.forEachBatch { batch in
      for row in 0..<batch.rowCount {
        let key = batch["event_key"]!.values.load(row, as: Int64.self)
        keys[key] = batch["seen_at"]!.values.load(row, as: Int64.self)
      }
    }
    #expect(keys == Dictionary(uniqueKeysWithValues: events.map { ($0.key, $0.micros) }))
  }

  @Test func eventsWhoseKeyIsAnotherAreRefused() throws {
    let test = try TestStore(derives: true)
    var event = TestEvent(user: 1, micros: TestStore.day0.startMicros, key: 1).withID
    event.key += 1
    #expect(throws: StoreError.self) { try test.index([event]) }
    (event.key, event.seen) = (event.key - 1, event.seen + 1)
    #expect(throws: StoreError.self) { try test.index([event]) }
    event.seen -= 1
    #expect(try test.index([event])["events"]?.rows == 1)
  }

  @Test func definitionsDecideWhatIsDerived() throws {
    let derived = try TestStore(derives: true).definitions
    #expect(derived.derivedColumns(of: "events") == DerivedColumns(eventKey: "event_id", seenAt: "ts"))
    #expect(try TestStore().definitions.derivedColumns(of: "events") == DerivedColumns())
    #expect(derived.derivedColumns(of: "nothing") == DerivedColumns())
    func changed(_ change: (inout DefinitionSet) -> Void) -> DerivedColumns {
      var definitions = derived
      change(&definitions)
      return definitions.derivedColumns(of: "events")
    }
    let stored = DerivedColumns(seenAt: "ts")
    #expect(changed { $0.eventTypes[1].columns.removeAll { $0.name == "event_id" } } == stored)
    #expect(changed { $0.eventTypes[0].explode = Explode(path: FieldPath("items")) } == stored)
    #expect(
      changed { set in
        for index in set.eventTypes[1].columns.indices { set.eventTypes[1].columns[index].expression += " + 'x'" }
      } == stored)
  }
}
