import TestSupport
import Testing

/// SIGTERM and SIGINT: a stage finishes what it has read, says so, and leaves; a second one ends it at once.
@Suite struct TerminationTests {
  private let folder = TemporaryDirectory()

  private func run(_ script: String) throws -> ShellResult { try Fixtures.run(script, in: folder.path) }

  /// Lines leave every stage although more may come, and the last one, which is not yet whole, waits. All are told at once, as
  /// by a service manager: that one sees its input end before its own signal is no error.
  @Test(arguments: ["TERM", "INT"]) func stagesLeaveWithWhatTheyRead(signal: String) throws {
    let result = try run(
      """
      mkfifo a b c
      env --default-signal=INT seq-ingest < a > b & stages=$!
      env --default-signal=INT seq-filter < b > c & stages="$stages $!"
      env --default-signal=INT seq-enrich --tables "$FIXTURES" --format ndjson --columns event_type < c > out &
      stages="$stages $!"
      exec 3> a; head -2 "$FIXTURES/day.ndjson" >&3; printf '{"id":"half' >&3
      until [[ $(wc -l < out) == 2 ]]; do sleep 0.01; done
      kill -\(signal) $stages; for stage in $stages; do wait $stage; echo "exit $?"; done
      cat out
      """)
    #expect(
      result.lines == ["exit 0", "exit 0", "exit 0", #"{"event_type":"click"}"#, #"{"event_type":"search"}"#])
    #expect(result.errors.split(separator: "\n").count { $0.contains("2 rows in") } == 3, "\(result)")
    #expect(result.errors.split(separator: "\n").count { $0.contains("stopped by a signal") } == 3, "\(result)")
  }

  /// The first stage alone is told: for those behind it the stream has no end, however they are told of it.
  @Test func aStreamThatIsCutIsNoStop() throws {
    let result = try run(
      """
      mkfifo a b; seq-filter < a > b & filter=$!
      seq-enrich --tables "$FIXTURES" < b > out & enrich=$!
      exec 3> a; head -2 "$FIXTURES/day.ndjson" >&3; until [[ -s out ]]; do sleep 0.01; done
      kill -TERM $filter; wait $filter; echo "exit $?"; wait $enrich; echo "exit $?"
      """)
    #expect(result.lines == ["exit 0", "exit 2"], "\(result)")
    #expect(result.errors.contains("seq-enrich: the input ended before its end mark"), "\(result)")
  }

  @Test func outputOfAStoppedStageHasNoEnd() throws {
    let result = try run(
      """
      mkfifo a; seq-filter < a > out & stage=$!
      exec 3> a; head -2 "$FIXTURES/day.ndjson" >&3; until [[ -s out ]]; do sleep 0.01; done
      kill -TERM $stage; wait $stage; echo "exit $?"
      seq-enrich --tables "$FIXTURES" --format ndjson --columns event_type out
      """)
    #expect(result.status == .exited(2))
    #expect(result.lines.prefix(2) == ["exit 0", #"{"event_type":"click"}"#], "\(result)")
    #expect(result.errors.contains("the input ended before its end mark"), "\(result)")
  }

  /// What needs all of its input changes nothing.
  @Test func stoppedBackfillCommitsNothing() throws {
    let result = try run(
      """
      seq-filter "$FIXTURES/day.ndjson" 2> /dev/null | seq-enrich --tables "$FIXTURES" 2> /dev/null > events.frames
      mkfifo a b; seq-index --store store --replace all < a & index=$!
      seq-assemble < b > assembled & assemble=$!
      exec 3> a 4> b; cat events.frames | head -c -30 | tee /dev/fd/3 >&4; sleep 0.2
      kill -TERM $index $assemble; wait $index; echo "exit $?"; wait $assemble; echo "exit $?"
      find store -type f; wc -c < assembled
      """)
    #expect(result.lines == ["exit 2", "exit 2", "0"], "\(result)")
    let message = "seq-index: a signal stopped the run before its end; nothing was committed to store"
    #expect(result.errors.contains(message), "\(result)")
    #expect(result.errors.contains("seq-assemble: a signal stopped the run before its end"), "\(result)")
  }

  @Test func secondSignalEndsAtOnce() throws {
    let result = try run(
      """
      yes "$(head -1 "$FIXTURES/day.ndjson")" | head -100000 > log.ndjson
      mkfifo a; seq-ingest < log.ndjson > a & stage=$!
      exec 3< a; sleep 0.3; kill -TERM $stage; sleep 0.3; kill -0 $stage && echo waits
      kill -TERM $stage; wait $stage; echo "exit $?"
      """)
    #expect(result.lines == ["waits", "exit 143"], "\(result)")
  }
}
