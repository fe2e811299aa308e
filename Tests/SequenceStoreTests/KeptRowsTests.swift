import SequenceStore
import TestSupport
import Testing

/// What is kept of users' rows changes no answer, whatever becomes of the files that it was read of.
@Suite struct KeptRowsTests {
  /// One cache for all snapshots; days are replaced, with fewer events and with none, and files compacted between reads.
  @Test(arguments: ["all", "derived", "merged", "vectors"], [64 << 20, 300_000])
  func answersAreThoseOfFilesThatComeAndGo(name: String, byteLimit: Int) throws {
    let test = try TestStore()
    var random = SeededRandom(seed: UInt64(byteLimit))
    let events = TestStore.events(2_000, days: 9)
    try test.index(events)
    let plan = try test.plan(name)
    let cache = PageCache(byteLimit: byteLimit)
    var snapshot = try StoreSnapshot(test.store)
    for round in 0..<8 {
      let reader = SequenceReader(snapshot, cache: cache)
      // The same users in each round, twice, and each time for windows of their own.
      for (_, request) in SequenceReaderTests.requests(plan, text: false).prefix(20) {
        for _ in 0..<2 {
          var request = request
          request.columns = plan.definition.fields
          if let from = request.fromMicros { request.fromMicros = from + Int64(random.next() % 90_000) * 1_000_000 }
          if round % 3 == 0 { request.untilMicros = nil }
          let (found, wanted) = (
            try reader.read(request, of: plan), try SequenceReader(snapshot).read(request, of: plan)
          )
          #expect(
            found.events.allRows == wanted.events.allRows,
            "\(round) \(request.fromMicros ?? 0) \(request.untilMicros ?? 0) \(request.last)")
          #expect(
            found.cut == wanted.cut, "\(round) \(request.fromMicros ?? 0) \(request.untilMicros ?? 0) \(request.last)")
        }
      }
      switch round % 4 {
      case 3: try CompactionTests.compact(test)
      default:
        let day = Day(TestStore.day0.number + Int32(random.next() % 9))
        let share = [0, 2, 3][round % 4]
        let left = events.filter { Day(micros: $0.micros) == day && share > 0 && Int($0.key) % share == 0 }
        try test.index(left, replacing: .days(day...day))
      }
      snapshot = try StoreSnapshot(test.store, reusing: snapshot)
    }
  }

  /// What tells rows apart is not kept of users whose files have nothing but first rows of events, each day in one file. Then
  /// doubles, corrections and retractions come, of those days and others.
  @Test(arguments: UInt64(1)...4) func whatTellsRowsApartIsReadOnceItIsNeeded(seed: UInt64) throws {
    let test = try TestStore()
    var history = CompactionTests.history(seed: seed)
    for index in history.indices where index % 3 == 0 { history[index].micros -= history[index].micros % 600_000_000 }
    try test.index(Array(history.prefix(400)))
    let plan = try test.plan()
    let columns = plan.columns.filter { ["ts", "event_type", "item_id", "text"].contains($0.name) }
    let (cache, users) = (PageCache(byteLimit: 64 << 20), Set(history.map(\.user)))
    for start in stride(from: 400, through: history.count, by: 30) {
      let snapshot = try StoreSnapshot(test.store)
      for user in users.sorted() {
        for last in [1_000, 1_000, 7] {
          let request = SequenceRequest(user: .integer(user), last: last, columns: columns)
          let found = try SequenceReader(snapshot, cache: cache).read(request, of: plan)
          let wanted = try SequenceReader(snapshot).read(request, of: plan)
          #expect(found.events.allRows == wanted.events.allRows, "\(start) \(user) \(last)")
        }
      }
      try CompactionTests.add(Array(history[start..<min(start + 30, history.count)]), to: test)
    }
  }

  @Test func whoeverAsksAgainIsAnsweredWithoutLookingForFiles() throws {
    let test = try TestStore()
    try test.index(TestStore.events(20_000, days: 9))
    let plan = try test.plan()
    let (snapshot, cache) = (try StoreSnapshot(test.store), PageCache(byteLimit: 64 << 20))
    let reader = SequenceReader(snapshot, cache: cache)
    func lookups(last: Int, from: Int64? = nil, until: Int64? = nil) throws -> Int {
      let before = cache.statistics
      _ = try reader.read(
        SequenceRequest(user: .integer(7), last: last, fromMicros: from, untilMicros: until, columns: plan.columns),
        of: plan)
      return cache.statistics.hits + cache.statistics.misses - before.hits - before.misses
    }
    let (start, day) = (TestStore.day0.startMicros, Int64(86_400_000_000))
    #expect(try lookups(last: 10_000, from: start + 3 * day) > 2)
    // Both datasets' rows are looked for, and nothing else.
    #expect(try lookups(last: 10_000, from: start + 3 * day) == 2)
    #expect(try lookups(last: 10, from: start + 4 * day, until: start + 8 * day) == 2)
    #expect(try lookups(last: 10_000) > 2)
    #expect(try lookups(last: 10_000) == 2)
    #expect(try lookups(last: 10_000, until: start) == 2)
  }

  /// Of a user with an event a day a day's row takes some 50 bytes, the file's place 40; what is known of days, as much again, is
  /// the same for all.
  @Test func whatUsersHaveInCommonIsKeptOnce() throws {
    let test = try TestStore()
    let (users, days) = (Int64(50), Int64(60))
    try test.index(
      (0..<users * days).map { number in
        let micros = TestStore.day0.startMicros + number / users * 86_400_000_000
        return TestEvent(user: number % users, micros: micros, key: number)
      })
    let plan = try test.plan()
    let cache = PageCache(byteLimit: 64 << 20)
    let reader = SequenceReader(try StoreSnapshot(test.store), cache: cache)
    var byteCounts: [Int] = []
    for user in 0..<users {
      let columns = plan.columns.filter { $0.name == "ts" }
      let found = try reader.read(SequenceRequest(user: .integer(user), last: 1_000, columns: columns), of: plan)
      #expect(found.events.rowCount == Int(days))
      byteCounts.append(cache.statistics.byteCount)
    }
    let each = (byteCounts.last! - byteCounts[1]) / (byteCounts.count - 2)
    #expect(each > Int(days) * 40 && each < Int(days) * 120, "\(each) bytes for \(days) days")
  }
}
