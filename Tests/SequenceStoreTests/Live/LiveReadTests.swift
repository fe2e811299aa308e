import Arrow
import ArrowKernels
import JSONText
import SequenceStore
import TestSupport
import Testing

/// What a read makes of the live log's rows beside the tables'.
@Suite struct LiveReadTests {
  private let test: TestStore
  private let log: WrittenLog
  private let index = LiveIndex()
  private let follower: LiveFollower

  init() throws {
    test = try TestStore()
    log = try WrittenLog(test.store)
    follower = try LiveFollower(test.store, into: index, handlers: FollowerEvents().handlers())
  }

  private static let noon = TestStore.day0.startMicros + 43_200_000_000

  private func append(_ events: [TestEvent]) throws {
    for dataset in ["events", "views"] {
      let own = events.filter { $0.dataset == dataset }
      if !own.isEmpty { log.append([test.batch(own, dataset: dataset)]) }
    }
    try follower.catchUp()
  }

  private func read(
    _ sequence: String = "all", last: Int = 100, from: Int64? = nil, caps: [String: Int] = [:]
  ) throws -> (items: [Int64], cut: Set<SequenceEvents.Cut>) {
    let plan = try test.plan(sequence)
    let request = SequenceRequest(
      user: .integer(1), last: last, caps: caps, fromMicros: from, columns: plan.columns.filter { $0.name == "item_id" }
    )
    let rows = index.rows(of: request.user, in: plan.datasets)
    let found = try #require(try SequenceReader(StoreSnapshot(test.store)).read(request, of: plan, live: rows))
    return (found.events.allRows.map { $0["item_id"]!.integer! }, found.cut)
  }

  private func event(
    _ key: Int64, at offset: Int64 = 0, _ revision: Int32 = 0, seen: Int64 = 1, type: String = "save",
    isRetracted: Bool = false, item: Int64
  ) -> TestEvent {
    TestEvent(
      user: 1, micros: Self.noon + offset, seen: seen, type: type, key: key, revision: revision,
      isRetracted: isRetracted, item: item)
  }

  @Test func liveRowsTakeTheirPlacesAmongStoredOnes() throws {
    let day: Int64 = 86_400_000_000
    try test.index([event(1, item: 51), event(2, at: day, item: 52), event(3, at: 3 * day, item: 53)])
    try append(
      [
        event(11, at: -1, item: 61), event(12, at: 1, item: 62), event(13, at: 2 * day, item: 63),
        event(14, at: 4 * day, item: 64), event(15, at: -40 * day, item: 65),
      ].map { TestEvent(user: 1, micros: $0.micros, seen: 9, type: $0.type, key: $0.key, item: $0.item) })
    #expect(try read().items == [65, 61, 51, 62, 52, 63, 53, 64])
    #expect(try read(last: 3).items == [63, 53, 64] && read(last: 3).cut == [.length])
    #expect(try read(last: 8).cut == [] && read(last: 7).cut == [.length])
    #expect(try read(from: Self.noon).items == [51, 62, 52, 63, 53, 64] && read(from: Self.noon).cut == [.window])
    #expect(try read(caps: ["save": 2]).items == [53, 64] && read(caps: ["save": 2]).cut == [.cap])
  }

  /// Rows that are merged into large batches, which share what they have in common, are the rows that came.
  @Test func rowsOfManyFramesAreFoundInLargeBatches() throws {
    let texts = ["a", "b", nil]
    for part in 0..<20 as Range<Int64> {
      try append(
        (part * 7_000..<(part + 1) * 7_000).map { row in
          TestEvent(
            user: row % 700, micros: Self.noon + row, seen: 1, type: "save", key: row, item: row,
            text: texts[Int(row % 3)])
        })
    }
    #expect(try read(last: 500).items == (0..<200 as Range<Int64>).map { $0 * 700 + 1 })
    let rowByteCount = index.statistics.byteCount / 140_000
    #expect(index.statistics.rowCounts["events"] == 140_000 && (40..<90).contains(rowByteCount))
  }

