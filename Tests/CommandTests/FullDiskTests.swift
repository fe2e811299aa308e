import TestSupport
import Testing

/// A disk that fills up during a backfill: the message names the file, the table is the old or the new one, and a rerun
/// with room completes it.
///
/// The disk is a small tmpfs in a mount namespace of the script's own; where none can be made, the tests say so.
@Suite(.serialized, .enabled(if: SmallDisk.command != nil, "no tmpfs can be mounted here: full disks are not tested"))
struct FullDiskTests {
  private let folder = TemporaryDirectory()

  /// Room for so much of what the new events take: from none to nearly all.
  @Test(arguments: [0, 25, 60, 80, 90])
  func storeOnAFullDisk(percent: Int) throws {
    let log = try EngagementLog.new()
    let result = try onSmallDisk(
      """
      backfill "$OLD" old 0 && backfill "$NEW" new 0 || exit 90
      before=$(digests old); wanted=$(digests new)
      mount -t tmpfs -o size=500m tmpfs disk && cp -r new disk/new || exit 91
      more=$(used); rm -r disk/new; cp -r old disk/store
      mount -o remount,size=$(($(used) + more * \(percent) / 100))k disk || exit 92
      backfill "$NEW" disk/store 0 2> errors; echo "status $?"
      paste <(digests disk/store) <(echo "$before") <(echo "$wanted") | while read -r found old new; do
        [[ $found == "$old" || $found == "$new" ]] || echo "torn"; done
      seq-store verify --store disk/store > problems 2>&1 || cat problems
      mount -o remount,size=500m disk && backfill "$NEW" disk/store 0 || exit 93
      [[ $(digests disk/store) == "$wanted" ]] && echo "completed"
      ls disk/store/tmp; grep seq-index errors
      """, log)
    #expect(result.status == .exited(0), "\(result)")
    let lines = result.lines
    #expect(lines.dropLast() == ["status 2", "completed"], "\(result)")
    #expect(lines.last?.contains("disk/store/") == true, "the message names a file: \(result)")
    #expect(lines.last?.contains("No space left on device") == true, "\(result)")
    #expect(lines.last?.contains("committed to disk/store") == true, "the message says what was committed: \(result)")
  }

  @Test func temporaryDirectoryOnAFullDisk() throws {
    let result = try onSmallDisk(
      """
      backfill "$OLD" store 0 || exit 90
      before=$(digests store)
      mount -t tmpfs -o size=2m tmpfs disk || exit 91
      backfill "$NEW" store 1 2> errors; echo "status $?"
      [[ $(digests store) == "$before" ]] && echo "old"
      ls disk
      mount -o remount,size=500m disk && backfill "$NEW" store 1 || exit 92
      backfill "$NEW" wanted 0; [[ $(digests store) == "$(digests wanted)" ]] && echo "completed"
      ls disk; grep -E 'seq-(assemble|index)' errors | sort
      """, try EngagementLog.new())
    #expect(result.status == .exited(0), "\(result)")
    let lines = result.lines
    #expect(lines.prefix(3) == ["status 2", "old", "completed"], "\(result)")
    #expect(lines.count == 5, "\(result)")
    guard lines.count == 5 else { return }
    #expect(lines[3].hasPrefix("seq-assemble: disk: "), "the message names the place: \(lines[3])")
    #expect(lines[3].contains("No space left on device"))
    #expect(lines[4].contains("nothing was committed"))
  }

  @Test func outputOnAFullDisk() throws {
    let result = try onSmallDisk(
      """
      mount -t tmpfs -o size=1m tmpfs disk || exit 91
      seq-ingest --root "$NEW" --date \(EngagementLog.days) > disk/raw.frames; echo "status $?"
      mount -o remount,size=500m disk && seq-ingest --root "$NEW" --date \(EngagementLog.days) > disk/raw.frames 2> /dev/null
      echo "status $?"
      """, try EngagementLog.new())
    #expect(result.lines == ["status 2", "status 0"], "\(result)")
    #expect(result.errors.contains("standard output: cannot write: No space left on device"), "\(result)")
  }

