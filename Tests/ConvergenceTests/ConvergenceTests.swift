import Glibc
import TestSupport
import Testing

/// However a log gets into a store, in the end the store has what one batch run over all of it leaves.
///
/// `SEQLINE_SOAK` says how many seeds are tried, `SEQLINE_SEED` runs one alone.
@Suite struct ConvergenceTests {
  private static let seeds: Range<Int> = {
    if let seed = number("SEQLINE_SEED") { return seed..<seed + 1 }
    return 0..<(number("SEQLINE_SOAK") ?? 200)
  }()

  private static func number(_ name: String) -> Int? {
    unsafe getenv(name).flatMap { unsafe Int(String(cString: $0)) }
  }

  @Test(arguments: seeds) func everyWayIntoAStoreLeavesWhatOneBatchLeaves(seed: Int) throws {
    let fault = try ConvergenceRun(seed: UInt64(seed)).fault()
    #expect(fault == nil, "\(fault ?? "")")
  }
}
