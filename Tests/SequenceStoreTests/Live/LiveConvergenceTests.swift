import Arrow
import Frames
import JSONText
import SequenceStore
import Synchronization
import TestSupport
import Testing

/// Whatever lies in the live log, in the tables, or in both: a read answers what a batch run over everything would.
@Suite struct LiveConvergenceTests {
  @Test(arguments: UInt64(0)..<24) func readsAreThoseOfTheModelAtEveryMoment(seed: UInt64) throws {
    let run = try ConvergenceRun(seed: seed)
    for _ in 0..<25 { try run.step() }
    try run.finish()
  }
}

/// A store that is written and read in random order, and the model that says what reads must answer.
private final class ConvergenceRun {
  private let test: TestStore
  private var model: LiveModel
  private let index = LiveIndex()
  private let follower: LiveFollower
  private let log: LiveLog
  private let ended = Latest()
  private var snapshot: StoreSnapshot
  private let plans: [String: SequencePlan]
  /// What readers keep, over all versions of the tables: everything, little, or nothing.
  private let cache: PageCache?
  private let label: String

  init(seed: UInt64) throws {
    label = "seed \(seed)"
    cache = [PageCache(byteLimit: 64 << 20), PageCache(byteLimit: 200_000), nil][Int(seed % 3)]
    test = try TestStore()
    model = LiveModel(seed: seed)
    plans = ["all": try test.plan("all"), "saves": try test.plan("saves")]
    try test.index(model.begin(), replacing: .all, horizon: 0)
    snapshot = try StoreSnapshot(test.store, datasets: ["events", "views"])
    follower = try LiveFollower(test.store, into: index, handlers: FollowerEvents().handlers())
    var observers = LiveLog.Observers()
    observers.segmentEnded = { [ended] in ended.set($0) }
    log = try LiveLog(LiveDirectory(test.store, .first), covered: 0, observers: observers)
  }

  func step() throws {
    switch model.number(below: 8) {
    case 0...2: try append()
    case 3: try roll()
    case 4: try replace()
    case 5: try moveOn()
    case 6: log.endSegment()
    default: try log.flush()
    }
    try check()
  }

  func finish() throws {
    log.endSegment()
    try log.flush()
    try roll()
    try moveOn()
    try check()
    try log.close()
  }

  private func append() throws {
    let encoder = FrameEncoder(compression: .stored)
    for _ in 0...model.number(below: 3) {
      let events = model.arrive(1 + model.number(below: 12))
      for dataset in ["events", "views"] {
        let own = events.filter { $0.dataset == dataset }
        if !own.isEmpty { try log.append(encoder.encode(test.batch(own, dataset: dataset)).bytes) }
      }
    }
    try log.flush()
  }

  /// Rolls what has ended; between its commits reads are checked, with the old tables and the new.
  private func roll() throws {
    guard let last = ended.value else { return }
    var options = LiveRoller.Options()
    // SAFETY: the roller's thread calls it while this one waits for the roller to settle.
    nonisolated(unsafe) let run = self
    options.observe = { step in
      try unsafe run.check()
      if case .committed = step { try unsafe run.moveOn() }
      try unsafe run.check()
    }
    let roller = LiveRoller(test.store, definitions: test.definitions, shard: .first, options: options)
    roller.start()
    roller.segmentEnded(last)
    try roller.close(settling: true)
  }

  private func replace() throws {
    let day = Day(TestStore.day0.number + Int32(model.number(below: 5)))
    let (rows, horizon) = model.batch(of: day, losing: model.number(below: 3) * 4)
    try test.index(rows, replacing: .days(day...day), horizon: horizon)
    model.replace(day, by: rows, horizon: horizon)
    try moveOn()
  }

  private func moveOn() throws {
    try follower.catchUp()
    snapshot = try StoreSnapshot(test.store, datasets: ["events", "views"], reusing: snapshot)
    index.cover(by: snapshot)
  }

  private func check() throws {
    try follower.catchUp()
    for (sequence, plan) in plans {
      let reader = SequenceReader(snapshot, cache: cache)
      for user in Int64(0)..<6 {
        var request = SequenceRequest(
          user: .integer(user), last: [3, 1_000][model.number(below: 2)],
          columns: ["ts", "event_type", "item_id", "text"].map { name in plan.columns.first { $0.name == name }! })
        if model.number(below: 3) == 0 { request.caps = ["click": 2] }
        if model.number(below: 3) == 0 { request.fromMicros = TestStore.day0.startMicros + 86_402_500_000 }
        if model.number(below: 4) == 0 { request.untilMicros = TestStore.day0.startMicros + 3 * 86_400_000_000 }
        let found = try read(request, of: plan, reader)
        let expected = model.answer(request, user: user, sequence: sequence)
        guard found != expected else { continue }
        Issue.record("\(label), \(sequence), user \(user): \(found.map(\.text)) for \(expected.map(\.text))")
      }
    }
  }

  /// Reads with few of the live rows, and with all where these are not enough.
  private func read(_ request: SequenceRequest, of plan: SequencePlan, _ reader: SequenceReader) throws -> [JSONValue] {
    for limit in [model.number(below: 8), .max] {
      let live = index.rows(of: request.user, in: plan.datasets, newest: limit)
      if let found = try reader.read(request, of: plan, live: live) { return found.events.allRows }
    }
    Issue.record("\(label): all live rows are not enough")
    return []
  }
}

/// The latest number that another thread told.
private final class Latest: Sendable {
  private let state = Mutex<UInt64?>(nil)
  var value: UInt64? { state.withLock { $0 } }
  func set(_ number: UInt64) { state.withLock { $0 = number } }
}
