import Engine
import Glibc
import Serving
import TestSupport
import Testing

/// Clients that send what no good client sends: each gets a clean answer or none, and the others notice nothing.
@Suite struct HostileConnectionTests {
  private static let get = "GET /a HTTP/1.1\r\nHost: x\r\n"
  private static let post = "POST /a HTTP/1.1\r\nHost: x\r\n"

  /// What could be read as two requests by one and as one by another.
  static let smuggled = [
    post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n",
    post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n",
    post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    post + "Content-Length: 5, 5\r\n\r\nhello", post + "Content-Length: +5\r\n\r\nhello",
    post + "Content-Length: 0x5\r\n\r\nhello", post + "Content-Length: -1\r\n\r\n",
    post + "Content-Length: 5 5\r\n\r\nhello",
    post + "Content-Length:\r\n\r\n", post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    post + "Transfer-Encoding: \u{0b}chunked\r\n\r\n0\r\n\r\n", post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    post + "Transfer-Encoding\r\n\r\n0\r\n\r\n", "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    post + "Transfer-Encoding: chunked\r\n\r\n5;x\nhello\r\n0\r\n\r\n",
    post + "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    post + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n",
    post + "Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n",
    get + "X: a\r\n b\r\n\r\n", get + " X: a\r\n\r\n", get + "X : a\r\n\r\n", get + ": a\r\n\r\n", get + "X\r\n\r\n",
    get + "X: a\u{0}b\r\n\r\n", get + "X: a\rb\r\n\r\n", get + "X: a\r\r\n\r\n",
    "GET /a HTTP/1.1\nHost: x\n\n", "GET /a HTTP/1.1\r\nHost: x\nX: y\r\n\r\n",
    "GET /a HTTP/1.1\r\n\r\n", get + "Host: y\r\n\r\n", "GET /a HTTP/1.1\r\nHost: x, y\r\nHost: z\r\n\r\n",
  ]

