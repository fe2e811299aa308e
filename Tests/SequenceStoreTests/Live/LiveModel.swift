import JSONText
import SequenceStore
import TestSupport

/// All rows that came and were not taken back, and what reads must answer from them: the plainest store there can be.
struct LiveModel {
  private(set) var rows: [TestEvent] = []
  private var random: SeededRandom
  private var seen: Int64
  private var nextKey: Int64 = 0

  init(seed: UInt64) {
    random = SeededRandom(seed: seed)
    seen = TestStore.day0.startMicros + 6 * 86_400_000_000
  }

  mutating func number(below limit: Int) -> Int { Int(random.next() % UInt64(limit)) }

  /// An event for each dataset, so that both have a table.
  mutating func begin() -> [TestEvent] {
    rows = ["save", "view"].map { type in
      nextKey += 1
      return TestEvent(user: 0, micros: TestStore.day0.startMicros, type: type, key: nextKey, item: 100)
    }
    return rows
  }

  /// Events as they come: most are new, others are corrections, retractions or the same again.
  mutating func arrive(_ count: Int) -> [TestEvent] {
    let events = (0..<count).map { _ in
      seen += 1
      var event = rows.isEmpty || number(below: 3) > 0 ? newEvent() : rows[number(below: rows.count)]
      event.seen = seen
      switch number(below: 4) {
      case 0: event.revision = max(event.revision, 0) + 1
      case 1: event.revision = max(0, event.revision - 1)
      default: break
      }
      event = changed(event)
      rows.append(event)
      return event
    }
    return events
  }

  private mutating func newEvent() -> TestEvent {
    nextKey += 1
    let micros =
      TestStore.day0.startMicros + Int64(number(below: 5)) * 86_400_000_000 + Int64(number(below: 40)) * 250_000
    return TestEvent(
      user: Int64(number(below: 6)), micros: micros, type: ["click", "save", "view"][number(below: 3)], key: nextKey)
  }

  /// What a revision says follows from it, as it does in a log that is read twice.
  private func changed(_ event: TestEvent) -> TestEvent {
    var event = event
    let hash = (event.key &* 31 &+ Int64(event.revision)) &* 2_654_435_761
    event.item = hash >> 5 & 127
    event.text = hash & 1 == 0 ? nil : "text \(hash & 1_023)"
    event.isRetracted = event.revision > 0 && hash >> 13 & 3 == 0
    return event
  }

  /// The rows that hold, retractions among them, of some days.
  func resolved(where isWanted: (TestEvent) -> Bool = { _ in true }) -> [TestEvent] {
    struct Identity: Hashable {
      var type: String
      var key: Int64
    }
    var best: [Identity: TestEvent] = [:]
    for row in rows where isWanted(row) {
      let identity = Identity(type: row.type, key: row.key)
      guard let other = best[identity] else {
        best[identity] = row
        continue
      }
      if row.revision > other.revision || row.revision == other.revision && row.seen < other.seen {
        best[identity] = row
      }
    }
    return Array(best.values)
  }

  /// What a batch run over what was seen up to now finds for a day; some of it is lost to it.
  mutating func batch(of day: Day, losing share: Int) -> (rows: [TestEvent], horizon: Int64) {
    let isOld = { (row: TestEvent) in Day(micros: row.micros) == day }
    let found = resolved(where: isOld).sorted { $0.key < $1.key }.filter { _ in share == 0 || number(below: share) > 0 }
    return (found, seen)
  }

  /// Applies a replacement: of the day, what was seen up to the horizon is what the batch has.
  mutating func replace(_ day: Day, by batch: [TestEvent], horizon: Int64) {
    rows.removeAll { Day(micros: $0.micros) == day && $0.seen <= horizon }
    rows += batch
  }

  func answer(_ request: SequenceRequest, user: Int64, sequence: String) -> [JSONValue] {
    let isSaves = sequence == "saves"
    let events = resolved().filter { !$0.isRetracted && (!isSaves || $0.item ?? 0 >= 50) }
    return SequenceReaderTests.expected(
      events, request, user: user, types: isSaves ? ["save"] : ["click", "save", "view"])
  }
}