  /// Intake stops with a message while a stream fills the disk, and goes on when there is room; a writer that is killed
  /// meanwhile has lost nothing that it acknowledged.
  @Test func aStreamOnAFullDisk() throws {
    let result = try onSmallDisk(
      #"""
      export SEQ_DEFINITIONS="$SHOP" SEQ_STORE=disk/store LC_ALL=C
      lines() { paste -d ' ' <(seq $1 $2) <(head -c $((($2 - $1 + 1) * 150)) /dev/urandom | base64 -w 200) | awk '{
        printf "{\"id\":\"c%d\",\"type\":\"click\",\"rev\":0,\"ts\":1795%09d,\"at\":1795%09d,\"user\":%d,\"item\":%d,\"ms\":2000,\"text\":\"c%d-%s\"}\n", \
          $1, $1, $1 + 100, $1 % 50, $1 % 4, $1, $2 }'; }
      texts() { grep -o '"text":"c[0-9]*' | sort; }
      stored() { seq-store cat clicks --format ndjson --columns text | texts; }
      stream() { seq-ingest --follow log --resume disk/store 2>> err | seq-filter 2>> err | seq-enrich --tables "$FIXTURES" 2>> err \
        | seq-index --segment-size 256K --acknowledge 2>> err >> acknowledged; }
      safe() { grep -ao '"offset":[0-9]*' acknowledged | tail -1 | cut -d: -f2; }
      writer() { grep -o 'process [0-9]*' disk/store/live/00/LOCK | cut -d' ' -f2; }
      await() { for _ in {1..1200}; do eval "$1" && return; sleep 0.1; done; echo "never: $1"; }
      mount -t tmpfs -o size=2m tmpfs disk || exit 91
      : > log; stream & await '[ -s disk/store/live/00/LOCK ]'
      for part in {0..19}; do lines $((part * 1000)) $((part * 1000 + 999)) >> log; done
      await 'grep -q "the disk is full: intake waits until there is room" err'
      kill -0 $(writer) && echo "it waits"; kill -9 $(writer)
      line=20000; while [ -n "$(jobs -r)" ]; do lines $line $line >> log; line=$((line + 1)); sleep 0.1; done
      safe=$(safe); [ "$safe" -gt 0 ] && [ "$safe" -lt "$(stat -c %s log)" ] && echo "a part is safe"
      mount -o remount,size=500m disk
      seq-store upkeep > /dev/null && seq-store verify 2>> err || echo "unsound"
      [ -z "$(comm -23 <(head -c $safe log | texts) <(stored))" ] && echo "nothing that was acknowledged is lost"
      : > err; mount -o remount,size=$(($(used) + 500))k disk; stream &
      lines 30000 39999 >> log; await 'grep -q "the disk is full" err'; mount -o remount,size=500m disk
      await 'grep -q "there is room again: intake goes on" err'
      await '[ "$(safe)" = "$(stat -c %s log)" ]'
      for stage in seq-ingest seq-filter seq-enrich; do kill -TERM $(pgrep -P $! -x $stage); done; kill -TERM $(writer); wait
      seq-store upkeep > /dev/null && seq-store verify 2>> err || echo "unsound"
      cmp <(texts < log) <(stored) && echo "all is there, once"
      """#, try EngagementLog.new())
    #expect(
      result.lines == ["it waits", "a part is safe", "nothing that was acknowledged is lost", "all is there, once"],
      "\(result)")
  }

  private func onSmallDisk(_ script: String, _ log: EngagementLog) throws -> ShellResult {
    let functions = """
      used() { df -k --output=used disk | tail -1; }
      digests() { for d in \(EngagementLog.datasets.joined(separator: " ")); do
        seq-store cat $d --store "$1" --format ndjson | sort | sha256sum | cut -c1-64; done; }
      backfill() { # log store spill
        if [[ $3 == 1 ]]; then sort=(--memory 1M --temporary-directory disk); else sort=(); fi
        seq-ingest --root "$1" --date \(EngagementLog.days) | seq-filter | seq-enrich --tables "$1" \\
          | seq-assemble "${sort[@]}" | seq-index --store "$2" --replace all --horizon 2030-01-01; }
      mkdir disk

      """
    folder.write(functions + script, to: "script")
    var environment = log.environment
    environment["OLD"] = try EngagementLog.old().directory
    environment["NEW"] = log.directory
    (environment["SHOP"], environment["FIXTURES"]) = (try Fixtures.shopDefinitions(), Fixtures.directory)
    return try Shell.run("\(SmallDisk.command!) bash -o pipefail script", in: folder.path, environment: environment)
  }
}

/// How to make a disk that only a script sees.
enum SmallDisk {
  /// What to put before a script; nil when this machine does not allow it.
  static let command: String? = {
    let candidates = ["unshare -m", "unshare -rm"]
    return candidates.first { command in
      let folder = TemporaryDirectory()
      let mount = "\(command) mount -t tmpfs -o size=64k tmpfs '\(folder.path)'"
      return (try? Shell.run(mount, in: "/").hasSucceeded) == true
    }
  }()
}
