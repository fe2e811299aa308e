import Engine
import Frames
import Glibc
import JSONText
import KafkaConnector
import TestSupport
import Testing

/// `seq-ingest --kafka` as a process of its own against mock brokers in this one.
@Suite(.serialized) struct KafkaIngestTests {
  let directory = TemporaryDirectory()
  let cluster: MockCluster
  let definitions: String

  static let source = """
    from seqline import *
    log = Source("log", path="*.ndjson", user="user", ts="ts", id="id", lateness="1d",
                 fields={"user": "int64", "ts": "timestamp[ms]", "id": "string", "_kafka.key": "string",
                         "_kafka.partition": "int32", "_kafka.offset": "int64", "_kafka.timestamp": "timestamp[ms]",
                         "_kafka.headers.trace_id": "string", "_kafka.headers.hop": "int32"})
    EventType("any", source=log, owner="t", retention="9d", dataset="d", columns={"key": "_kafka.key"})
    """

  init() throws {
    cluster = try MockCluster()
    directory.write(Self.source, to: "definitions.py")
    definitions = directory.path + "/definitions.json"
    try Shell.succeed("seq-config compile definitions.py -o definitions.json", in: directory.path)
  }

  func event(_ id: Int) -> String { #"{"user":\#(id % 7),"ts":\#(1_700_000_000_000 + id),"id":"e\#(id)"}"# }

  /// Produces events over the partitions.
  func produce(_ ids: Range<Int>, partitions: Int32 = 4, millis: Int64 = 0) {
    for id in ids {
      cluster.produce(event(id), to: "events", partition: Int32(id) % partitions, key: "k\(id % 5)", millis: millis)
    }
    cluster.flush()
  }

  var environment: [String: String] { ["SEQ_DEFINITIONS": definitions, "BROKERS": cluster.brokers] }

  func run(_ flags: String) throws -> ShellResult {
    try Shell.run(
      "seq-ingest --kafka $BROKERS --topic events \(flags)", in: directory.path, environment: environment)
  }

  /// The ids that NDJSON lines have.
  func ids(_ lines: [String]) throws -> [Int] {
    try lines.map { line in
      Int(try JSONValue(parsing: line)["id"]!.string!.dropFirst())!
    }
  }

  /// The ids and positions of frames, as far as they go.
  func frames(_ name: String) throws -> (ids: [Int], offsets: [Int64: Int64]) {
    let file = unsafe open(directory.path + "/" + name, O_RDONLY)
    guard file >= 0 else { return ([], [:]) }
    defer { close(file) }
    var reader = FrameReader(fileDescriptor: file)
    var found: (ids: [Int], offsets: [Int64: Int64]) = ([], [:])
    while let (frame, _) = try? reader.nextFrame() {
      switch frame {
      case .data(_, let batches):
        for batch in batches { found.ids += batch["id"]!.allValues.map { Int($0.string!.dropFirst())! } }
      case .control(.position(let source, let partition?, let offset)):
        #expect(source == "kafka:events")
        found.offsets[partition] = offset
      case .control: break
      }
    }
    return found
  }

  // MARK: Reading

  @Test func everyMessageComesOnceAndThenTheEnd() throws {
    cluster.create("events", partitions: 4)
    produce(0..<5_000)
    let result = try run("--until now > out.frames")
    #expect(result.hasSucceeded, "\(result)")
    let found = try frames("out.frames")
    #expect(found.ids.sorted() == Array(0..<5_000))
    #expect(found.offsets == [0: 1250, 1: 1250, 2: 1250, 3: 1250])
    #expect(try run("--from end --until now --format ndjson").lines.isEmpty)
    // Its end mark makes the stream complete for the next stage.
    #expect(try run("--until now | seq-filter --format ndjson").lines.count == 5_000)
  }

  @Test func aMessagesKeyHeadersAndPlaceAreFields() throws {
    cluster.create("events", partitions: 2)
    cluster.produce(
      event(1), to: "events", partition: 1, key: "k\"1", millis: 1_700_000_000_123,
      headers: [("trace-id", "old"), ("trace-id", "t1"), ("hop", "12")])
    cluster.produce(#" { "user":1,"ts":5,"id":"e2" } "#, to: "events", partition: 1)
    cluster.flush()
    let lines = try run("--until now --format ndjson --timestamps ms").lines
    let rows = try lines.map { try JSONValue(parsing: $0) }
    try #require(rows.count == 2)
    let text = rows.map(\.text).joined()
    #expect(text.contains(#""_kafka.key":"k\"1""#) || text.contains(#""key":"k\"1""#), "\(text)")
    #expect(
      text.contains("t1") && !text.contains("old") && text.contains("12") && text.contains("1700000000123"), "\(text)")
  }

  @Test func malformedMessagesGoToTheDeadLettersAsTheyCame() throws {
    cluster.create("events", partitions: 1)
    let bad = [#"{"user":1,"ts":5}"#, "no json", "{}", #"{"user":1,"ts":5,"id":"x"}}"#, #"{"user":1,"#]
    cluster.produce(event(1), to: "events", partition: 0)
    for text in bad { cluster.produce(text, to: "events", partition: 0) }
    cluster.produce(nil, to: "events", partition: 0, key: "gone")
    cluster.produce(event(2) + "\noops\n" + event(3), to: "events", partition: 0)
    cluster.flush()
    let result = try run("--until now --format ndjson --dead-letters dead --columns id")
    #expect(try ids(result.lines) == [1, 2, 3])
    let letters = try Shell.succeed("cat dead", in: directory.path).split(separator: "\n").map {
      try JSONValue(parsing: String($0))
    }
    #expect(letters.map { $0["text"]?.string } == bad + ["oops"])
    #expect(letters.map { $0["offset"]?.integer } == [1, 2, 3, 4, 5, 7])
    #expect(letters.allSatisfy { $0["partition"]?.integer == 0 && $0["source"]?.string == "kafka:events" })
  }

  /// The mock brokers know of no times and answer that no message is so late.
  @Test func timesAreAskedOfTheBrokers() throws {
    cluster.create("events", partitions: 2)
    produce(0..<100, partitions: 2)
    #expect(try run("--from -3d --until now --format ndjson").lines.isEmpty)
    #expect(try run("--until 2020-01-01T00:00:00Z --format ndjson").lines.count == 100)
  }

  /// Runs `body` with the address of a proxy before the brokers that shows some partitions and knows messages' times: that at
  /// offset n of the hundred in a partition is of 1700000000000 + 1000 n.
  private func withProxy(_ body: (_ address: String, _ show: (Int) -> Void) throws -> Void) throws {
    let script = SharedData.packageRoot + "/Tests/KafkaConnectorTests/fixtures/growing_proxy.py"
    directory.write("2", to: "partitions")
    let proxy = try background("exec python3 \(script) $BROKERS partitions 1700000000000 100 > address")
    defer {
      proxy.terminate()
      _ = proxy.wait()
    }
    func address() -> String {
      String(decoding: SharedData.contents(of: directory.path + "/address") ?? [], as: UTF8.self)
    }
    try waitUntil { address().hasSuffix("\n") }
    try body(String(address().dropLast())) { count in
      directory.write("\(count)", to: "next")
      unsafe rename(directory.path + "/next", directory.path + "/partitions")
    }
  }

  @Test(arguments: ["--from begin", "--from end", "--group g --kafka-option session.timeout.ms=6000"])
  func partitionsThatAreAddedAreReadFromTheirBegin(flags: String) throws {
    cluster.create("events", partitions: 4)
    produce(0..<400)
    try withProxy { address, show throws in
      let ingest = try background(
        "exec seq-ingest --kafka \(address) --topic events \(flags) --kafka-option topic.metadata.refresh.interval.ms=200 > out"
      )
      // Those that come while two partitions are shown are read of these.
      var next = 400
      try waitUntil {
        produce(next..<next + 4)
        next += 4
        let ids = try frames("out").ids.filter { $0 >= 400 }
        return ids.contains { $0 % 4 == 0 } && ids.contains { $0 % 4 == 1 }
      }
      #expect(try frames("out").ids.allSatisfy { $0 % 4 < 2 })
      show(4)
      let added = (0..<next).filter { $0 % 4 >= 2 }
      try waitUntil { try frames("out").ids.count { $0 % 4 >= 2 } >= added.count }
      produce(next..<next + 100)
      next += 100
      // The last message of each partition.
      try waitUntil { try Set(frames("out").ids).isSuperset(of: next - 4..<next) }
      ingest.terminate()
      #expect(ingest.wait()[0].hasSucceeded)
      let ids = try frames("out").ids
      #expect(ids.filter { $0 % 4 >= 2 }.sorted() == (0..<next).filter { $0 % 4 >= 2 })
      // Each partition has its own end.
      for partition in 0..<2 {
        let own = ids.filter { $0 % 4 == partition }.sorted()
        let first = own.first ?? 0
        #expect(own == Array(stride(from: first, to: next, by: 4)))
        #expect((first >= 400) == flags.hasSuffix("end"))
      }
    }
  }

  @Test func timesSayWhereToBeginAndEnd() throws {
    cluster.create("events", partitions: 2)
    produce(0..<200, partitions: 2)
    try withProxy { address, _ throws in
      func offsets(_ flags: String) throws -> [Int] {
        let result = try Shell.run(
          "seq-ingest --kafka \(address) --topic events \(flags) --format ndjson --columns id", in: directory.path,
          environment: environment)
        let found = try ids(result.lines)
        #expect(result.hasSucceeded && found.count { $0 % 2 == 0 } * 2 == found.count, "\(result)")
        return found.filter { $0 % 2 == 0 }.map { $0 / 2 }.sorted()
      }
      // 2023-11-14T22:13:20Z is the first message's time.
      #expect(try offsets("--from 2023-11-14T22:13:50Z --until now") == Array(30..<100))
      #expect(try offsets("--until 2023-11-14T22:13:50.500Z") == Array(0..<31))
      #expect(try offsets("--from 2023-11-14T22:14:00Z --until 2023-11-14T22:14:10Z") == Array(40..<50))
      #expect(try offsets("--from 2023-01-01 --until 2024-01-01") == Array(0..<100))
      #expect(try offsets("--from 2023-12-01 --until now").isEmpty)
    }
  }

  /// What a killed run had not yet said a position of comes again, and nothing else.
  @Test(arguments: [1, 2, 3])
  func aStoresPositionsGiveEveryMessageOnce(seed: UInt64) throws {
    cluster.create("events", partitions: 3)
    var random = SeededRandom(seed: seed)
    var positions: [Int64: Int64] = [:]
    var kept: [String] = []
    var next = 0
    while next < 3_000 {
      let count = Int.random(in: 100..<900, using: &random)
      produce(next..<next + count, partitions: 3)
      next += count
      let known = positions
      var settings = KafkaSettings(
        brokers: cluster.brokers, topic: "events", group: Bool.random(using: &random) ? "g\(next)" : nil,
        end: .now)
      settings.resumes = true
      let source = try KafkaSource(settings, envelope: KafkaEnvelope(fields: [])) {
        SourcePositionLookup { _, partition in known[partition!] }
      }
      // As a store does: rows count once a position covers them.
      var uncovered: [String] = []
      let units = next < 3_000 ? Int.random(in: 1..<6, using: &random) : Int.max
      for _ in 0..<units {
        guard let unit = try source.next() else { break }
        switch unit {
        case .messages(let block):
          uncovered += unsafe block.bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
            .split(separator: "\n").map(String.init)
        case .position(let position):
          guard case .position(_, let partition?, let offset) = position else { continue }
          positions[partition] = offset
          kept += uncovered.filter { Int64(Self.id($0) % 3) == partition }
          uncovered.removeAll { Int64(Self.id($0) % 3) == partition }
          source.wrote(position)
        default: Issue.record("\(unit)")
        }
      }
    }
    #expect(kept.map(Self.id).sorted() == Array(0..<next))
  }

  static func id(_ line: String) -> Int { Int(line.split(separator: "\"e").last!.prefix { $0.isNumber })! }

  // MARK: Groups

  @Test func aGroupGoesOnWhereItWas() throws {
    cluster.create("events", partitions: 4)
    produce(0..<1_000)
    let first = try run("--group g --kafka-option session.timeout.ms=6000 --until now --format ndjson --columns id")
    #expect(try ids(first.lines).sorted() == Array(0..<1_000), "\(first.errors)")
    produce(1_000..<1_500)
    let second = try run("--group g --kafka-option session.timeout.ms=6000 --until now --format ndjson --columns id")
    #expect(try ids(second.lines).sorted() == Array(1_000..<1_500), "\(second.errors)")
    let other = try run("--group other --until now --format ndjson --columns id")
    #expect(try ids(other.lines).count == 1_500)
  }

  @Test func twoConsumersShareAndHandOver() throws {
    cluster.create("events", partitions: 8)
    let command = "exec seq-ingest --kafka $BROKERS --topic events --group g --kafka-option session.timeout.ms=6000"
    let first = try background("\(command) > a.frames")
    produce(0..<2_000, partitions: 8)
    try waitUntil { try frames("a.frames").ids.count == 2_000 }
    let second = try background("\(command) > b.frames")
    var next = 2_000
    try waitUntil {
      produce(next..<next + 200, partitions: 8)
      next += 200
      usleep(200_000)
      return try frames("b.frames").ids.count > 500
    }
    first.terminate()
    #expect(first.wait()[0].hasSucceeded)
    produce(next..<next + 1_000, partitions: 8)
    next += 1_000
    try waitUntil { Set(try frames("a.frames").ids + frames("b.frames").ids).count == next }
    second.terminate()
    #expect(second.wait()[0].hasSucceeded)
    let all = try frames("a.frames").ids + frames("b.frames").ids
    #expect(Set(all) == Set(0..<next))
    // The mock brokers refuse to commit while a group changes, which Kafka does not: what was read last comes again.
    #expect(all.count < 3 * next)
  }

  // MARK: Errors

  @Test func whatIsWrongIsSaid() throws {
    let script = "seq-ingest --topic events --kafka"
    func errors(_ flags: String) throws -> String {
      let result = try Shell.run("\(script) \(flags)", in: directory.path, environment: environment)
      #expect(result.status == .exited(2))
      return result.errors
    }
    #expect(try errors("$BROKERS --kafka-option no.such=1").contains("No such configuration property"))
    #expect(try errors("$BROKERS --from stored").contains("--group or --resume"))
    #expect(try errors("$BROKERS --from yesterday").contains("--from"))
    #expect(try errors("$BROKERS file").contains("cannot be given together"))
  }

  // MARK: Helpers

  func background(_ script: String) throws -> Background {
    Background(
      try ProcessChain([["bash", "-c", "cd \(directory.path)\n\(script)"]], environment: environment), directory)
  }

  struct Background {
    private let chain: ProcessChain

    init(_ chain: ProcessChain, _ directory: TemporaryDirectory) { self.chain = chain }

    func terminate() { chain.signal(0, SIGTERM) }
    func kill() { chain.kill(0) }
    func wait() -> [FinishedProcess] { chain.wait() }
  }

  func waitUntil(seconds: Double = 300, _ isDone: () throws -> Bool, _ location: SourceLocation = #_sourceLocation)
    throws
  {
    let deadline = Monotonic.now + seconds
    while Monotonic.now < deadline {
      if try isDone() { return }
      usleep(50_000)
    }
    Issue.record("it took longer than \(seconds) s", sourceLocation: location)
  }
}
