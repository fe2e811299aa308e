import Glibc
import JSONText
import Serving
import TestSupport
import Testing

@Suite struct ConnectionTests {
  @Test func aConnectionAnswersManyRequestsAlsoAhead() throws {
    let server = try TestServer(ServedStore(500))
    let client = try server.client()
    for _ in 0..<200 { #expect(try client.get("/healthz").text == "ok\n") }
    let targets = (0..<50).map { "/v1/sequences/all/users/\($0)?until=2026-11-20T00:00:00Z" }
    client.send(targets.map { "GET \($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
    for number in 0..<50 { #expect(try client.receive()?.json["user"] == .string("\(number)")) }
  }

  /// Whatever the answers take.
  private func slowServer() throws -> ScriptedServer {
    try ScriptedServer { question in
      guard question.path == ["slow"] else { return ScriptedServer.echo(question) }
      return .later {
        usleep(100_000)
        return HTTPAnswer(text: "slow")
      }
    }
  }

  @Test func answersComeInTheOrderOfTheRequests() throws {
    let client = try slowServer().client()
    let targets = ["/slow", "/1", "/%zz", "/slow", "/slow", "/2", "/%zz", "/%zz", "/3"]
    for _ in 0..<5 {
      client.send(targets.map { "GET \($0) HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" }.joined())
      for target in targets {
        let answer = try #require(try client.receive())
        #expect(answer.status == (target == "/%zz" ? 400 : 200))
        if answer.status == 200 { #expect(answer.text == (target == "/slow" ? "slow" : "GET \(target) ")) }
      }
    }
  }

  @Test func manyRefusedRequestsAheadAreAllAnswered() throws {
    let client = try slowServer().client()
    let request = "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"
    client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" + String(repeating: request, count: 5_000))
    #expect(try client.receive()?.text == "slow")
    for _ in 0..<5_000 { #expect(try client.receive()?.status == 400) }
  }

  @Test func whoSendsNothingMoreIsStillAnswered() throws {
    let server = try slowServer()
    for _ in 0..<5 {
      let client = try server.client()
      client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
      client.endSending()
      for _ in 0..<2 { #expect(try client.receive()?.text == "slow") }
      #expect(try client.receive() == nil)
    }
    let idle = try server.client()
    #expect(try idle.get("/x").status == 200)
    idle.endSending()
    #expect(try idle.receive() == nil)
    let broken = try server.client()
    broken.send("GET /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
    broken.endSending()
    #expect(try broken.receive()?.status == 400)
    #expect(try broken.receive() == nil)
  }

  @Test(arguments: ["HTTP/1.0\r\n", "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"])
  func aConnectionThatIsNotKeptIsClosed(rest: String) throws {
    let client = try TestServer(ServedStore(1)).client()
    client.send("GET /healthz \(rest)\r\n")
    #expect(try client.receive()?.text == "ok\n")
    #expect(try client.receive() == nil)
  }

  @Test func aBodyIsPassedOver() throws {
    let client = try TestServer(ServedStore(1)).client()
    client.send("GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nGET / HTTP/")
    client.send("GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    for _ in 0..<2 { #expect(try client.receive()?.text == "ok\n") }
    #expect(try client.get("/v1/sequences").status == 200)
  }

  static let malformed = [
    "garbage\r\n\r\n", "GET nothing HTTP/1.1\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
    "\u{0}\u{1}\u{2}\r\n\r\n",
    "GET / HTTP/1.1\r\nbad header\r\n\r\n",
    "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "GET /\u{7f}é HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nX: \(String(repeating: "x", count: 1_000_000))\r\n\r\n",
    "GET /\(String(repeating: "a/", count: 500_000)) HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\n\(String(repeating: "A: b\r\n", count: 100_000))\r\n",
  ]

  /// Each is refused or answered, or the connection closed; the server stays.
  @Test func whatIsNoRequestHarmsNobody() throws {
    let server = try TestServer(ServedStore(1))
    for text in Self.malformed {
      let client = try server.client()
      client.send(text)
      if let answer = try client.receive() {
        #expect((400..<500).contains(answer.status), "\(text.prefix(40)): \(answer.status)")
      }
      #expect(try server.get("/healthz").text == "ok\n", "after \(text.prefix(40))")
    }
  }

  @Test func manyConnectionsAreAnsweredAtOnce() throws {
    let server = try TestServer(ServedStore(2_000))
    let target = "/v1/sequences/all/users/1?until=2026-11-22T00:00:00Z"
    let expected = try server.get(target).json["events"]
    #expect(expected?.array?.isEmpty == false)
    let clients = try (0..<300).map { _ in try server.client() }
    for _ in 0..<5 {
      for client in clients { client.send("GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n") }
      for client in clients { #expect(try client.receive()?.json["events"] == expected) }
    }
  }

  @Test func clientsThatLeaveAreForgotten() throws {
    let server = try TestServer(ServedStore(2_000))
    let request = "GET /v1/sequences/all/users/1 HTTP/1.1\r\nHost: x\r\n\r\n"
    for number in 0..<200 {
      let client = try server.client()
      client.send(number % 2 == 0 ? String(repeating: request, count: 20) : String(request.prefix(30)))
    }
    #expect(try server.get("/healthz").text == "ok\n")
  }
}
