import TestSupport
import Testing

/// The number of threads never changes output.
@Suite struct ThreadCountTests {
  private let folder = TemporaryDirectory()

  @Test func threadsDoNotChangeOutput() throws {
    let log = try EngagementLog.old()
    let result = try Shell.run(
      """
      for n in 1 4; do
        seq-ingest --threads $n --root "$LOG" --date \(EngagementLog.days) > raw.$n || exit 90
        seq-filter --threads $n raw.1 > events.$n || exit 91
        seq-enrich --threads $n --tables "$LOG" events.1 > enriched.$n || exit 92
        seq-assemble --threads $n --memory 2M --temporary-directory . enriched.1 > ordered.$n || exit 93
        seq-index --threads $n --store store.$n --replace all ordered.1 || exit 94
        (cd store.$n && find datasets retractions -name '*.parquet' | sort) > files.$n
      done
      for name in raw events enriched ordered files; do cmp $name.1 $name.4 && test -s $name.1 && echo same $name; done
      """, in: folder.path, environment: log.environment.merging(["LOG": log.directory]) { $1 })
    #expect(result.lines == ["raw", "events", "enriched", "ordered", "files"].map { "same \($0)" }, "\(result)")
  }
}
