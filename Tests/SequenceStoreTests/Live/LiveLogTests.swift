import Arrow
import Buffers
import Engine
import Frames
import Glibc
import SequenceStore
import Synchronization
import TestSupport
import Testing

@Suite struct LiveLogTests {
  private static let directory = LiveDirectory(StoreDirectory("/store"), .first)

  /// Frames that are acknowledged or were flushed are in the log, in order and unharmed, whatever happens to the machine:
  /// power cuts, kills, a disk that fails at any call, a disk that fills up.
  @Test(arguments: 0..<300) func whatIsDurableOutlastsEverything(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let disk = SimulatedDisk(seed: UInt64(seed) &+ 1_000)
    var frames: [LiveFrame] = []
    var safeCount = 0
    for _ in 0..<6 {
      let acknowledged = Mutex<Int64>(-1)
      var observers = LiveLog.Observers()
      observers.acknowledge = { controls in
        for case .position(_, _, let offset) in controls { acknowledged.withLock { $0 = offset } }
      }
      var options = LiveLog.Options()
      options.segmentByteCount = Int.random(in: 100...4_000, using: &random)
      let log = try LiveLog(Self.directory, covered: 0, options: options, observers: observers, files: disk)
      // Frames that nobody was told about may be there or not, but only as a beginning of what was sent.
      let found = try Self.frames(on: disk)
      #expect(found.count >= safeCount, "seed \(seed)")
      #expect(found == Array(frames.prefix(found.count)).map(\.bytes), "seed \(seed)")
      frames = Array(frames.prefix(found.count))
      safeCount = found.count

      disk.failsAfter(Int.random(in: 0...60, using: &random), ofSome: &random)
      var isClosed = false
      do {
        for _ in 0..<Int.random(in: 0...40, using: &random) {
          let frame = LiveFrame(number: frames.count, &random)
          frames.append(frame)
          try log.append(frame.bytes, acknowledging: frame.control)
          guard Int.random(in: 0..<6, using: &random) == 0 else { continue }
          try log.flush()
          safeCount = frames.count
        }
        if Bool.random(using: &random) {
          isClosed = true
          try log.close()
          safeCount = frames.count
        }
      } catch {}
      let (isCrash, isKill) = (Bool.random(using: &random), Bool.random(using: &random))
      if isCrash { disk.crash() } else if isKill { disk.kill() }
      if !isClosed { try? log.close() }
      safeCount = max(safeCount, Int(acknowledged.withLock { $0 }) + 1)
      disk.kill()
    }
    let log = try LiveLog(Self.directory, covered: 0, files: disk)
    let found = try Self.frames(on: disk)
    #expect(found.count >= safeCount && found == Array(frames.prefix(found.count)).map(\.bytes), "seed \(seed)")
    try log.close()
  }

  /// The process dies at any call while it opens a log, and the machine at any call while the next one does.
  @Test(arguments: 0..<10) func aLogThatWasOpenedInVainIsOpenedAgain(first: Int) throws {
    for second in 0..<10 {
      for seed in 0..<8 as Range<UInt64> {
        let disk = SimulatedDisk(seed: seed)
        let killed = Self.begin(on: disk, calls: first) { disk.kill() }
        let durable = max(killed, Self.begin(on: disk, calls: second) { disk.crash() })
        let log = try LiveLog(Self.directory, covered: 0, files: disk)
        #expect(log.durable >= durable, "calls \(first) and \(second), seed \(seed)")
        try log.close()
      }
    }
  }

  /// Opens a log on a disk that fails after so many calls, and adds a frame; answers how far that was durable.
  private static func begin(on disk: SimulatedDisk, calls: Int, death: () -> Void) -> DurableMarker {
    var random = SeededRandom(seed: UInt64(calls))
    disk.state.update { $0.callsUntilFailure = calls }
    let log = try? LiveLog(directory, covered: 0, files: disk)
    try? log?.append(LiveFrame(number: calls, &random).bytes)
    try? log?.flush()
    let durable = log?.durable ?? DurableMarker(segment: 0, byteCount: 0)
    death()
    try? log?.close()
    return durable
  }

  /// All frames of the log, as far as its marker says that they are durable.
  private static func frames(on disk: SimulatedDisk) throws -> [Buffer] {
    let marker = try #require(disk.content(directory.durable).flatMap { DurableMarker(Buffer($0)) })
    let numbers = try disk.names(in: directory.path).compactMap(LiveDirectory.segmentNumber).sorted()
    var frames: [Buffer] = []
    for number in numbers where number <= marker.segment {
      let bytes = try #require(disk.content(directory.segment(number)))
      let count = number == marker.segment ? Int(marker.byteCount) : bytes.count
      var splitter = FrameSplitter(over: Buffer(Array(bytes.prefix(count))))
      while let frame = try splitter.next() {
        _ = try frame.decode()
        frames.append(frame.bytes)
      }
      try splitter.finish()
    }
    return frames
  }

