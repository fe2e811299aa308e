import TestSupport
import Testing

/// `kill -9` of any stage at any moment of a backfill: a table is the old or the new one, a rerun completes it.
///
/// `SEQLINE_CHAOS_ROUNDS` repeats it more often, `SEQLINE_CHAOS_SEED` begins elsewhere.
@Suite(.serialized) struct KillTests {
  private let folder = TemporaryDirectory()

  @Test func killedStageLeavesTheOldTableOrTheNew() throws {
    let prepared = try Prepared(in: folder.path)
    let rounds = Fixtures.environment("SEQLINE_CHAOS_ROUNDS").flatMap { Int($0) } ?? 10
    let seed = Fixtures.environment("SEQLINE_CHAOS_SEED").flatMap { UInt64($0) } ?? 1
    var random = SeededRandom(seed: seed)
    for round in 0..<rounds {
      let victim = Int.random(in: 0..<5, using: &random)
      let moment = Double.random(in: 0...prepared.seconds * 1.1, using: &random)
      try kill(victim, after: moment, prepared, "round \(round) of seed \(seed): stage \(victim) at \(moment) s")
    }
  }

  private func kill(_ victim: Int, after seconds: Double, _ prepared: Prepared, _ round: Comment) throws {
    let store = try prepared.copyOfOldStore()
    let log = try EngagementLog.new()
    let stages = log.backfill(into: store.path, temporary: folder.path)
    let chain = try ProcessChain(stages, environment: log.environment)
    chain.run(seconds: seconds)
    chain.kill(victim)
    let ended = chain.wait()

    let digests = try store.digests()
    for (index, digest) in digests.enumerated() {
      #expect(digest == prepared.old[index] || digest == prepared.new[index], round)
    }
    check(ended, victim, digests, prepared, round)
    #expect(try store.fault() == nil, round)

    let rerun = try ProcessChain(stages, environment: log.environment).wait()
    #expect(rerun.haveSucceeded, "\(round): \(rerun)")
    #expect(try store.digests() == prepared.new, round)
    #expect(try store.fault() == nil, round)
    #expect(store.leftovers.isEmpty, round)
  }

  /// Each stage's exit code and message say what happened.
  private func check(
    _ ended: [FinishedProcess], _ victim: Int, _ digests: [String], _ prepared: Prepared, _ round: Comment
  ) {
    let (death, index) = (ended[victim], ended[4])
    #expect(death.end == .killed(signal: 9) || ended.haveSucceeded, "\(round): \(ended)")
    for process in ended[..<victim] {
      #expect(process.hasSucceeded || process.end == .killed(signal: 13), "\(round): \(process)")
    }
    for process in ended[(victim + 1)...] {
      #expect(process.hasSucceeded || process.end == .exited(2) && !process.errors.isEmpty, "\(round): \(process)")
    }
    if index.hasSucceeded {
      #expect(digests == prepared.new, round)
    } else if victim != 4 {
      #expect(digests == prepared.old, round)
      #expect(index.errors.contains("nothing was committed"), "\(round): \(index)")
    }
  }

  /// A store with the old events, and what it and a store with the new ones hold.
  private struct Prepared {
    let folder: String
    let old: [String]
    let new: [String]
    /// How long a backfill takes.
    let seconds: Double

    init(in folder: String) throws {
      self.folder = folder
      var digests: [[String]] = []
      var seconds = 0.0
      for (log, name) in [(try EngagementLog.old(), "old"), (try EngagementLog.new(), "new")] {
        let store = StoreUnderTest(path: "\(folder)/\(name)")
        let start = Monotonic.now
        let stages = log.backfill(into: store.path, temporary: folder)
        let ended = try ProcessChain(stages, environment: log.environment).wait()
        guard ended.haveSucceeded else { throw ProgramFailure(description: "\(ended)") }
        seconds = Monotonic.now - start
        digests.append(try store.digests())
      }
      (old, new, self.seconds) = (digests[0], digests[1], seconds)
    }

    func copyOfOldStore() throws -> StoreUnderTest {
      _ = try Shell.run("rm -rf copy && cp -r old copy", in: folder)
      return StoreUnderTest(path: "\(folder)/copy")
    }
  }
}
