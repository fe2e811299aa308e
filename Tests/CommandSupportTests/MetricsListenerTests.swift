import CommandSupport
import TestSupport
import Testing

/// Clients of all sorts at the metrics' listener.
@Suite struct MetricsListenerTests {
  private let port: Int

  init() throws {
    let address = try #require(SocketAddress(argument: "127.0.0.1:0"))
    port = Int(try MetricsListener(address) { "# HELP a x\n# TYPE a gauge\na 1\n" }.address.port)
  }

  private func client() throws -> HTTPClient { try HTTPClient(port: port) }

  @Test func itAnswersMetricsAndNothingElse() throws {
    let answer = try client().get("/metrics")
    #expect(answer.status == 200)
    #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
    #expect(try PrometheusSamples(answer.text)["a", [:]] == 1)
    #expect(try client().get("/metrics?name=a").status == 200)
    #expect(try client().get("/").status == 404)
    let head = try client()
    head.send("HEAD /metrics HTTP/1.1\r\n\r\n")
    #expect(try head.receive(hasBody: false)?.headers["content-length"] == "\(answer.body.count)")
    let post = try client()
    post.send("POST /metrics HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello")
    #expect(try post.receive()?.status == 405)
  }

  @Test(arguments: ["hello\r\n\r\n", "GET /metrics\r\n\r\n", "\r\n\r\n", "\u{0}\u{1}\n\n", "GET  HTTP/1.1\n\n"])
  func nonsenseIsRefused(_ text: String) throws {
    let client = try client()
    client.send(text)
    #expect([400, 404].contains(try client.receive()?.status))
    #expect(try self.client().get("/metrics").status == 200)
  }

  @Test func aRequestWithoutAnEndIsRefused() throws {
    let client = try client()
    client.send("GET /metrics HTTP/1.1\r\n" + String(repeating: "a: b\r\n", count: 5_000))
    #expect(try client.receive()?.status == 400)
    #expect(try self.client().get("/metrics").status == 200)
  }

  @Test func whoeverLeavesOrSaysNothingHoldsNobodyUpForLong() throws {
    for _ in 0..<20 {
      let client = try client()
      client.send("GET /metr")
    }
    let silent = try client()
    let start = Monotonic.now
    #expect(try client().get("/metrics").status == 200)
    #expect(Monotonic.now - start < 15)
    #expect(try silent.receive() == nil)
  }

  @Test func aPortInUseIsAnError() throws {
    let address = try #require(SocketAddress(argument: "127.0.0.1:\(port)"))
    #expect {
      try MetricsListener(address) { "" }
    } throws: {
      "\($0)" == "127.0.0.1:\(port): cannot listen: Address already in use"
    }
  }

  @Test(arguments: [
    ("127.0.0.1:80", "127.0.0.1:80"), (":9100", ":9100"), ("[::1]:0", "[::1]:0"),
    ("localhost:65535", "localhost:65535"),
    ("9100", nil), ("::1:80", nil), ("host:", nil), ("host:65536", nil), ("", nil),
  ])
  func addressesAreRead(_ text: String, _ expected: String?) {
    #expect(SocketAddress(argument: text)?.description == expected)
  }

  @Test(arguments: [
    ("shard=03", true), ("a=", true), ("_x=y=z", true), ("stage=x", false), ("__x=y", false), ("3=x", false),
    ("x", false),
    ("=x", false), ("a-b=c", false),
  ])
  func labelsAreRead(_ text: String, _ isOne: Bool) { #expect((MetricsLabel(argument: text) != nil) == isOne) }
}