  @Test func aFullDiskStopsIntakeUntilThereIsRoom() throws {
    let disk = SimulatedDisk(seed: 1)
    var random = SeededRandom(seed: 1)
    let said = Mutex<[String]>([])
    var observers = LiveLog.Observers()
    observers.report = { line in said.withLock { $0.append(line) } }
    let log = try LiveLog(Self.directory, covered: 0, observers: observers, files: disk)
    let frames = (0..<20).map { LiveFrame(number: $0, &random) }
    for frame in frames.prefix(10) { try log.append(frame.bytes) }
    try log.flush()
    disk.room = disk.byteCount + 10
    for frame in frames.dropFirst(10) { try log.append(frame.bytes) }
    while said.withLock({ $0.isEmpty }) { usleep(1_000) }
    #expect(try Self.frames(on: disk) == frames.prefix(10).map(\.bytes))
    disk.room = .max
    try log.flush()
    #expect(try Self.frames(on: disk) == frames.map(\.bytes))
    try log.close()
    #expect(
      said.withLock { $0 } == [
        "/store/live/00/000001.frames: the disk is full: intake waits until there is room",
        "there is room again: intake goes on",
      ])
  }

  @Test func aFullDiskNeedNotBeWaitedFor() throws {
    let disk = SimulatedDisk(seed: 1)
    var random = SeededRandom(seed: 1)
    var observers = LiveLog.Observers()
    observers.waitsForRoom = { false }
    let log = try LiveLog(Self.directory, covered: 0, observers: observers, files: disk)
    disk.room = disk.byteCount + 10
    try log.append(LiveFrame(number: 0, &random).bytes)
    let error = #expect(throws: LiveLogError.self) { try log.close() }
    #expect(
      "\(try #require(error))"
        == "/store/live/00/000001.frames: the disk stayed full; 1 frames that came last are not stored, nor acknowledged"
    )
  }

  @Test func oneWriterHasAShard() throws {
    let directory = TemporaryDirectory()
    let live = LiveDirectory(StoreDirectory(directory.path), .first)
    let log = try LiveLog(live, covered: 0)
    let error = #expect(throws: LiveLogError.self) { try LiveLog(live, covered: 0) }
    #expect("\(try #require(error))".contains("live/00: another seq-index writes this shard: process \(getpid()) on "))
    try log.close()
    try LiveLog(live, covered: 0).close()
  }

  @Test func aSegmentEndsByAge() throws {
    let directory = TemporaryDirectory()
    let live = LiveDirectory(StoreDirectory(directory.path), .first)
    var random = SeededRandom(seed: 1)
    var options = LiveLog.Options()
    options.segmentSeconds = 0.05
    let ended = Monitor<[UInt64]>([])
    var observers = LiveLog.Observers()
    observers.segmentEnded = { segment in ended.update { $0.append(segment) } }
    let log = try LiveLog(live, covered: 7, options: options, observers: observers)
    try log.append(LiveFrame(number: 0, &random).bytes)
    #expect(ended.wait(until: { !$0.isEmpty }, seconds: 200, then: { $0 }) == [8])
    usleep(200_000)
    try log.close()
    #expect(try live.segments() == [8, 9], "an empty segment does not end")
    #expect(try live.durableMarker() == DurableMarker(segment: 9, byteCount: 0))
  }

  @Test func whatWasSyncedAndIsGoneIsSaid() throws {
    let directory = TemporaryDirectory()
    let live = LiveDirectory(StoreDirectory(directory.path), .first)
    var random = SeededRandom(seed: 1)
    let log = try LiveLog(live, covered: 0)
    try log.append(LiveFrame(number: 0, &random).bytes)
    try log.close()
    #expect((unsafe truncate(live.segment(1), 5)) == 0)
    let error = #expect(throws: LiveLogError.self) { try LiveLog(live, covered: 0) }
    #expect("\(try #require(error))".contains("000001.frames: it has 5 bytes where "))
    unsafe unlink(live.segment(1))
    let other = #expect(throws: LiveLogError.self) { try LiveLog(live, covered: 0) }
    #expect("\(try #require(other))".contains("000001.frames: it is gone, and no table has its rows"))
    unsafe unlink(live.durable)
    try LiveLog(live, covered: 0).close()
  }

  @Test func aGibibyteIsRecoveredInSeconds() throws {
    let directory = TemporaryDirectory()
    let live = LiveDirectory(StoreDirectory(directory.path), .first)
    var options = LiveLog.Options()
    options.segmentByteCount = 64 << 20
    var log = try LiveLog(live, covered: 0, options: options)
    let content = ArrowArray(.int64, (0..<(1 << 17)).map { Int64($0) })
    let frame = FrameEncoder(compression: .stored).encode(
      RecordBatch(Schema([Field("n", .int64)]), [content], rowCount: 1 << 17))
    let count = (1 << 28) / frame.bytes.byteCount
    for _ in 0..<count { try log.append(frame.bytes) }
    try log.close()
    // As after a power cut: the marker is lost, and the last frame is torn.
    unsafe unlink(live.durable)
    let last = try #require(try live.segments().last)
    let start = monotonicNanoseconds()
    log = try LiveLog(live, covered: 0, options: options)
    let seconds = Double(monotonicNanoseconds() - start) / 1e9
    #expect(seconds < 5, "\(seconds) s")
    #expect(log.durable.segment == last)
    try log.close()
  }
}

/// A small frame whose content tells its place in the log.
private struct LiveFrame {
  let bytes: Buffer
  /// What acknowledges it, if it is a control frame.
  let control: Control?

  init(number: Int, _ random: inout SeededRandom) {
    let encoder = FrameEncoder(compression: Bool.random(using: &random) ? .stored : .level(1))
    if Int.random(in: 0..<3, using: &random) == 0 {
      let control = Control.position(source: "log", partition: nil, offset: Int64(number))
      (bytes, self.control) = (encoder.encode(control).bytes, control)
    } else {
      let rows = (0..<Int.random(in: 1...40, using: &random)).map { Int64(number * 100 + $0) }
      let batch = RecordBatch(Schema([Field("n", .int64)]), [ArrowArray(.int64, rows)], rowCount: rows.count)
      (bytes, control) = (encoder.encode(batch).bytes, nil)
    }
  }
}

extension SimulatedDisk {
  /// Has one disk in three fail for good after so many calls.
  fileprivate func failsAfter(_ calls: Int, ofSome random: inout SeededRandom) {
    let fails = Int.random(in: 0..<3, using: &random) == 0
    if fails { state.update { $0.callsUntilFailure = calls } }
  }
}
