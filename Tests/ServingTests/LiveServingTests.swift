import Engine
import Glibc
import JSONText
import SequenceStore
import Synchronization
import TestSupport
import Testing

/// seq-serve beside the streaming pipeline, all as processes.
@Suite(.serialized) struct LiveServingTests {
  /// A log, the pipeline that follows it into a store that is not there at first, and a server.
  private final class Stream {
    let made: ServedStore
    let server: RunningServer
    private let pipeline: ProcessChain
    private let log: Int32
    /// The first is the item of the first event.
    static let firstItem: Int64 = 1_000

    init(segmentAge: String) throws {
      made = try ServedStore(0)
      let path = made.directory.path
      made.directory.write("", to: "events.ndjson")
      log = unsafe open("\(path)/events.ndjson", O_WRONLY | O_APPEND)
      server = try RunningServer(
        ["--store", made.store.path, "--definitions", "\(path)/definitions.json"], in: path)
      pipeline = try ProcessChain(
        [
          ["seq-ingest", "--follow", "\(path)/events.ndjson"], ["seq-filter"], ["seq-enrich"],
          ["seq-index", "--segment-age", segmentAge],
        ], environment: ["SEQ_DEFINITIONS": "\(path)/definitions.json", "SEQ_STORE": made.store.path])
    }

    deinit { close(log) }

    /// Appends one save for each user.
    func append(_ number: Int64, users: Range<Int>) {
      let text = users.map { user in
        let event: JSONValue = [
          "id": .string("\(user)-\(number)"), "user": .integer(Int64(user)), "rev": 0, "kind": "save",
          "ts": .integer(ServedStore.startMicros / 1_000 + number), "item": .integer(Self.firstItem + number),
        ]
        return event.text + "\n"
      }.joined()
      let bytes = Array(text.utf8)
      _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(log, $0.baseAddress, $0.count) }
    }

    static func target(_ user: Int) -> String { "/v1/sequences/saves/users/\(user)?until=2027-01-01T00:00:00Z" }

    /// The items of an answer, less the first.
    static func numbers(_ answer: HTTPResponse) -> [Int64] {
      answer.json["events"]?.array?.compactMap { $0["item_id"]?.integer.map { $0 - firstItem } } ?? []
    }

    func client() throws -> HTTPClient { try HTTPClient(port: server.port) }
  }

  @Test func anEventIsServedAMomentAfterItWasAppended() throws {
    let stream = try Stream(segmentAge: "400ms")
    let client = try stream.client()
    #expect(try client.get("/readyz").status == 503)
    var waits: [Double] = []
    for number in Int64(0)..<300 {
      let start = Monotonic.now
      stream.append(number, users: 1..<2)
      var seen: [Int64] = []
      while Monotonic.now < start + 20 {
        seen = Stream.numbers(try client.get(Stream.target(1)))
        if seen.last == number { break }
      }
      try #require(seen == Array(0...number))
      if number >= 20 { waits.append(Monotonic.now - start) }
      usleep(2_000)
    }
    waits.sort()
    print("append to visible: p50 \(waits[waits.count / 2] * 1e3) ms, p99 \(waits[waits.count * 99 / 100] * 1e3) ms")
    #expect(waits[waits.count / 2] < 1)
    let metrics = try client.get("/metrics").text
    #expect(metrics.contains(#"seqline_live_lag_seconds{event_type="save"}"#))
    #expect(metrics.contains(#"seqline_definitions_info{version="0","#))
    #expect(try client.get(Stream.target(1)).json["tables"]?["events"] != nil, "no segment was rolled")
  }

  @Test func whileSegmentsRollNothingIsMissingOrTwice() throws {
    let stream = try Stream(segmentAge: "150ms")
    let isOver = Atomic(false)
    let problems = Mutex<[String]>([])
    let readers = try (0..<3).map { number in
      let client = try stream.client()
      return Reader(client: client, users: (0..<8).map { ($0 + number) % 8 })
    }
    let rounds = Atomic(0)
    let threads = readers.map { reader in
      startThread {
        var latest = [Int64](repeating: -1, count: 8)
        while !isOver.load(ordering: .acquiring) {
          for user in reader.users {
            guard let answer = try? reader.client.get(Stream.target(user)) else { continue }
            let found = Stream.numbers(answer)
            let last = found.last ?? -1
            let expected = Array(max(0, last - 499)...max(0, last))
            if answer.status != 200 || last < latest[user] || last >= 0 && found != expected {
              problems.withLock { $0.append("user \(user), after \(latest[user]): \(answer.text.prefix(2_000))") }
            }
            latest[user] = max(latest[user], last)
            rounds.add(1, ordering: .relaxed)
          }
        }
      }
    }
    for number in Int64(0)..<700 {
      stream.append(number, users: 0..<8)
      usleep(5_000)
    }
    let client = try stream.client()
    let deadline = Monotonic.now + 200
    while Monotonic.now < deadline, try Stream.numbers(client.get(Stream.target(7))).last != 699 { usleep(5_000) }
    isOver.store(true, ordering: .releasing)
    for thread in threads { pthread_join(thread, nil) }
    #expect(problems.withLock { $0 } == [])
    let refreshes = try client.get("/metrics").text.firstMatch(of: /seqline_refreshes_total ([0-9]+)/)
    #expect(Int(refreshes?.1 ?? "0") ?? 0 > 3)
    #expect(rounds.load(ordering: .relaxed) > 100)
    for user in 0..<8 { #expect(Stream.numbers(try client.get(Stream.target(user))).last == 699) }
  }

  /// What one thread reads with.
  private final class Reader: @unchecked Sendable {
    // SAFETY: one thread uses it.
    let client: HTTPClient
    let users: [Int]

    init(client: HTTPClient, users: [Int]) { (self.client, self.users) = (client, users) }
  }

  @Test func newerDefinitionsAreServedWithoutARestart() throws {
    let made = try ServedStore(300)
    let path = made.directory.path
    let server = try RunningServer(["--store", made.store.path], in: path)
    let client = try HTTPClient(port: server.port)
    func status(_ sequence: String, _ wanted: Int) throws -> Int {
      let deadline = Monotonic.now + 200
      var status = 0
      while status != wanted, Monotonic.now < deadline {
        status = try client.get("/v1/sequences/\(sequence)/users/1").status
        usleep(2_000)
      }
      return status
    }
    #expect(try status("newest", 404) == 404)
    let text = ServedStore.definitions.replacing("USER", with: "int64").replacing(#""saves""#, with: #""newest""#)
    made.directory.write(text, to: "definitions.py")
    try made.run("seq-config compile definitions.py -o definitions.json")
    try made.index(300, seed: 1)
    #expect(try status("newest", 200) == 200 && status("saves", 404) == 404)
    made.directory.write("{", to: "store/definitions/broken.json")
    try made.run("echo broken.json > store/new && mv store/new store/definitions/CURRENT")
    let deadline = Monotonic.now + 200
    while !server.messages.contains("broken.json"), Monotonic.now < deadline { usleep(5_000) }
    usleep(1_200_000)
    #expect(server.messages.split(separator: "\n").filter { $0.contains("broken.json") }.count == 1)
    #expect(try status("newest", 200) == 200)
  }
}