  /// Each is refused as a whole: nothing in it is taken for a second request.
  @Test(arguments: smuggled) func aRequestThatCanBeReadInTwoWaysIsRefused(text: String) throws {
    let client = try ScriptedServer().client()
    client.send(text)
    let answer = try client.receive()
    #expect(
      answer.map { (400...501).contains($0.status) } ?? true, "\(text): \(answer?.status ?? 0) \(answer?.text ?? "")")
    #expect(try client.receive() == nil, "\(text)")
  }

  static let odd: [(text: String, statuses: [Int])] = [
    ("GET a HTTP/1.1\r\nHost: x\r\n\r\n", [400]), ("GET * HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", [400]), ("CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    ("GET ftp://x/a HTTP/1.1\r\nHost: x\r\n\r\n", [400]), ("GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    ("GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", [400]), ("GET /a%0d%0aX HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    ("GET /%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n", [400]), ("GET /%c0%af HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    ("GET /%ed%a0%80 HTTP/1.1\r\nHost: x\r\n\r\n", [400]), ("GET /a?x=%1 HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    ("GET /a?%7f HTTP/1.1\r\nHost: x\r\n\r\n", [400]), ("GET /%u0041 HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    ("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", [400]), ("GET /a HTTP/1.1 \r\nHost: x\r\n\r\n", [400]),
    ("GET /a HTTP/3.0\r\nHost: x\r\n\r\n", [400, 505]), ("GET /a HTTP/2.0\r\nHost: x\r\n\r\n", [400, 505]),
    ("GET /a HTTP/0.9\r\n\r\n", [400, 505]), ("get /a HTTP/1.1\r\nHost: x\r\n\r\n", [400]),
    ("GET /a\r\n\r\n", [400, 505]), ("GET /a HTCPCP/1.0\r\nHost: x\r\n\r\n", [400]),
    ("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", [400, 505]),
    (get + "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", [400]),
    ("GET /\(String(repeating: "a", count: 9_000)) HTTP/1.1\r\nHost: x\r\n\r\n", [414]),
    ("GET /\(String(repeating: "a", count: 90_000)) HTTP/1.1\r\nHost: x\r\n\r\n", [414, 431]),
    (get + "X: \(String(repeating: "a", count: 20_000))\r\n\r\n", [431]),
    (get + "\(String(repeating: "a", count: 20_000)): x\r\n\r\n", [431]),
    (get + String(repeating: "X: y\r\n", count: 101) + "\r\n", [431]),
    (get + (0..<90).map { "X\($0): \(String(repeating: "y", count: 900))\r\n" }.joined() + "\r\n", [431]),
  ]

  @Test(arguments: odd) func whatIsNotServedIsSaid(text: String, statuses: [Int]) throws {
    let server = try ScriptedServer()
    let client = try server.client()
    client.send(text)
    let status = try client.receive()?.status
    #expect(status.map(statuses.contains) ?? (statuses.contains(400)), "\(text.prefix(60)): \(status ?? 0)")
    #expect(try server.client().get("/a").text == "GET /a ")
  }

  @Test func bytesThatAreNoTextAreRefused() throws {
    let server = try ScriptedServer()
    for byte: UInt8 in [0x00, 0x01, 0x7f, 0x80, 0xff] {
      for (before, after) in [
        ("GET /", " HTTP/1.1\r\nHost: x\r\n\r\n"), ("GET /a HTTP/1.1\r\nHost: x\r\nX", ": y\r\n\r\n"),
      ] {
        let client = try server.client()
        client.send(Array(before.utf8) + [byte] + Array(after.utf8))
        let status = try client.receive()?.status
        #expect(status.map { $0 == 400 } ?? true, "\(byte): \(status ?? 0)")
      }
    }
  }

  static let paths: [(target: String, path: String)] = [
    ("/a/%2e%2e/b", "a|..|b"), ("/a/../b", "a|..|b"), ("/a%2Fb", "a/b"), ("//a", "|a"), ("/a//b/", "a||b|"),
    ("/./a", ".|a"), ("/a;b", "a;b"), ("/a\\..\\b", "a\\..\\b"), ("http://elsewhere/a?x", "a"),
    ("HTTPS://x/a/b", "a|b"),
    ("http://x", ""), ("/a?b/../c", "a"), ("/?/", ""), ("/%41", "A"), ("/+", "+"),
  ]

  /// A segment is a segment whatever it holds: nothing climbs, nothing is joined.
  @Test(arguments: paths) func aPathIsItsSegments(target: String, path: String) throws {
    #expect(try ScriptedServer().client().get(target).text == "GET /\(path) ")
  }

  // MARK: Slow and many

  private func limits(idle seconds: Double) -> HTTPLimits {
    var limits = HTTPLimits()
    limits.idleSeconds = seconds
    return limits
  }

  /// A byte now and then keeps no connection open.
  @Test(arguments: ["GET /a HTTP/1.1\r\nHost: x\r\nX: ", "", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
  func aHeadThatNeverEndsIsNotAwaited(start: String) throws {
    let server = try ScriptedServer(limits: limits(idle: 0.5))
    let slow = try server.client()
    slow.send(start)
    let begin = ContinuousClock.now
    while ContinuousClock.now - begin < .milliseconds(800), !start.isEmpty {
      if start.hasPrefix("GET") { slow.send("x") }
      usleep(20_000)
    }
    // What HTTP/2's beginning is answered with is no HTTP/1; that the connection ends is what counts.
    while let answer = try? slow.receive() { #expect(answer.status == 408) }
    #expect(try server.client().get("/a").text == "GET /a ")
  }

  @Test func aBodyThatNeverEndsIsNotAwaited() throws {
    let server = try ScriptedServer(limits: limits(idle: 0.5))
    let slow = try server.client()
    slow.send(Self.post + "Content-Length: 500000\r\n\r\n")
    for _ in 0..<60 {
      slow.send("x")
      usleep(20_000)
    }
    #expect(try slow.receive().map { $0.status == 408 } ?? true)
    #expect(try slow.receive() == nil)
  }

  /// What is to happen later to a connection finds it gone.
  @Test func whoLeavesAtAnyMomentHarmsNobody() throws {
    let server = try ScriptedServer(limits: limits(idle: 0.3))
    let starts = [
      Self.post + "Content-Length: 99999999\r\n\r\nx", Self.post + "Content-Length: 9\r\n\r\nx", "x\r\n\r\n", Self.get,
      Self.get + "\r\n", Self.post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
    ]
    for number in 0..<120 {
      let client = try server.client()
      client.send(starts[number % starts.count])
      if number % 2 == 0 { usleep(2_000) }
      if number % 3 == 0 { _ = try client.receive() }
    }
    usleep(1_600_000)
    #expect(try server.client().get("/a").text == "GET /a ")
  }

  @Test func whoTakesNothingIsNotAwaited() throws {
    let server = try ScriptedServer(limits: limits(idle: 0.5)) { _ in
      .now(HTTPAnswer(text: String(repeating: "x", count: 30_000_000)))
    }
    let client = try server.client()
    client.send(Self.get + "\r\n")
    #expect(eventually { (try? PrometheusSamples(server.metrics.text))?["seqline_connections", [:]] == 1 })
    #expect(eventually { (try? PrometheusSamples(server.metrics.text))?["seqline_connections", [:]] == 0 })
    #expect(throws: ProgramFailure.self) { try client.receive() }
  }

  @Test func connectionsBeyondTheLimitAreToldSo() throws {
    var limits = HTTPLimits()
    limits.connectionCount = 3
    let server = try ScriptedServer(limits: limits)
    var clients = try (0..<3).map { _ in try server.client() }
    for client in clients { #expect(try client.get("/a").status == 200) }
    let refused = try server.client()
    refused.send(Self.get + "\r\n")
    let answer = try refused.receive()
    #expect(answer?.status == 503 && answer?.headers["retry-after"] == "1")
    #expect(try refused.receive() == nil)
    for client in clients { #expect(try client.get("/a").status == 200) }
    clients.removeLast()
    #expect(try eventually { try server.client().get("/a").status == 200 })
  }

  /// Each thousand may cost memory while it is there, but not for good. Other tests of the process take memory, too: some two
  /// thousand of many are without.
  @Test func aThousandIdleConnectionsHarmNobody() throws {
    DescriptorLimit.raise()
    let server = try ScriptedServer()
    let client = try server.client()
    var sizes: [Int] = []
    func growth() -> Int? { sizes.count < 3 ? nil : sizes[sizes.count - 1] - sizes[sizes.count - 3] }
    while sizes.count < 12, growth() ?? .max >= 64 << 20 {
      let idle = try (0..<1_000).map { number in
        let idle = try server.client()
        if number % 2 == 0 { idle.send("GET /a HTTP/1.1\r\nHost: ") }
        return idle
      }
      for _ in 0..<50 { #expect(try client.get("/a").text == "GET /a ") }
      sizes.append(residentBytes)
      withExtendedLifetime(idle) {}
    }
    #expect(growth()! < 64 << 20, "\(sizes)")
    #expect(try eventually { try PrometheusSamples(server.metrics.text)["seqline_connections", [:]] == 1 })
  }

  private var residentBytes: Int {
    let text = String(decoding: SharedData.contents(of: "/proc/self/statm") ?? [], as: UTF8.self)
    return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * 4_096
  }

  /// Requests ahead without end, whose answers nobody takes: the server stops reading.
  @Test func whatNobodyTakesIsNotHeld() throws {
    let server = try ScriptedServer { _ in .now(HTTPAnswer(text: String(repeating: "x", count: 200_000))) }
    let client = try server.client()
    let requests = Array(String(repeating: Self.get + "\r\n", count: 1_000).utf8)
    let before = residentBytes
    var sent = 0
    for _ in 0..<20 {
      while case let count = client.sendWithoutWaiting(requests), count > 0 { sent += count }
      #expect(try server.client().get("/a").status == 200)
      usleep(20_000)
    }
    #expect(sent < 16 << 20, "\(sent) bytes, each thirty of which ask for 200 000")
    #expect(residentBytes - before < 256 << 20)
  }
}
