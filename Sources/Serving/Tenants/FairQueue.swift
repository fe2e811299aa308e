import NIOCore

/// Waiting work of several owners, given out so that each owner gets the same share of time, however much it asks for.
///
/// Each owner has a clock that runs on by the time its work takes; the one that is furthest behind is next, and one that
/// comes back starts level with the others, so that it cannot save time up. An owner waits for at most one piece of work
/// of each other owner per piece of its own of the same size.
/// - Source: Goyal, Vin, Cheng, "Start-time Fair Queueing" (1996).
package struct FairQueue<Work> {
  private struct Flow {
    var works = CircularBuffer<Work>()
    /// Nanoseconds that the owner's clock shows.
    var clock: Int64
    /// What a piece of its work takes, by those before.
    var estimate: Int64 = 0
  }

  /// The right to do a piece of work, to be given back when it is done.
  package struct Turn: Sendable {
    fileprivate var owner: Int
    fileprivate var estimate: Int64
  }

  private var flows: [Int: Flow] = [:]
  /// The clock of the owner that was served last.
  private var now: Int64 = 0
  package private(set) var count = 0

  package init() {}

  package mutating func append(_ work: Work, of owner: Int) {
    var flow = flows.removeValue(forKey: owner) ?? Flow(clock: now)
    if flow.works.isEmpty { flow.clock = max(flow.clock, now) }
    flow.works.append(work)
    flows[owner] = flow
    count += 1
  }

  /// Takes the next piece of work out; its owner is charged what its work took so far on the average.
  package mutating func next() -> (work: Work, turn: Turn)? {
    var first: (owner: Int, clock: Int64)?
    for (owner, flow) in flows where !flow.works.isEmpty {
      if first.map({ (flow.clock, owner) < ($0.clock, $0.owner) }) ?? true { first = (owner, flow.clock) }
    }
    guard let (owner, clock) = first else { return nil }
    now = clock
    count -= 1
    let work = flows[owner]!.works.removeFirst()
    let estimate = flows[owner]!.estimate
    flows[owner]!.clock += estimate
    return (work, Turn(owner: owner, estimate: estimate))
  }

  /// Charges what a piece of work really took.
  package mutating func finish(_ turn: Turn, nanoseconds: Int64) {
    guard var flow = flows[turn.owner] else { return }
    flow.clock += nanoseconds - turn.estimate
    flow.estimate += (nanoseconds - flow.estimate) / 8
    // Whoever is not ahead and wants nothing is as good as unknown.
    flows[turn.owner] = flow.works.isEmpty && flow.clock <= now ? nil : flow
    if flows.count > 256 { flows = flows.filter { !$0.value.works.isEmpty || $0.value.clock > now } }
  }
}
