import TestSupport
import Testing

/// Commands start at once: scripts call them by the thousand.
@Suite(.enabled(if: Commands.areOptimised, "start-up is measured on optimised builds")) struct StartUpTests {
  /// The shortest of many runs counts, since tests run beside each other; `make install` links statically, which is faster.
  @Test(arguments: ["seq-filter", "seq-ingest", "seq-store"])
  func helpTakesLessThanTenMilliseconds(command: String) throws {
    let end = Monotonic.now + 30
    var shortest = Double.infinity
    while shortest >= 0.010, Monotonic.now < end {
      let start = Monotonic.now
      let chain = try ProcessChain([[command, "--help"]])
      chain.run(seconds: 10)
      shortest = min(shortest, Monotonic.now - start)
      _ = chain.wait()
    }
    #expect(shortest < 0.010)
  }
}
