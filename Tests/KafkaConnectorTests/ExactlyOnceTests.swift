import Glibc
import TestSupport
import Testing

/// A topic's messages through the whole pipeline into a store, by processes that are killed again and again: each message
/// is in the store once.
@Suite(.serialized) struct ExactlyOnceTests {
  let directory = TemporaryDirectory()
  let cluster: MockCluster

  static let source = """
    from seqline import *
    log = Source("log", path="*.ndjson", user="user", ts="ts", id="id", lateness="1d",
                 fields={"user": "int64", "ts": "timestamp[ms]", "id": "string"})
    EventType("any", source=log, owner="t", retention="9d", dataset="d", columns={"id": "id"})
    """

  init() throws {
    cluster = try MockCluster()
    directory.write(Self.source, to: "definitions.py")
    try Shell.succeed("seq-config compile definitions.py -o definitions.json", in: directory.path)
  }

  var environment: [String: String] {
    ["SEQ_DEFINITIONS": directory.path + "/definitions.json", "SEQ_STORE": directory.path + "/store"]
  }

  func produce(_ ids: Range<Int>) {
    for id in ids {
      let text = #"{"user":\#(id % 7),"ts":\#(1_700_000_000_000 + id),"id":"e\#(id)"}"#
      cluster.produce(text, to: "events", partition: Int32(id % 3))
    }
    cluster.flush()
  }

  var kafka: [String] { ["--kafka", cluster.brokers, "--topic", "events", "--resume", directory.path + "/store"] }

  func pipeline(_ more: [String] = [], settling: Bool = false) throws -> ProcessChain {
    let index = ["seq-index", "--segment-size", "8K", "--segment-age", "300ms"] + (settling ? ["--settle"] : [])
    return try ProcessChain([["seq-ingest"] + kafka + more, ["seq-filter"], index], environment: environment)
  }

  @Test(arguments: [UInt64(1), 2]) func everyMessageIsStoredOnce(seed: UInt64) throws {
    cluster.create("events", partitions: 3)
    var random = SeededRandom(seed: seed)
    var count = 0
    for round in 0..<6 {
      let chain = try pipeline()
      for _ in 0..<Int.random(in: 2...6, using: &random) {
        let more = Int.random(in: 50...500, using: &random)
        produce(count..<count + more)
        count += more
        chain.run(seconds: Double.random(in: 0...0.3, using: &random))
      }
      let victim = Int.random(in: 0..<3, using: &random)
      chain.kill(victim)
      usleep(UInt32.random(in: 0..<50_000, using: &random))
      chain.kill(0)
      let ended = chain.wait()
      for process in ended {
        let isExpected = [.exited(0), .exited(2), .killed(signal: 9), .killed(signal: 13)].contains(process.end)
        #expect(isExpected, "seed \(seed), round \(round): \(process)")
      }
    }
    let ended = try pipeline(["--until", "now"], settling: true).wait()
    #expect(ended.haveSucceeded, "seed \(seed): \(ended)")
    try checkStore(count, "seed \(seed)")
  }

  /// Partitions go to a consumer whose rows reach no store, and come back: the store's positions decide from where.
  @Test func aRebalanceLosesNothingAndRepeatsNothing() throws {
    cluster.create("events", partitions: 3)
    let group = ["--group", "g", "--kafka-option", "session.timeout.ms=6000"]
    let first = try pipeline(group)
    produce(0..<1_000)
    first.run(seconds: 4)
    let taken = directory.path + "/taken"
    let second = try ProcessChain(
      [["seq-ingest"] + kafka + group, ["seq-filter", "--format", "ndjson"]], output: taken, environment: environment)
    var count = 1_000
    // The group gives the second its share when the first's session asks next: seconds, on a busy machine many.
    func hasTaken() -> Bool { SharedData.contents(of: taken)?.isEmpty == false }
    var rounds = 0
    while rounds < 16 || (!hasTaken() && rounds < 120) {
      produce(count..<count + 100)
      count += 100
      rounds += 1
      first.run(seconds: 0.5)
    }
    second.signal(0, SIGTERM)
    #expect(second.wait()[0].hasSucceeded)
    #expect(hasTaken(), "the second consumer got no partition")
    produce(count..<count + 500)
    count += 500
    first.run(seconds: 4)
    first.signal(0, SIGTERM)
    let ended = first.wait()
    #expect(ended[0].hasSucceeded, "\(ended)")
    #expect(try pipeline(["--until", "now"], settling: true).wait().haveSucceeded)
    try checkStore(count, "a rebalance")
  }

  /// All messages, none twice: as readers see them, and as the compacted files hold them.
  func checkStore(_ count: Int, _ comment: Comment) throws {
    let all = (0..<count).map { "e\($0)" }.sorted()
    for step in ["true", "seq-store compact >&2", "seq-store verify >&2"] {
      let rows = try Shell.run(
        "\(step) && seq-store cat d --format ndjson --columns id | grep -o '\"id\":\"[^\"]*\"' | cut -d'\"' -f4 | LC_ALL=C sort",
        in: directory.path, environment: environment)
      #expect(rows.hasSucceeded && rows.lines == all, "\(comment), after \(step): \(rows.lines.count) of \(count)")
    }
  }
}
