import Arrow
import ArrowKernels
import DeltaLog
import SequenceStore
import TestSupport
import Testing

@Suite struct StoreIndexerTests {
  @Test(arguments: [1, 2], [100, 100_000]) func whatIsIndexedIsInTheTable(threads: Int, batchRowCount: Int) throws {
    let test = try TestStore()
    let events = TestStore.events(6_000)
    let counts = try test.index(events, batchRowCount: batchRowCount, threads: threads)
    for dataset in ["events", "views"] {
      #expect(Set(try test.scan(dataset)) == Set(events.filter { $0.dataset == dataset }))
      #expect(counts[dataset]?.rows == events.count { $0.dataset == dataset })
    }
    #expect(counts["events"]?.files == 5)
    #expect(SharedData.names(in: test.store.temporary).isEmpty)
  }

  @Test func batchesMayHaveDictionariesOfTheirOwn() throws {
    let (plain, test) = (try TestStore(), try TestStore())
    let events = TestStore.events(3_000).filter { $0.dataset == "events" }.sorted(by: TestEvent.order)
    try plain.index(events)
    var options = StoreIndexer.Options()
    options.rowGroupByteCount = 32 << 10
    let indexer = try StoreIndexer(test.store, definitions: test.definitions, replacing: .all, options: options)
    for start in stride(from: 0, to: events.count, by: 500) {
      let batch = test.batch(Array(events[start..<min(start + 500, events.count)]), dataset: "events")
      var (schema, columns) = (batch.schema, batch.columns)
      for index in columns.indices where columns[index].type == .utf8 {
        columns[index] = try #require(columns[index].dictionaryEncoded())
        schema.fields[index].type = columns[index].type
      }
      try indexer.add(RecordBatch(schema, columns, rowCount: batch.rowCount))
    }
    _ = try indexer.commit()
    let paths = try [plain, test].map { try $0.store.dataset("events").snapshot().files.map(\.path) }
    #expect(paths[0] == paths[1])
  }

  @Test func filesDependOnTheEventsAlone() throws {
    let (one, other) = (try TestStore(), try TestStore())
    let events = TestStore.events(3_000)
    try one.index(events, batchRowCount: 7, threads: 1)
    try other.index(events, batchRowCount: 100_000, threads: 2)
    let paths = try [one, other].map { try $0.store.dataset("events").snapshot().files.map(\.path) }
    #expect(paths[0] == paths[1])
  }

  @Test func aReplacedDayLeavesTheOthersAndLateEventsLandInTheirs() throws {
    let test = try TestStore()
    let (old, new) = (TestStore.events(2_000, seed: 1), TestStore.events(2_000, seed: 2))
    try test.index(old)
    let day = TestStore.day0
    let counts = try test.index(new, replacing: .days(day...day))
    let expected = old.filter { Day(micros: $0.micros) != day } + new
    #expect(Set(try test.scan("events") + test.scan("views")) == Set(expected))
    let outside = new.count { Day(micros: $0.micros) != day && $0.dataset == "events" }
    #expect(counts["events"]?.rowsOutside == outside)
    #expect(counts["events"]?.rowsReplaced == old.count { Day(micros: $0.micros) == day && $0.dataset == "events" })
    #expect(counts["events"]?.filesRemoved == 1)
  }

  @Test func replacingByTheSameChangesNothing() throws {
    let test = try TestStore()
    let events = TestStore.events(1_000)
    try test.index(events)
    let version = try test.store.dataset("events").snapshot().version
    #expect(try test.index(events)["events"]?.version == nil)
    #expect(try test.store.dataset("events").snapshot().version == version)
  }

  @Test func aDayWithoutEventsIsEmptied() throws {
    let test = try TestStore()
    try test.index(TestStore.events(500))
    try test.index([], replacing: .all)
    #expect(try test.scan("events").isEmpty)
    #expect(try test.store.dataset("events").snapshot(at: 1).files.count == 5)
  }

  @Test func whatIsNotCommittedLeavesNothing() throws {
    let test = try TestStore()
    try test.index(TestStore.events(500, seed: 1))
    let before = try test.scan("events")
    do {
      let indexer = try StoreIndexer(test.store, definitions: test.definitions, replacing: .all)
      try indexer.add(test.batch(TestStore.events(9, seed: 2).sorted(by: TestEvent.order), dataset: "events"))
    }
    #expect(Set(try test.scan("events")) == Set(before))
    #expect(SharedData.names(in: test.store.temporary).isEmpty)
  }

  @Test func eventsOutOfOrderAreAnError() throws {
    let test = try TestStore()
    var events = Array(TestStore.events(50, days: 1).filter { $0.dataset == "events" }.sorted(by: TestEvent.order))
    events.swapAt(3, 9)
    let indexer = try StoreIndexer(test.store, definitions: test.definitions, replacing: .all)
    #expect(throws: StoreError.self) {
      try indexer.add(test.batch(events, dataset: "events"))
      _ = try indexer.commit()
    }
    #expect(try !test.store.dataset("events").exists())
    #expect(SharedData.names(in: test.store.temporary).isEmpty)
  }

  @Test func retractionsAreKeptApartForTheSourcesLateness() throws {
    let test = try TestStore()
    let day = TestStore.day0.startMicros
    let lateness: Int64 = 3 * 86_400_000_000
    var events = [TestEvent(user: 1, micros: day, seen: day + lateness + 10, key: 1)]
    events.append(TestEvent(user: 2, micros: day, seen: day + 9, key: 2, revision: 1, isRetracted: true))
    events.append(TestEvent(user: 3, micros: day, seen: day + 10, key: 3, revision: 1, isRetracted: true))
    let counts = try test.index(events)
    #expect(counts["events"]?.rows == 1 && counts["events"]?.retractions == 1)
    let table = test.store.retractions("events")
    let gone = try table.batches(of: table.snapshot())
    #expect(gone.map(\.rowCount) == [1] && gone[0]["user_id"]!.values.load(0, as: Int64.self) == 3)
    // What arrived after an earlier horizon is still to come out of the stream.
    #expect(try test.index(events, horizon: day + lateness + 9)["events"]?.retractions == 2)
  }

  @Test func anotherEngineReadsTheTableAsItIs() throws {
    guard let python = SharedData.python else { return }
    let test = try TestStore()
    let events = TestStore.events(4_000)
    try test.index(events)
    let output = try runPython(
      python,
      """
      import sys, deltalake, duckdb, polars
      t = deltalake.DeltaTable(sys.argv[1]).to_pyarrow_table()
      print(len(t), sum(t["event_key"].to_pylist()) % 1000003, t["item_id"].null_count, len(set(t["bucket"].to_pylist())))
      q = "select count(*), sum(event_key::hugeint) %% 1000003, count(*) - count(item_id) from read_parquet('%s/**/*.parquet')"
      print(*duckdb.sql(q % sys.argv[1]).fetchall()[0])
      p = polars.read_delta(sys.argv[1])
      print(len(p), p["item_id"].null_count(), p["text"].n_unique())
      """, [test.store.dataset("events").path])
    let own = events.filter { $0.dataset == "events" }
    let sum = own.reduce(Int128(0)) { $0 + Int128($1.key) }
    let nulls = own.count { $0.item == nil }
    let lines = output.split(separator: "\n")
    #expect(lines[0] == "\(own.count) \((sum % 1_000_003 + 1_000_003) % 1_000_003) \(nulls) 5")
    #expect(lines[1] == "\(own.count) \(sum % 1_000_003) \(nulls)")
    #expect(lines[2] == "\(own.count) \(nulls) \(Set(own.map(\.text)).count)")
  }
}
