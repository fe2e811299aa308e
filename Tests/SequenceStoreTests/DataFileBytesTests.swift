import Engine
import Glibc
import SequenceStore
import TestSupport
import Testing

/// Where readers get the bytes of data files from.
@Suite struct DataFileBytesTests {
  @Test(arguments: [1, 3]) func fewFilesAreOpenAtOnce(limit: Int) async throws {
    let test = try TestStore()
    let events = TestStore.events(5_000)
    try test.index(events)
    let plan = try test.plan()
    let snapshot = try StoreSnapshot(test.store, openFileLimit: limit)
    try snapshot.preload()
    await SequenceReaderTests.readOnThreads(snapshot, plan, events) {
      #expect(snapshot.indexes.statistics.openFileCount <= limit)
    }
  }

  @Test func filesOfASnapshotThatIsGoneAreClosed() throws {
    let test = try TestStore()
    try test.index(TestStore.events(5_000))
    let indexes = try {
      let snapshot = try StoreSnapshot(test.store)
      try snapshot.preload()
      #expect(snapshot.indexes.statistics.openFileCount > 1)
      return snapshot.indexes
    }()
    #expect(indexes.statistics.openFileCount == 0)
  }

  /// What was read of files is not the process's memory any more.
  @Test func noFileIsMapped() throws {
    let test = try TestStore()
    try test.index(TestStore.events(5_000))
    let plan = try test.plan()
    let reader = SequenceReader(try StoreSnapshot(test.store))
    for (_, request) in SequenceReaderTests.requests(plan, text: false) { _ = try reader.read(request, of: plan) }
    let maps = String(decoding: SharedData.contents(of: "/proc/self/maps") ?? [], as: UTF8.self)
    #expect(maps.contains("[stack]") && !maps.contains(test.store.path))
  }

  @Test(arguments: [true, false]) func aFileThatIsCutShortIsAnError(isOpen: Bool) throws {
    let test = try TestStore()
    try test.index(TestStore.events(5_000))
    let plan = try test.plan()
    let snapshot = try StoreSnapshot(test.store)
    if isOpen { try snapshot.preload() }
    let paths = try ["events", "views"].flatMap { name in
      let table = test.store.dataset(name)
      return try table.snapshot().files.map { table.location(of: $0) }
    }
    for path in paths { #expect(unsafe truncate(path, 40) == 0) }
    let reader = SequenceReader(snapshot)
    let error = #expect(throws: StoreError.self) {
      try reader.read(SequenceRequest(user: .integer(0), last: 50, columns: plan.columns), of: plan)
    }
    let message = try "\(#require(error))"
    #expect(paths.contains { message.contains($0) }, "\(message)")
    #expect(message.contains(isOpen ? "the file is cut short" : "not a Parquet file"), "\(message)")
  }

  @Test func whatTooManyOpenFilesAskForIsSaid() {
    let message = "\(SystemError("open", "a.parquet", code: EMFILE))"
    #expect(message == "a.parquet: cannot open: Too many open files; let the process open more, with ulimit -n")
  }
}
