import TestSupport
import Testing

/// Commands start at once: scripts call them by the thousand.
@Suite(.enabled(if: Commands.areOptimised, "start-up is measured on optimised builds")) struct StartUpTests {
  private let folder = TemporaryDirectory()

  /// Processor time, since tests run beside each other, and the least of many runs; `make install` links statically, which
  /// is faster: 3 ms. On a busy machine times are several times those of a quiet one. `seq-ingest` loads librdkafka.
  @Test(arguments: [("seq-filter", 30), ("seq-store", 30), ("seq-ingest", 60)])
  func helpTakesMilliseconds(command: String, limit: Int) throws {
    let script = """
      TIMEFORMAT='%3U %3S'
      for run in {1..40}; do { time \(command) --help > help; } 2>&1; done
      """
    let result = try Shell.run(script, in: folder.path, environment: ["LC_ALL": "C"])
    let milliseconds = result.lines.map { line in
      line.split(separator: " ").compactMap { Double($0) }.reduce(0) { $0 + $1 * 1_000 }
    }
    #expect(result.hasSucceeded && milliseconds.count == 40, "\(result)")
    #expect(milliseconds.min() ?? .infinity < Double(limit), "\(milliseconds.sorted())")
  }
}
