import Glibc
import TestSupport
import Testing

/// However a log gets into a store, in the end the store has what one batch run over all of it leaves.
///
/// `SEQLINE_SOAK` says how many seeds are tried, `SEQLINE_SEED` which is the first: alone, it is the only one.
///
/// How the suite was checked: each of these changes, built into the store, made it fail; these are the seeds of the first so many.
///
/// | change | where | seeds that failed |
/// |---|---|---|
/// | revisions are ignored | `RevisionResolver.wins` | 33 of 60 |
/// | nothing is carried over | `CarryOver.files` | 14 of 60 |
/// | compaction lets all retractions go, old enough and settled or not | `Compaction.expired` | 15 of 60 |
/// | acknowledged before it is written and synced | `LiveLogWriter.store` | 19 of 60 |
/// | of equals the first met holds in readers | `EventCollector.stands` | 6 of 100 |
/// | the age of retractions is counted from the table's newest row, not by the stream | `Compaction.expiry` | 2 of 100 |
///
/// The last two take much to meet: rows that files keep apart until the end, a stream that is behind a batch by more than events
/// may be late. The plan seeks them (`ConvergenceRun.finish`, `overtake`); each has a test of its own, too
/// (`SequenceReaderTests`, `RetractionExpiryTests`).
@Suite struct ConvergenceTests {
  private static let seeds: Range<Int> = {
    let first = number("SEQLINE_SEED")
    let count = number("SEQLINE_SOAK") ?? (first == nil ? 200 : 1)
    return (first ?? 0)..<(first ?? 0) + count
  }()

  private static func number(_ name: String) -> Int? {
    unsafe getenv(name).flatMap { unsafe Int(String(cString: $0)) }
  }

  @Test(arguments: seeds) func everyWayIntoAStoreLeavesWhatOneBatchLeaves(seed: Int) throws {
    let fault = try ConvergenceRun(seed: UInt64(seed)).fault()
    #expect(fault == nil, "\(fault ?? "")")
  }
}
