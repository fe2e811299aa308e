import TestSupport
import Testing

/// What `deploy/` installs, as systemd and its script see it.
@Suite struct DeployTests {
  private let folder = TemporaryDirectory()
  private static let deploy = SharedData.packageRoot + "/deploy"

  private func run(_ script: String, environment: [String: String] = [:]) throws -> ShellResult {
    try Shell.run(
      script, in: folder.path, environment: environment.merging(["DEPLOY": Self.deploy]) { $1 })
  }

  @Test(.enabled(if: Tool.find("systemd-analyze") != nil, "systemd-analyze is absent"))
  func systemdAcceptsTheUnits() throws {
    let result = try run(
      """
      mkdir -p local/bin local/libexec/seqline units
      cp "$DEPLOY"/libexec/* local/libexec/seqline; cp local/libexec/seqline/pipeline local/bin/seq-serve
      for unit in "$DEPLOY"/systemd/*; do sed "s|/usr/local|$PWD/local|" "$unit" > "units/${unit##*/}"; done
      systemd-analyze verify --man=no units/* 2>&1
      """)
    #expect(result.hasSucceeded, "\(result)")
    #expect(result.output == "")
  }

  @Test func settingsAreReadBySystemdAndShellsAlike() throws {
    let result = try run(
      """
      for name in $(compgen -v SEQ); do unset "$name"; done
      set -a; . "$DEPLOY/seqline.env"; env | grep -E '^SEQ' | sort > shell
      sed -E "/^#|^$/d; s/'//g" "$DEPLOY/seqline.env" | sort > plain
      diff shell plain
      """)
    #expect(result.hasSucceeded, "\(result)")
  }

  /// The pipeline's script, stopped and started while a log grows and rotates: every event is in the store once.
  @Test func thePipelineGoesOnWhereTheStoreIs() throws {
    let log = try EngagementLog.old()
    let result = try run(
      """
      write() { sed -n "$1p" all.ndjson >> events.log; }
      head -3000 "$RAW/raw/dt=2026-11-18/events-0.ndjson" > all.ndjson
      pipeline() { "$DEPLOY/libexec/pipeline" 2>> err & service=$!; }
      stop() { kill -TERM $service; wait $service; echo "exit $?"; }
      mkdir metrics; write 1,500; pipeline; sleep 1.5; write 501,1000; sleep 0.5; stop
      write 1001,1500; mv events.log events.log.1; write 1501,2000; pipeline; sleep 1.5; write 2001,2500; stop
      ls metrics; pipeline; sleep 1; write 2501,3000; sleep 0.5; stop
      seq-filter all.ndjson 2> /dev/null | seq-enrich --tables "$RAW" 2> /dev/null | seq-assemble 2> /dev/null \\
        | seq-index --store once --replace all 2> /dev/null
      : > none; seq-filter none 2> /dev/null | seq-enrich --tables "$RAW" 2> /dev/null | seq-index --settle 2> settle.err || cat settle.err
      for store in store once; do
        for dataset in engagements searches; do
          seq-store cat $dataset --store $store --format ndjson > $store.$dataset || echo "no $dataset"
        done
        cat $store.* | sort > $store.rows
      done
      wc -l < once.rows; cmp store.rows once.rows && echo same; [ -z "$(uniq -d store.rows)" ] && echo once
      """,
      environment: log.environment.merging([
        "RAW": log.directory, "SEQ_STORE": "store", "SEQLINE_LOGS": "events.lo? events.none*",
        "SEQLINE_TABLES": log.directory, "SEQLINE_METRICS": "metrics", "SEQLINE_DEAD_LETTERS": "dead.ndjson",
      ]) { $1 })
    let metrics = ["seq-enrich.prom", "seq-filter.prom", "seq-index.prom", "seq-ingest.prom"]
    #expect(Array(result.lines.prefix(7)) == ["exit 0", "exit 0"] + metrics + ["exit 0"], "\(result)")
    #expect(Array(result.lines.suffix(2)) == ["same", "once"], "\(result)")
  }
}
