import Buffers
import Glibc
import NIOHTTP1
import Serving
import TestSupport
import Testing

@Suite struct BodyTests {
  private var limits: HTTPLimits {
    var limits = HTTPLimits()
    limits.bodyByteCount = 1_000
    limits.idleSeconds = 20
    return limits
  }

  private static let post = "POST /a HTTP/1.1\r\nHost: x\r\n"

  @Test func aBodyArrivesWhole() throws {
    let client = try ScriptedServer(limits: limits).client()
    client.send(Self.post + "Content-Length: 5\r\n\r\nhello")
    #expect(try client.receive()?.text == "POST /a hello")
    client.send(Self.post + "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: x\r\n\r\n")
    #expect(try client.receive()?.text == "POST /a hello")
    client.send(Self.post + "Content-Length: 1000\r\n\r\n" + String(repeating: "b", count: 400))
    client.send(String(repeating: "b", count: 600))
    #expect(try client.receive()?.body.count == 1_008)
    client.send("GET /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
    #expect(try client.receive()?.text == "GET /b ")
  }

  @Test func aBodyIsAwaitedWhenItsClientWaits() throws {
    let client = try ScriptedServer(limits: limits).client()
    client.send(Self.post + "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    #expect(try client.receive()?.status == 100)
    client.send("hello")
    #expect(try client.receive()?.text == "POST /a hello")
    client.send(Self.post + "Content-Length: 5\r\nExpect: 200-ok\r\n\r\nhello")
    #expect(try client.receive()?.status == 417)
    client.send(Self.post + "Content-Length: 5\r\nExpect: 100-continue\r\nContent-Encoding: gzip\r\n\r\n")
    #expect(try client.receive()?.status == 415)
  }

  @Test(arguments: [
    "Content-Length: 1001\r\n\r\n", "Content-Length: 99999999999999999999\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n"
      + String(repeating: "64\r\n\(String(repeating: "x", count: 100))\r\n", count: 11),
    "Transfer-Encoding: chunked\r\n\r\nfffffffffffff\r\n" + String(repeating: "x", count: 5_000),
  ]) func aBodyThatIsTooLongIsRefused(rest: String) throws {
    let client = try ScriptedServer(limits: limits).client()
    client.send(Self.post + rest)
    let answer = try client.receive()
    #expect(answer.map { [400, 413].contains($0.status) } ?? true, "\(answer?.status ?? 0)")
    #expect(answer?.headers["connection"] == "close")
    #expect(try client.receive() == nil)
  }

  @Test func aBodyThatIsPassedOverIsBoundedToo() throws {
    let client = try ScriptedServer(limits: limits).client()
    client.send("GET /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in 0..<11 { client.send("64\r\n\(String(repeating: "x", count: 100))\r\n") }
    #expect(try client.receive()?.status == 413)
    #expect(try client.receive() == nil)
  }

  // MARK: Answers in pieces

  /// 64 KiB, told by its number.
  private static func piece(_ number: Int) -> Buffer {
    Buffer([UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 1 << 16))
  }

  private static func streaming(_ count: Int) -> @Sendable (HTTPQuestion) -> HTTPReply {
    { _ in
      let chunks = ScriptedChunks { $0 < count ? piece($0) : nil }
      return .now(HTTPAnswer(.ok, contentType: "application/octet-stream", body: .chunks(chunks)))
    }
  }

  @Test func anAnswerInPiecesIsWhole() throws {
    let client = try ScriptedServer(answer: Self.streaming(40)).client()
    for _ in 0..<3 {
      let answer = try client.get("/")
      #expect(answer.headers["transfer-encoding"] == "chunked")
      #expect(answer.body == (0..<40).flatMap { [UInt8](repeating: UInt8($0), count: 1 << 16) })
    }
    client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(try client.receive(hasBody: false)?.headers["content-length"] == "\(40 << 16)")
    #expect(try client.get("/").body.count == 40 << 16)
  }

  @Test func piecesAreMadeAsTheClientTakesThem() throws {
    let chunks = ScriptedChunks { $0 < 10_000 ? Self.piece($0) : nil }
    let server = try ScriptedServer { question in
      guard question.path == ["pieces"] else { return ScriptedServer.echo(question) }
      return .now(HTTPAnswer(.ok, contentType: "x/y", body: .chunks(chunks)))
    }
    var client: HTTPClient? = try server.client()
    client?.send("GET /pieces HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(eventually { chunks.asked > 1 })
    usleep(500_000)
    // What the kernel's buffers of both ends hold, a few megabytes, and no more.
    let asked = chunks.asked
    #expect(asked < 500, "\(asked) of 10 000 pieces")
    #expect(try server.client().get("/other").status == 200)
    client = nil
    usleep(200_000)
    #expect(chunks.asked < 700)
  }

  @Test func anAnswerThatBreaksIsSeenToBeBroken() throws {
    struct Broken: Error {}
    let server = try ScriptedServer { _ in
      let chunks = ScriptedChunks { number in
        if number == 3 { throw Broken() }
        return Self.piece(number)
      }
      return .now(HTTPAnswer(.ok, contentType: "x/y", body: .chunks(chunks)))
    }
    let client = try server.client()
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(throws: ProgramFailure.self) { try client.receive() }
  }

  @Test func whatTakesLongHoldsNobodyUp() throws {
    let server = try ScriptedServer(threads: 1) { question in
      guard question.path == ["slow"] else { return ScriptedServer.echo(question) }
      return .later {
        usleep(1_500_000)
        return HTTPAnswer(text: "slow")
      }
    }
    let slow = try server.client()
    slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    let start = ContinuousClock.now
    let quick = try server.client()
    for _ in 0..<10 { #expect(try quick.get("/quick").text == "GET /quick ") }
    #expect(ContinuousClock.now - start < .milliseconds(1_400))
    #expect(try slow.receive()?.text == "slow")
  }

  // MARK: Coding

  private static let long = String(repeating: "sequence of events ", count: 500)

  private func server() throws -> ScriptedServer {
    try ScriptedServer { question in
      switch question.path {
      case ["short"]: return .now(HTTPAnswer(text: "short"))
      case ["pieces"]:
        let chunks = ScriptedChunks { $0 < 20 ? Buffer(Array(Self.long.utf8)) : nil }
        return .now(HTTPAnswer(.ok, contentType: "text/plain", body: .chunks(chunks)))
      default: return .now(HTTPAnswer(text: Self.long))
      }
    }
  }

  @Test(
    arguments: [
      (nil, nil), ("", nil), ("identity", nil), ("gzip", "gzip"), ("gzip, zstd", "zstd"), ("*", "zstd"),
      ("zstd;q=0.5, gzip;q=0.8", "gzip"), ("zstd;q=0, *", "gzip"), ("br", nil), ("GZIP;Q=1", "gzip"),
      ("gzip;q=0", nil), ("gzip;q=x", nil), ("gzip;q=2", nil), ("identity;q=1, gzip;q=0.5", nil), (";;,,=", nil),
      ("x-gzip", "gzip"), ("identity;q=0, gzip;q=0.001", "gzip"), ("gzip ; q=0.7 , zstd ; q=0.6", "gzip"),
    ] as [(String?, String?)])
  func theClientsChoiceIsTaken(accepted: String?, coding: String?) throws {
    let server = try server()
    for target in ["/long", "/pieces"] {
      let headers = accepted.map { ["Accept-Encoding": $0] } ?? [:]
      let answer = try server.client().get(target, headers: headers)
      #expect(answer.headers["content-encoding"] == coding, "\(target) \(accepted ?? "-")")
      #expect(answer.headers["vary"] == "accept, accept-encoding")
    }
    #expect(try server.client().get("/short", headers: ["Accept-Encoding": "gzip"]).headers["content-encoding"] == nil)
    let forced = try server.client().get("/short", headers: ["Accept-Encoding": "gzip, identity;q=0"])
    #expect(forced.headers["content-encoding"] == "gzip")
  }

  @Test(arguments: ["gzip", "zstd"]) func whatIsCompressedIsTheSame(coding: String) throws {
    let tool = try #require(Tool.find(coding), "\(coding) is not installed")
    let server = try server()
    for (target, text) in [("/long", Self.long), ("/pieces", String(repeating: Self.long, count: 20))] {
      let answer = try server.client().get(target, headers: ["Accept-Encoding": coding])
      #expect(answer.body.count < text.utf8.count / 4)
      let decoded = try Tool.run(tool, ["-d", "-c"], input: Buffer(answer.body))
      #expect(decoded.status == 0 && decoded.output == Buffer(Array(text.utf8)), "\(target): \(decoded.errors)")
    }
  }
}
