import JSONText
import TestSupport
import Testing

/// Other engines open the stored tables and find the rows that Seqline finds.
@Suite(.enabled(if: Peer.isPresent, "no Python with the other engines is set up"))
struct OtherEngineTests {
  static let engines = [
    "duckdb_parquet", "duckdb_delta", "pyarrow_dataset", "pyarrow_parquet", "polars_parquet", "polars_delta",
    "deltalake",
  ]

  /// Checks `engines` against Seqline; one that is not installed is left out, saying so.
  private func compare(_ engines: [String], _ made: ExampleStore, _ dataset: String) throws {
    let expected = try made.rows(dataset)
    #expect(expected["count"]?.integer ?? 0 > 100)
    for engine in engines {
      let found = try Peer.run("rows", engine, made.table(dataset))
      if let reason = found["skipped"]?.string {
        print("skipped \(engine): \(reason)")
      } else {
        #expect(found == expected, "\(engine)")
      }
    }
  }

  @Test func aTableOpensWithEqualRowsInOtherEngines() throws {
    let made = try ExampleStore.engagement()
    try compare(Self.engines, made, "engagements")
    try compare(["duckdb_parquet", "deltalake"], made, "searches")
  }

  @Test func aTableOpensWithEqualRowsInSpark() throws {
    try compare(["spark_parquet"], ExampleStore.engagement(), "engagements")
  }

  @Test func theStoredRowsAreThoseThatThePlainestProgramFinds() throws {
    let made = try ExampleStore.engagement()
    let expected = try Peer.run("engagement", made.path)
    for dataset in ["engagements", "searches"] { #expect(try made.rows(dataset) == expected[dataset]) }
  }

  @Test func theOrderOfTheLogDoesNotMatter() throws {
    let made = try ExampleStore.engagement()
    let expected = try made.rows("engagements")
    try made.index("cat raw/*/*.ndjson | shuf --random-source=items.ndjson")
    #expect(try made.rows("engagements") == expected)
  }

  @Test func deltalakeShowsTheCommits() throws {
    let made = try ExampleStore.engagement()
    try made.index("cat raw/*/*.ndjson | sed -n 1,3000p", days: "2026-11-19")
    let history = try Peer.run("maintain", made.table("engagements"), "history").array ?? []
    #expect(history.map { $0["operation"]?.string } == ["WRITE", "WRITE", "CREATE TABLE"])
    #expect(history.first?["operationParameters"]?.text.contains("2026-11-19") == true)
  }
}
