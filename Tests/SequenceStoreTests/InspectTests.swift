import Arrow
import Engine
import Glibc
import SequenceStore
import TestSupport
import Testing

@Suite struct InspectTests {
  @Test func aScanGivesEventsThatCanBeIndexedAgain() throws {
    let (test, copy) = (try TestStore(), try TestStore())
    let events = TestStore.events(3_000)
    try test.index(events)
    let indexer = try StoreIndexer(copy.store, definitions: copy.definitions, replacing: .all)
    let snapshot = try StoreSnapshot(test.store)
    for name in snapshot.datasetNames {
      for number in 0..<5 {
        let day = Day(TestStore.day0.number + Int32(number))
        let scan = try DatasetScan(snapshot, dataset: name, range: .days(day...day))
        #expect(scan.schema.metadata[MetadataKey.order] == "user")
        try scan.forEachBatch(limit: 100) { try indexer.add($0) }
      }
    }
    _ = try indexer.commit()
    #expect(
      try copy.store.dataset("events").snapshot().files.map(\.path)
        == test.store.dataset("events").snapshot().files.map(\.path))
  }

  @Test func aScanHasTheWantedColumns() throws {
    let test = try TestStore()
    try test.index(TestStore.events(300))
    let snapshot = try StoreSnapshot(test.store)
    let scan = try DatasetScan(snapshot, dataset: "events", columns: ["text"])
    #expect(scan.schema.fields.map(\.name).suffix(2) == ["retracted", "text"])
    #expect(throws: StoreError.self) { try DatasetScan(snapshot, dataset: "events", columns: ["nothing"]) }
    #expect(throws: StoreError.self) { try DatasetScan(snapshot, dataset: "nothing") }
  }

  @Test func aReportCountsWhatIsThere() throws {
    let test = try TestStore()
    let events = TestStore.events(3_000)
    try test.index(events)
    let report = try DatasetReport(StoreSnapshot(test.store), dataset: "events")
    #expect(report.rowCount == events.count { $0.dataset == "events" })
    #expect(report.eventTypes["save"] == events.count { $0.type == "save" })
    #expect(report.fileCount == 5 && report.bucketCount == 5)
    let columns = report.columns.reduce(0) { $0 + $1.compressedByteCount }
    #expect(columns + report.bloomFilterByteCount + report.pageIndexByteCount < report.byteCount)
    #expect(report.json["rows"]?.integer == Int64(report.rowCount) && report.text.contains("event_key"))
  }

  @Test(arguments: ["int64", "string"]) func aSoundDatasetHasNoProblems(userType: String) throws {
    let test = try TestStore(userType: userType)
    try test.index(TestStore.events(20_000))
    let found = try DatasetVerification(StoreSnapshot(test.store), dataset: "events")
    #expect(found.problems.isEmpty && found.fileCount == 5)
  }

  @Test func aFlippedByteIsFound() throws {
    let test = try TestStore()
    try test.index(TestStore.events(5_000))
    let file = try #require(try test.store.dataset("events").snapshot().files.first)
    let path = test.store.dataset("events").location(of: file)
    let handle = unsafe fopen(path, "r+")
    unsafe fseek(handle, 5_000, SEEK_SET)
    let byte = unsafe fgetc(handle)
    unsafe fseek(handle, 5_000, SEEK_SET)
    unsafe fputc(byte ^ 0x10, handle)
    unsafe fclose(handle)
    let found = try DatasetVerification(StoreSnapshot(test.store), dataset: "events")
    #expect(found.problems.count == 1 && found.problems[0].path == path)
  }

  @Test func filesOfProcessesThatAreGoneAreRemoved() throws {
    let test = try TestStore()
    try test.index(TestStore.events(10))
    test.directory.write("x", to: "store/tmp/events-2026-11-18.1.999999999.tmp")
    test.directory.write("x", to: "store/tmp/events-2026-11-18.1.\(getpid()).tmp")
    try test.index(TestStore.events(10))
    #expect(SharedData.names(in: test.store.temporary) == ["events-2026-11-18.1.\(getpid()).tmp"])
  }
}