  @Test func ofOneTimeTypeAndKeyDecide() throws {
    try test.index([event(5, type: "click", item: 1), event(1, type: "save", item: 3)])
    try append([event(6, seen: 9, type: "click", item: 2), event(0, seen: 9, type: "save", item: 9)])
    #expect(try read().items == [1, 2, 9, 3])
  }

  @Test func theHighestRevisionHoldsBeforeTheFilterDecides() throws {
    try test.index([event(1, item: 60), event(2, 3, item: 61), event(3, item: 10), event(4, item: 62)])
    try append([
      event(1, 1, seen: 9, item: 10), event(2, 2, seen: 9, item: 90), event(3, 1, seen: 9, item: 63),
      event(4, at: 5, seen: 9, item: 91),
    ])
    #expect(try read("saves").items == [61, 63, 62])
  }

  @Test func correctionsAndDuplicatesWithinTheLogAreSettled() throws {
    try append([event(1, item: 51), event(1, item: 51), event(2, item: 52), event(2, 1, item: 53), event(2, item: 52)])
    #expect(try read().items == [51, 53])
  }

  @Test func aLiveRetractionHidesLowerRevisionsOnly() throws {
    try test.index([event(1, item: 51), event(2, 2, item: 52)])
    try append([
      event(1, 1, seen: 9, isRetracted: true, item: 0), event(2, 1, seen: 9, isRetracted: true, item: 0),
      event(3, seen: 9, item: 53), event(3, 1, seen: 9, isRetracted: true, item: 0),
    ])
    #expect(try read().items == [52])
  }

  @Test func aStoredRetractionHidesLiveRows() throws {
    try test.index([event(1, 1, isRetracted: true, item: 0), event(2, item: 52)])
    try append([event(1, seen: 9, item: 51)])
    #expect(try read().items == [52])
  }

  @Test func whatAReplacementHadSeenIsGoneFromTheLog() throws {
    let range = DayRange.days(TestStore.day0...TestStore.day0)
    try append([
      event(1, seen: 5, item: 51), event(2, seen: 20, item: 52), event(3, at: 86_400_000_000, seen: 5, item: 53),
    ])
    try test.index([event(4, seen: 10, item: 54)], replacing: range)
    #expect(try read().items == [52, 54, 53])
  }

  /// Nil when more than the newest live rows are needed.
  private func read(newest limit: Int, last: Int, from: Int64? = nil, meter: ReadMeter? = nil) throws -> [Int64]? {
    let plan = try test.plan()
    let request = SequenceRequest(
      user: .integer(1), last: last, fromMicros: from, columns: plan.columns.filter { $0.name == "item_id" })
    let rows = index.rows(of: request.user, in: plan.datasets, newest: limit)
    let found = try SequenceReader(StoreSnapshot(test.store), meter: meter).read(request, of: plan, live: rows)
    return found?.events.allRows.map { $0["item_id"]!.integer! }
  }

