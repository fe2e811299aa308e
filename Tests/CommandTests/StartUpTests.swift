import TestSupport
import Testing

/// Commands start at once: scripts call them by the thousand.
@Suite(.enabled(if: Commands.areOptimised, "start-up is measured on optimised builds")) struct StartUpTests {
  /// The shortest of 20 runs counts, since tests run beside each other; `make install` links statically, which is faster.
  @Test(arguments: ["seq-filter", "seq-ingest", "seq-store"])
  func helpTakesLessThanTenMilliseconds(command: String) throws {
    let seconds = try (0..<20).map { _ in
      let start = Monotonic.now
      let chain = try ProcessChain([[command, "--help"]])
      chain.run(seconds: 10)
      defer { _ = chain.wait() }
      return Monotonic.now - start
    }
    #expect(seconds.min()! < 0.010, "\(seconds.sorted())")
  }
}
