import Arrow
import Buffers
import Definitions
import DeltaLog
import Engine
import Frames
import Glibc
import SequenceStore
import Synchronization
import TestSupport
import Testing

@Suite struct LiveRunTests {
  @Test(arguments: [1, 300, 100_000]) func whatIsStreamedIsWhatABatchStores(segmentByteCount: Int) throws {
    let (batch, live) = (try TestStore(), try TestStore())
    let events = Self.events()
    try batch.index(events)
    var options = LiveRun.Options()
    options.log.segmentByteCount = segmentByteCount
    options.settles = true
    let (report, _) = try live.stream(events, options)
    #expect(report.rowsIn == events.count)
    for dataset in ["events", "views"] {
      #expect(Set(try live.scan(dataset)) == Set(try batch.scan(dataset)))
      #expect(try live.scan(dataset).count == events.count { $0.dataset == dataset && !$0.isRetracted })
      #expect(
        try live.retractions(dataset) == Set(events.filter { $0.dataset == dataset && $0.isRetracted }.map(\.key)))
    }
    #expect(try live.live.segments().count == 1, "all ended segments are gone")
    #expect(SharedData.names(in: live.store.temporary).isEmpty)
  }

  @Test func framesLieInTheLogAsTheyCame() throws {
    let test = try TestStore()
    let sent = try test.frames(Self.events())
    try test.stream(sent, LiveRun.Options())
    #expect(SharedData.contents(of: test.live.segment(1)) == sent)
    #expect(try test.live.durableMarker() == DurableMarker(segment: 1, byteCount: UInt64(sent.count)))
  }

  /// A roll that ends after any of its steps is made good by the next run: nothing is lost, nothing is there twice.
  @Test(arguments: 0..<4) func aRollThatDiesIsMadeGood(step: Int) throws {
    let test = try TestStore()
    let events = Self.events()
    var options = LiveRun.Options()
    options.log.segmentByteCount = 20_000
    options.settles = true
    options.roll.retrySeconds = 1_000
    let steps = Mutex(0)
    options.roll.observe = { _ in
      struct Death: Error {}
      let isDead = steps.withLock { count in
        count += 1
        return count > step
      }
      if isDead { throw Death() }
    }
    #expect(throws: LiveRollFailure.self) { try test.stream(events, options) }
    var rest = LiveRun.Options()
    rest.settles = true
    try test.stream([TestEvent](), rest)
    for dataset in ["events", "views"] {
      let expected = events.filter { $0.dataset == dataset && !$0.isRetracted }
      let found = try test.scan(dataset)
      #expect(found.count == expected.count)
      #expect(Set(found) == Set(expected))
      #expect(
        try test.retractions(dataset) == Set(events.filter { $0.dataset == dataset && $0.isRetracted }.map(\.key)))
    }
    #expect(try test.live.segments().count == 1)
  }

  /// A roll leaves the processors to others, unless it is behind.
  @Test func onlyRollsThatAreBehindCompete() throws {
    let test = try TestStore()
    let niceness = { @Sendable in getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) }
    /// By the number of segments that are rolled at once.
    let found = Mutex<[Int: Int32]>([:])
    var (settling, failing) = (LiveRun.Options(), LiveRun.Options())
    settling.settles = true
    settling.roll.observe = { step in
      if case .read(let segments) = step { found.withLock { $0[segments.count] = niceness() } }
    }
    failing.roll.observe = { _ in throw CancellationError() }
    failing.roll.retrySeconds = 1_000
    failing.log.segmentByteCount = 1
    try test.stream(Self.events(), settling)
    #expect(found.withLock { $0 } == [1: min(niceness() + 5, 19)])
    // Each run ends a segment at least, and the next finds them all.
    for _ in 0..<3 { _ = try? test.stream(Self.events(), failing) }
    try test.stream([TestEvent](), settling)
    #expect(found.withLock { $0.contains { $0.key > 1 && $0.value == niceness() } })
  }

  @Test func positionsAreKnownFromTheLogAndThenFromTheTables() throws {
    let test = try TestStore()
    let controls: [Control] = [
      .position(source: "a/b", partition: nil, offset: 10), .position(source: "topic", partition: 3, offset: 7),
      .position(source: "a/b", partition: nil, offset: 25),
    ]
    try test.stream(test.frames(Self.events(50), controls), LiveRun.Options())
    func check() throws {
      let positions = try SourcePositions(test.store)
      #expect(positions["a/b", nil] == 25)
      #expect(positions["topic", 3] == 7)
      #expect(positions["topic", 4] == nil)
    }
    try check()
    var settling = LiveRun.Options()
    settling.settles = true
    try test.stream([TestEvent](), settling)
    try check()
    #expect(try test.store.dataset("events").snapshot().coveredSegment(of: .first) == 1)
  }

  @Test func positionsWithoutRowsAreKept() throws {
    let test = try TestStore()
    var settling = LiveRun.Options()
    settling.settles = true
    try test.stream(test.frames([], [.position(source: "log", partition: nil, offset: 5)]), settling)
    #expect(try SourcePositions(test.store)["log", nil] == 5)
    #expect(try test.live.segments() == [2])
  }

  @Test func aDatasetWithoutRowsGetsNoCommit() throws {
    let test = try TestStore()
    var settling = LiveRun.Options()
    settling.settles = true
    try test.stream(Self.events(60).filter { $0.dataset == "views" }, settling)
    #expect(try test.store.datasetNames() == ["views"])
  }

  @Test func rowsThatABatchRunHasSeenAreLeftOut() throws {
    let test = try TestStore()
    let events = Self.events(400).filter { !$0.isRetracted }
    try test.stream(events, LiveRun.Options())
    // The batch has half of them and all of their times of arrival.
    let newest = try #require(events.map(\.seen).max())
    let kept = events.filter { $0.key % 2 == 0 || $0.seen == newest }
    try test.index(kept)
    var settling = LiveRun.Options()
    settling.settles = true
    var late = try #require(events.first)
    late.key &+= 1
    late.seen = newest + 1
    let (_, rolled) = try test.stream([late], settling)
    for dataset in ["events", "views"] {
      #expect(Set(try test.scan(dataset)) == Set((kept + [late]).filter { $0.dataset == dataset }))
    }
    #expect(rolled.staleRows > 0)
  }

  /// Several writers that read the same stream each take their part, whether it was routed or not.
  @Test(arguments: [false, true]) func shardsDealTheStream(isRouted: Bool) throws {
    let (whole, test) = (try TestStore(), try TestStore())
    let events = Self.events(600).filter { !$0.isRetracted }
    try whole.index(events)
    var definitions = test.definitions
    definitions.shardCount = 3
    var options = LiveRun.Options()
    options.settles = true
    try test.frames(events, [.position(source: "log", partition: nil, offset: 9)], routed: isRouted ? 3 : nil)
    for shard in 0..<3 {
      _ = try LiveRun(test.store, definitions: definitions, shard: Shard(shard), options: options)
        .run(StageOptions(inputs: [test.directory.path + "/in.frames"], threads: 2))
      #expect(try SourcePositions(test.store)["log", nil] == 9)
    }
    for dataset in ["events", "views"] {
      let found = try test.scan(dataset)
      #expect(found.count == events.count { $0.dataset == dataset })
      #expect(Set(found) == Set(try whole.scan(dataset)))
      let shards = try test.store.dataset(dataset).snapshot().files.map { $0.partitionValues["shard"] }
      #expect(Set(shards) == ["00", "01", "02"])
    }
    #expect(try test.store.liveShards() == [Shard(0), Shard(1), Shard(2)])
  }

  @Test func smallFilesAreMerged() throws {
    let test = try TestStore()
    var options = LiveRun.Options()
    options.settles = true
    let events = Self.events(1_200).filter { !$0.isRetracted }
    for part in 0..<20 { try test.stream(Array(events[part * 50..<part * 50 + 50]), options) }
    for dataset in ["events", "views"] {
      #expect(Set(try test.scan(dataset)) == Set(events.prefix(1_000).filter { $0.dataset == dataset }))
      let buckets = Dictionary(grouping: try test.store.dataset(dataset).snapshot().files) {
        $0.partitionValues["bucket"]
      }
      #expect(buckets.values.allSatisfy { $0.count <= 8 })
    }
  }

  @Test func eventsThatFitNoTableAreRefused() throws {
    let test = try TestStore()
    let wrong = test.batch(Self.events(10), dataset: "nowhere")
    let file = test.directory.path + "/in.frames"
    let descriptor = unsafe open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    var writer = FrameWriter(fileDescriptor: descriptor)
    try writer.write(test.batch(Self.events(10), dataset: "events"))
    try writer.write(wrong)
    try writer.finish()
    close(descriptor)
    let error = #expect(throws: StreamCutShort.self) {
      try LiveRun(test.store, definitions: test.definitions, options: LiveRun.Options())
        .run(StageOptions(inputs: [file], threads: 2))
    }
    #expect(
      "\(try #require(error))" == "the store has no dataset 'nowhere'; it has events, views; what came before is stored"
    )
    #expect(try #require(try test.live.durableMarker()).byteCount > 0)
  }

  /// Events of some days, of which some are taken back or corrected.
  private static func events(_ count: Int = 3_000) -> [TestEvent] {
    var random = SeededRandom(seed: 9)
    return TestStore.events(count).map { event in
      var event = event
      event.isRetracted = random.next() % 20 == 0
      event.revision = event.isRetracted ? 1 : 0
      if event.isRetracted { (event.item, event.text) = (nil, nil) }
      return event
    }
  }
}

