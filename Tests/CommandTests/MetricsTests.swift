import JSONText
import TestSupport
import Testing

/// What stages tell about themselves while they run, and at the end.
@Suite struct MetricsTests {
  private let folder = TemporaryDirectory()

  private func run(_ script: String) throws -> ShellResult { try Fixtures.run(script, in: folder.path) }

  private func samples(_ file: String) throws -> PrometheusSamples {
    let text = try #require(SharedData.contents(of: "\(folder.path)/\(file)"))
    return try PrometheusSamples(String(decoding: text, as: UTF8.self))
  }

  /// The account of the summary line is that of the metrics.
  @Test func filesHoldTheWholeAccount() throws {
    let result = try run(
      """
      cat "$FIXTURES/day.ndjson" "$FIXTURES/bad.ndjson" | seq-filter --log-format json --metrics-file filter.prom 2> filter.log \\
        | seq-enrich --tables "$FIXTURES" --metrics-file enrich.prom --metrics-label place=here 2> enrich.log \\
        | seq-assemble --metrics-file assemble.prom 2> /dev/null \\
        | seq-index --store store --replace all --metrics-file index.prom
      ls *.prom*; cat filter.log
      """)
    #expect(result.hasSucceeded, "\(result)")
    #expect(result.lines.dropLast() == ["assemble.prom", "enrich.prom", "filter.prom", "index.prom"], "\(result)")
    let summary = try JSONSummary(result.lines.last ?? "")
    let filter = try samples("filter.prom")
    let stage: KeyValuePairs = ["stage": "seq-filter"]
    #expect(filter["seqline_stage_rows_in_total", stage] == summary["rows_in"])
    #expect(filter["seqline_stage_rows_out_total", stage] == summary["rows_out"])
    #expect(filter["seqline_stage_bytes_in_total", stage] == summary["bytes_in"])
    #expect(filter["seqline_stage_retractions_total", stage] == summary["retractions"])
    for (name, field, label) in [("rejected", "rejected", "reason"), ("kept", "kept", "event_type")] {
      for (key, count) in summary.counts(field) {
        #expect(filter["seqline_stage_\(name)_total", ["stage": "seq-filter", label: key]] == count, "\(key)")
      }
      #expect(!summary.counts(field).isEmpty)
    }
    #expect(filter["seqline_stage_units_in_flight", stage] == 0)
    #expect(filter["seqline_stage_end_time_seconds", stage] != nil)

    let enrich = try samples("enrich.prom")
    let lookups = enrich.values.filter { $0.key.hasPrefix("seqline_stage_lookups_total{lookup=") }
    #expect(lookups.values.reduce(0, +) > 0)
    #expect(enrich["seqline_stage_rows_in_total", ["place": "here", "stage": "seq-enrich"]] == summary["rows_out"])
    #expect(enrich.names.contains("seqline_stage_lag_seconds"))

    let index = try samples("index.prom")
    #expect(index["seqline_stage_rows_in_total", ["stage": "seq-index"]] ?? 0 > 0)
    #expect(index.names.contains("seqline_index_rows_written_total"))
    #expect(
      try samples("assemble.prom")["seqline_stage_rows_in_total", ["stage": "seq-assemble"]] == summary["rows_out"])
  }

  /// A streaming `seq-index` says what is durable while its input goes on.
  @Test func aStreamIsSeenWhileItRuns() throws {
    let result = try run(
      """
      mkfifo a
      seq-filter 2> /dev/null < a | seq-enrich --tables "$FIXTURES" 2> /dev/null \\
        | seq-index --store store --metrics-listen 127.0.0.1:0 2> err &
      exec 3> a; cat "$FIXTURES/day.ndjson" >&3
      until grep -q 'metrics on' err; do sleep 0.01; done
      url=$(grep -o 'http://[^ ]*' err)
      for ((n = 0; n < 500; n++)); do
        curl -sf "$url" > seen; grep -q '^seqline_index_durable_arrival' seen && break; sleep 0.01
      done
      exec 3>&-; wait
      """)
    #expect(result.hasSucceeded, "\(result)")
    let seen = try samples("seen")
    let stage: KeyValuePairs = ["stage": "seq-index"]
    #expect(seen["seqline_index_waiting_frames", stage] == 0)
    #expect(seen["seqline_index_durable_frames_total", stage] ?? 0 >= 1)
    #expect(seen["seqline_index_sync_seconds_count", stage] ?? 0 >= 1)
    #expect(seen["seqline_index_segment", ["stage": "seq-index", "shard": "00"]] == 1)
    #expect(seen["seqline_index_rolls_total", stage] == 0)
    #expect(seen["seqline_stage_definitions_info", [:]] == nil)
    #expect(seen.values.keys.contains { $0.hasPrefix("seqline_stage_definitions_info{digest=") })
  }

  @Test func whatCannotBeWrittenIsAnErrorAtTheStart() throws {
    let result = try run(#"seq-filter "$FIXTURES/day.ndjson" --metrics-file none/a.prom > out; echo $?"#)
    #expect(result.lines == ["2"])
    #expect(result.errors.contains("cannot create: No such file or directory"), "\(result)")
    let port = try run("seq-filter --metrics-listen 127.0.0.1 < /dev/null; echo $?")
    #expect(port.lines == ["2"])
  }

  /// Every metric that is documented or watched is one that is told.
  @Test func alertsAndManualNameMetricsThatThereAre() throws {
    try filesHoldTheWholeAccount()
    try aStreamIsSeenWhileItRuns()
    let told = try ["filter.prom", "enrich.prom", "index.prom", "seen"].reduce(into: Set<String>()) {
      $0.formUnion(try samples($1).names)
    }
    let manual = try Set(mentioned(in: "docs/operations.md", stem: "seqline_(?:stage|index)"))
    // What needs an accident or a second run to be told.
    let rare: Set = [
      "seqline_stage_mismatches_total", "seqline_stage_expression_errors_total", "seqline_index_drift_events",
      "seqline_index_rolled_rows_total", "seqline_stage_newest_raw_event_timestamp_seconds",
      "seqline_stage_newest_raw_arrival_timestamp_seconds",
    ]
    #expect(manual.subtracting(told) == rare.intersection(manual).subtracting(told))
    #expect(told.subtracting(manual).isEmpty)
    let watched = try mentioned(in: "deploy/prometheus/seqline.rules.yml", stem: "seqline_(?:stage|index)")
    #expect(watched.subtracting(manual.flatMap { [$0, $0 + "_bucket"] }).isEmpty)
  }

  private func mentioned(in file: String, stem: String) throws -> Set<String> {
    let text = try #require(SharedData.contents(of: "\(SharedData.packageRoot)/\(file)"))
    let names = String(decoding: text, as: UTF8.self).matches(of: try Regex("\(stem)_[a-z_]+", as: Substring.self))
    return Set(names.map { String($0.output) })
  }
}

/// The summary line of a stage as JSON.
private struct JSONSummary {
  private let json: JSONValue

  init(_ line: String) throws { json = try JSONValue(parsing: line) }

  subscript(name: String) -> Double? { json.object?[name]?.double }

  func counts(_ name: String) -> [(String, Double)] {
    (json.object?[name]?.object ?? [:]).compactMap { key, value in value.double.map { (key, $0) } }
  }
}
