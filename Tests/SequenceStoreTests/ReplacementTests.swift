import Definitions
import DeltaLog
import SequenceStore
import TestSupport
import Testing

/// Replacing days while events arrive that the batch cannot have.
@Suite struct ReplacementTests {
  private static let day = TestStore.day0
  private static let dayMicros: Int64 = 86_400_000_000

  private static func event(_ key: Int64, day: Int64 = 0, seen: Int64, revision: Int32 = 0) -> TestEvent {
    let micros = TestStore.day0.startMicros + day * dayMicros + key
    return TestEvent(user: key % 7, micros: micros, seen: micros + seen, key: key, revision: revision, item: key)
  }

  @Test func whatArrivedAfterTheHorizonIsCarriedOver() throws {
    let test = try TestStore()
    let early = (0..<50).map { Self.event($0, seen: 10) }
    let late = (50..<60).map { Self.event($0, seen: 1_000_000) }
    try test.index(early + late)
    let batch = (20..<55).map { Self.event($0, seen: 10) }
    let counts = try #require(try test.index(batch, replacing: .days(Self.day...Self.day))["events"])
    // Of the late ones 50..<55 are in the batch, too, as seen before; each event is to be read once.
    #expect(counts.rowsCarriedOver == 10 && counts.rowsReplaced == 50)
    #expect(counts.horizonMicros == batch.map(\.seen).max())
    #expect(Set(try test.scan("events").map(\.key)) == Set(20..<60))
    let again = try #require(try test.index(batch, replacing: .days(Self.day...Self.day))["events"])
    #expect(again.version == nil && again.rowsReplaced == 0 && again.rowsCarriedOver == 10)
    #expect(SharedData.names(in: test.store.temporary).isEmpty)
  }

  @Test func ofOtherDaysOnlyWhatIsMissingIsAdded() throws {
    let test = try TestStore()
    try test.index((0..<50).map { Self.event($0, day: 1, seen: 10) })
    let corrected = Self.event(30, day: 1, seen: 20, revision: 1)
    let batch = (25..<75).filter { $0 != 30 }.map { Self.event($0, day: 1, seen: 10) } + [corrected]
    let days = DayRange.days(Self.day...Self.day)
    for _ in 0..<2 {
      try test.index(batch, replacing: days)
      let table = test.store.dataset("events")
      let batches = try table.batches(of: try table.snapshot())
      #expect(batches.reduce(0) { $0 + $1.rowCount } == 50 + 25 + 1)
      #expect(Set(try test.scan("events").map(\.key)) == Set(0..<75))
    }
    #expect(SharedData.names(in: test.store.temporary).isEmpty)
  }

  @Test func theHorizonIsRecordedAndNeverGoesBack() throws {
    let test = try TestStore()
    let days = DayRange.days(Self.day...Self.day)
    try test.index([Self.event(1, seen: 100)], replacing: days)
    let first = ReplacementHorizons(try test.store.dataset("events").snapshot())
    #expect(first[Self.day] == Self.event(1, seen: 100).seen)
    #expect(first[Day(Self.day.number + 1)] == nil)
    try test.index([Self.event(1, seen: 50)], replacing: days)
    #expect(ReplacementHorizons(try test.store.dataset("events").snapshot()) == first)
    try test.index([Self.event(1, seen: 200)], replacing: .all)
    let last = ReplacementHorizons(try test.store.dataset("events").snapshot())
    #expect(last[Day(0)] == Self.event(1, seen: 200).seen && last[Self.day] == last[Day(0)])
  }

  /// Late rows of which some are there keep the columns that the table gets with them.
  @Test func lateRowsBringNewColumns() throws {
    let test = try TestStore()
    var earlier = test
    let source = TestStore.source.replacing(", \"text\": \"text\"}", with: "}").replacing(", \"text\"]", with: "]")
      .replacing(" || text != null", with: "").replacing("\"text\", \"2d\"", with: "\"event_type\", \"2d\"")
      .replacing("USER", with: "int64").replacing("ARRIVAL", with: "arrival='seen',").replacing("ID ", with: "")
    test.directory.write(source, to: "earlier.py")
    earlier.definitions = try AuthoringModule.find().compile(test.directory.path + "/earlier.py")
    try CompactionTests.add([Self.event(1, seen: 5)], to: earlier)
    var new = Self.event(2, seen: 5)
    new.text = "new"
    try CompactionTests.add([Self.event(1, seen: 5), new], to: test)
    try CompactionTests.compact(test)
    #expect(try CompactionTests.content(test) == [Self.event(1, seen: 5), new])
  }

  /// What a batch run saw and left out stays out, also where it had no row for a dataset that has no table yet.
  @Test func aHorizonIsRecordedWhereThereIsNoTable() throws {
    let test = try TestStore()
    var view = Self.event(1, seen: 50)
    view.type = "view"
    try test.index([Self.event(2, seen: 100)], replacing: .days(Self.day...Self.day))
    var settling = LiveRun.Options()
    settling.settles = true
    #expect(try test.stream([view], settling).rolled.staleRows == 1)
    view.seen = Self.event(2, seen: 101).seen
    #expect(try test.stream([view], settling).rolled.staleRows == 0)
    #expect(try test.scan("views") == [view])
  }

  @Test func aDayOfAnEmptyInputIsEmptiedUpToItsEnd() throws {
    let test = try TestStore()
    try test.index([Self.event(1, seen: 10), Self.event(2, seen: Self.dayMicros * 2)])
    try test.index([], replacing: .days(Self.day...Self.day))
    #expect(try test.scan("events").map(\.key) == [2])
  }

  @Test func wholeMonthsHaveOneHorizon() throws {
    let test = try TestStore()
    let first = try #require(Day("2026-08-30"))
    try test.index([Self.event(1, seen: 1)], replacing: .days(first...Day("2026-11-18")!))
    let snapshot = try test.store.dataset("events").snapshot()
    let names = snapshot.transactions.keys.filter { $0.hasPrefix("seqline.horizon/") }.map { $0.dropFirst(16) }
    #expect(names.sorted().prefix(3) == ["2026-08-30", "2026-08-31", "2026-09"])
    #expect(names.count == 2 + 2 + 18)
    let horizons = ReplacementHorizons(snapshot)
    #expect(horizons[Day("2026-08-29")!] == nil && horizons[Day("2026-09-15")!] != nil)
  }
}
