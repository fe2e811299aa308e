import Arrow
import Buffers
import Definitions
import Frames
import Glibc
import SequenceStore
import TestSupport
import Testing

@Suite struct LiveFollowerTests {
  private let test: TestStore
  private let index = LiveIndex()
  private let events = FollowerEvents()
  private let follower: LiveFollower

  init() throws {
    test = try TestStore()
    follower = try LiveFollower(test.store, into: index, handlers: events.handlers())
  }

  private func event(_ number: Int64, user: Int64 = 1) -> TestEvent {
    TestEvent(user: user, micros: TestStore.day0.startMicros + number, seen: 100 + number, key: number, item: number)
  }

  private func batch(_ numbers: Range<Int64>, user: Int64 = 1) -> RecordBatch {
    test.batch(numbers.map { event($0, user: user) }, dataset: "events")
  }

  private func count(_ user: Int64 = 1) -> Int { index.rows(of: .integer(user), in: ["events"]).count }

  @Test func rowsAreThereOnceTheyAreDurable() throws {
    try follower.catchUp()
    let log = try WrittenLog(test.store)
    log.append([batch(0..<3), batch(3..<5, user: 2)])
    usleep(6_000)
    try follower.catchUp()
    #expect(count() == 3 && count(2) == 2 && count(3) == 0)
    log.append(bytes: FrameEncoder(compression: .level(3)).encode(batch(5..<9)).bytes)
    try follower.catchUp()
    #expect(count() == 3)
    log.publish()
    try follower.catchUp()
    #expect(count() == 7)
    log.endSegment()
    log.append([batch(9..<10)], watermark: 77)
    try follower.catchUp()
    #expect(count() == 8 && index.watermarkMicros == 77)
    #expect(index.statistics.rowCounts == ["events": 10] && index.statistics.segments == [.first: 2])
    #expect(index.statistics.newestSeenMicros == ["click": 109])
    #expect(events.reports.isEmpty)
  }

  @Test func shardsAreFollowedEachForItself() throws {
    let logs = try (0..<3).map { try WrittenLog(test.store, Shard($0)) }
    for (number, log) in logs.enumerated() { log.append([batch(0..<Int64(number + 1), user: Int64(number))]) }
    try follower.catchUp()
    for number in 0..<3 { #expect(count(Int64(number)) == number + 1) }
  }

  @Test func segmentsThatWentUnreadAreToldBeforeLaterRowsAreShown() throws {
    let log = try WrittenLog(test.store)
    log.append([batch(0..<1)])
    try follower.catchUp()
    for segment in UInt64(1)...3 {
      log.endSegment()
      log.append([batch(10..<11)])
      log.remove(segment)
    }
    try follower.catchUp()
    #expect(events.goneCount == 1 && count() == 2)
  }

  @Test func aDamagedFrameIsReportedAndTheOthersRead() throws {
    let log = try WrittenLog(test.store)
    let frame = FrameEncoder(compression: .stored).encode(batch(0..<50)).bytes
    var bytes = (0..<frame.byteCount).map { frame.load($0, as: UInt8.self) }
    bytes[bytes.count / 2] ^= 1
    log.append(bytes: Buffer(bytes))
    log.append([batch(50..<52), RecordBatch(Schema([Field("x", .int64)]), [ArrowArray(.int64, [Int64(1)])])])
    log.append([batch(52..<53)])
    try follower.catchUp()
    #expect(count() == 3)
    #expect(events.reports.count == 2 && events.reports[0].contains("000001.frames: byte 0: the frame's checksum"))
  }

  @Test func aThreadSeesRowsWithoutBeingAsked() throws {
    follower.start()
    defer { follower.stop() }
    usleep(20_000)
    let log = try WrittenLog(test.store)
    var slowest = 0.0
    for number in Int64(0)..<200 {
      let start = Monotonic.now
      log.append([batch(number..<number + 1)])
      while count() <= number, Monotonic.now < start + 100 { usleep(50) }
      if number > 0 { slowest = max(slowest, Monotonic.now - start) }
      #expect(count() == number + 1)
      if number % 50 == 49 { log.endSegment() }
    }
    #expect(slowest < 5)
  }

  @Test(arguments: [1, 7, 5_000]) func rowsOfManyUsersAreFoundInBatchesOfAnySize(rowCount: Int) throws {
    let log = try WrittenLog(test.store)
    var random = SeededRandom(seed: UInt64(rowCount))
    let all = (0..<Int64(rowCount == 1 ? 2_000 : 20_000)).map { event($0, user: Int64(random.next() % 3_000)) }
    for start in stride(from: 0, to: all.count, by: rowCount) {
      log.append([test.batch(Array(all[start..<min(start + rowCount, all.count)]), dataset: "events")])
    }
    try follower.catchUp()
    let counts = Dictionary(grouping: all, by: \.user).mapValues(\.count)
    for user in Int64(0)..<3_000 { #expect(count(user) == counts[user] ?? 0) }
  }
}