extension TestStore {
  fileprivate var live: LiveDirectory { LiveDirectory(store, .first) }

  /// A stream of the events in their order, in frames of random sizes, with some controls between them and at the end.
  @discardableResult func frames(
    _ events: [TestEvent], _ controls: [Control] = [], routed count: Int? = nil
  ) throws -> [UInt8] {
    let file = directory.path + "/in.frames"
    let descriptor = unsafe open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer { close(descriptor) }
    var random = SeededRandom(seed: UInt64(events.count))
    var writer = FrameWriter(fileDescriptor: descriptor, compression: .stored)
    for dataset in ["views", "events"] {
      var rest = events.filter { $0.dataset == dataset }[...]
      while !rest.isEmpty {
        let size = min(rest.count, Int.random(in: 1...400, using: &random))
        let batch = batch(Array(rest.prefix(size)), dataset: dataset)
        for part in count.map({ ShardRouter(count: $0).routed(batch) }) ?? [batch] { try writer.write(part) }
        rest = rest.dropFirst(size)
      }
    }
    for control in controls { try writer.write(control) }
    try writer.finish()
    return try #require(SharedData.contents(of: file))
  }

  @discardableResult func stream(
    _ events: [TestEvent], _ options: LiveRun.Options
  ) throws -> (report: RunReport, rolled: LiveRollCounts) { try stream(frames(events), options) }

  @discardableResult fileprivate func stream(
    _ bytes: [UInt8], _ options: LiveRun.Options
  ) throws -> (report: RunReport, rolled: LiveRollCounts) {
    try LiveRun(store, definitions: definitions, options: options)
      .run(StageOptions(inputs: [directory.path + "/in.frames"], threads: 2))
  }

  /// The keys of the events that are gone from a dataset.
  fileprivate func retractions(_ dataset: String) throws -> Set<Int64> {
    let table = store.retractions(dataset)
    guard try table.exists() else { return [] }
    return Set(
      try table.batches(of: table.snapshot()).flatMap { batch in
        (0..<batch.rowCount).map { batch["event_key"]!.values.load($0, as: Int64.self) }
      })
  }
}