  @Test func ofManyLiveRowsTheNewestAreEnough() throws {
    let second: Int64 = 1_000_000
    try test.index((0..<50).map { event(1_000 + $0, at: ($0 - 100) * second, item: $0) })
    // Each frame's events are newer than those of the one before, but for one that is late, and one that is taken back or
    // moved to another time.
    for frame in 0..<20 as Range<Int64> {
      try append(
        (0..<10).map { event(frame * 10 + $0, at: (frame * 10 + $0) * second, seen: 9, item: 100 + frame * 10 + $0) }
          + [
            event(500 + frame, at: (frame - 30) * second, seen: 9, item: 400 + frame),
            event(frame * 10, at: second / 2, 1, seen: 9, isRetracted: frame % 2 == 1, item: 500 + frame),
          ])
    }
    let all = try read(last: .max).items
    #expect(all.count == 50 + 200 - 10 + 20)
    for limit in 0..<300 {
      for last in [1, 5, 20, 60, 150, 280] {
        if let found = try read(newest: limit, last: last) { #expect(found == all.suffix(last)) }
      }
      if let found = try read(newest: limit, last: 1_000, from: Self.noon + 150 * second) {
        #expect(found == all.suffix(45))
      }
    }
    #expect(try read(newest: 40, last: 20) != nil && read(newest: 40, last: 60) == nil)
    #expect(try read(newest: 0, last: 1) == nil && read(newest: 300, last: 1_000) == all)
    // The file's events are all older than those that are found.
    let (few, many, whole) = (ReadMeter(), ReadMeter(), ReadMeter())
    _ = try (read(newest: 40, last: 20, meter: few), read(newest: 300, last: 20, meter: many))
    _ = try read(newest: 300, last: 280, meter: whole)
    #expect(few.byteCount == 0 && many.byteCount == 0 && whole.byteCount > 0)
  }

  @Test func dictionariesAndMissingColumnsAreReadAsThePlanHasThem() throws {
    let rows = (0..<300).map { event(Int64($0), at: Int64($0), item: Int64($0 % 7)) }
    let batch = test.batch(rows, dataset: "events")
    for start in stride(from: 0, to: 300, by: 3) {
      let part = batch.slice(start..<start + 3)
      var (schema, columns) = (part.schema, part.columns)
      for index in [3, 7] {
        columns[index] = columns[index].dictionaryEncoded()!
        schema.fields[index].type = columns[index].type
      }
      schema.fields.removeLast()
      log.append([RecordBatch(schema, Array(columns.dropLast()))])
    }
    try follower.catchUp()
    #expect(try read(last: 500).items == rows.map { $0.item! })
    let plan = try test.plan()
    let request = SequenceRequest(user: .integer(1), last: 1, columns: plan.columns)
    let live = index.rows(of: .integer(1), in: plan.datasets)
    let found = try #require(try SequenceReader(StoreSnapshot(test.store)).read(request, of: plan, live: live)).events
    #expect(found.schema.fields == plan.columns && found["text"]?.nullCount == 1)
    #expect(found["event_type"]?.string(0) == "save")
  }

  @Test func longSegmentsHoldTheTextsOfManyFramesOnce() throws {
    let texts = (0..<500).map { String(repeating: "\($0) ", count: 60) }
    let (frames, rowCount) = (200, 1_000)
    func text(_ row: Int) -> String { texts[row &* 7_919 % texts.count] }
    for frame in 0..<frames {
      let rows = (frame * rowCount..<(frame + 1) * rowCount).map { row in
        TestEvent(
          user: Int64(row % 5_000), micros: Self.noon + Int64(row), seen: 1, type: "save", key: Int64(row),
          item: Int64(row), text: text(row))
      }
      let batch = test.batch(rows, dataset: "events")
      var (schema, columns) = (batch.schema, batch.columns)
      columns[8] = columns[8].dictionaryEncoded()!
      schema.fields[8].type = columns[8].type
      log.append([RecordBatch(schema, columns)])
      if frame % 20 == 19 { try follower.catchUp() }
    }
    #expect(index.statistics.rowCounts == ["events": frames * rowCount])
    // A frame's texts take more than 90 bytes a row of it.
    #expect(index.statistics.byteCount < 90 * frames * rowCount)
    let plan = try test.plan()
    let request = SequenceRequest(user: .integer(1), last: 100, columns: plan.columns)
    let live = index.rows(of: .integer(1), in: plan.datasets)
    let read = try SequenceReader(StoreSnapshot(test.store)).read(request, of: plan, live: live)
    let found = try #require(read).events.allRows
    let rows = stride(from: 1, to: frames * rowCount, by: 5_000)
    #expect(found.map { $0["item_id"]!.integer! } == rows.map(Int64.init))
    #expect(found.map { $0["text"] } == rows.map { .string(text($0)) })
  }
}
