import Engine
import Glibc
import Serving
import Synchronization
import TestSupport
import Testing

/// How a server that ends takes leave of clients that speak HTTP/2.
/// - Source: RFC 9113, 6.8.
@Suite struct HTTP2DrainTests {
  private static let hasClients = ["nghttp", "openssl"].allSatisfy { Tool.find($0) != nil }

  @Test func anIdleConnectionIsTold() throws {
    let server = try ScriptedServer()
    let client = try FrameClient(server)
    client.ask(stream: 1)
    #expect(try client.next(.data)?.text == "GET / ")
    let end = startThread { server.end() }
    #expect(try client.next(.goAway)?.number == Frame.greatestStream)
    try client.acknowledgePing()
    #expect(try client.next(.goAway)?.number == 1)
    #expect(try client.next() == nil, "the connection is closed")
    pthread_join(end, nil)
  }

  @Test func streamsThatWereBegunAreAnsweredAndOthersRefused() throws {
    let mayEnd = Atomic(false)
    let server = try ScriptedServer { _ in
      .later {
        while !mayEnd.load(ordering: .acquiring) { usleep(1_000) }
        return HTTPAnswer(text: "done")
      }
    }
    let client = try FrameClient(server)
    client.ask(stream: 1)
    client.ping()
    #expect(try client.next(.ping)?.flags == Frame.acknowledges, "the request has come")
    let end = startThread { server.end() }
    #expect(try client.next(.goAway)?.number == Frame.greatestStream)
    // The client asks before it hears of it.
    client.ask(stream: 3)
    #expect(try client.next(.reset)?.number == Frame.refusedStream, "it may be asked for again elsewhere")
    try client.acknowledgePing()
    #expect(try client.next(.goAway)?.number == 1)
    mayEnd.store(true, ordering: .releasing)
    #expect(try client.next(.data)?.text == "done")
    #expect(try client.next(.data) == nil, "the connection is closed")
    pthread_join(end, nil)
  }

  /// What was written before the end may be in the connection's buffers for long.
  @Test func whoReadsSlowlyGetsAll() throws {
    let body = [UInt8](repeating: 0x61, count: 900_000)
    let server = try ScriptedServer { _ in .now(HTTPAnswer(.ok, contentType: "x/y", body: .init(body))) }
    let client = try FrameClient(server)
    for stream in 0..<20 { client.ask(stream: 2 * stream + 1) }
    client.ping()
    var byteCount = 0
    var end: pthread_t?
    while let frame = try client.next() {
      if frame.type == .data { byteCount += frame.payload.count }
      if frame.type == .ping, frame.flags == 0 { client.acknowledge(frame) }
      // All requests have come.
      if frame.type == .ping, frame.flags == Frame.acknowledges { end = startThread { server.end() } }
      usleep(500)
    }
    #expect(byteCount == 20 * body.count)
    pthread_join(try #require(end), nil)
  }

  @Test func whoDoesNotListenIsClosedAfterAWhile() throws {
    var limits = HTTPLimits()
    limits.drainSeconds = 0.2
    let server = try ScriptedServer(limits: limits)
    let client = try FrameClient(server)
    client.ping()
    #expect(try client.next(.ping) != nil)
    let end = startThread { server.end() }
    #expect(try client.next(.goAway) != nil)
    #expect(try client.next(.goAway) == nil, "nobody acknowledged the ping")
    pthread_join(end, nil)
  }

  @Test(.enabled(if: hasClients, "nghttp or openssl is not installed"), arguments: [true, false])
  func nghttpIsToldAndAnswered(hasTLS: Bool) throws {
    let folder = TemporaryDirectory()
    try HTTP2Tests.certify("now", in: folder.path)
    let begun = Atomic(0)
    let mayEnd = Atomic(false)
    let tls = try hasTLS ? TLSIdentity(certificate: folder.path + "/now.crt", key: folder.path + "/now.key") : nil
    let server = try ScriptedServer(tls: tls, threads: 4) { _ in
      .later {
        begun.add(1, ordering: .relaxed)
        while !mayEnd.load(ordering: .acquiring) { usleep(1_000) }
        return HTTPAnswer(text: "done\n")
      }
    }
    let url = "\(hasTLS ? "https" : "http")://127.0.0.1:\(server.port)"
    let told = folder.path + "/told"
    let client = startThread {
      _ = try? Shell.run("timeout 20 stdbuf -oL nghttp -v \(url)/a \(url)/b > told 2>&1", in: folder.path)
    }
    #expect(eventually { begun.load(ordering: .relaxed) == 2 })
    let end = startThread { server.end() }
    let lines = { String(decoding: SharedData.contents(of: told) ?? [], as: UTF8.self).split(separator: "\n") }
    #expect(eventually { lines().count { $0.contains("recv GOAWAY") } == 2 })
    mayEnd.store(true, ordering: .releasing)
    for thread in [client, end] { pthread_join(thread, nil) }
    let text = lines()
    #expect(text.count { $0.contains(":status: 200") } == 2, "\(text)")
    #expect(text.count { $0 == "done" } == 2 && text.count { $0.contains("error_code=NO_ERROR") } >= 2, "\(text)")
  }
}

/// A frame of HTTP/2.
/// - Source: RFC 9113, 4.1.
private struct Frame {
  enum Kind: UInt8 {
    case data, headers, priority, reset, settings, push, ping, goAway, windowUpdate, continuation
  }

  static let greatestStream = 0x7FFF_FFFF
  static let refusedStream = 7
  static let acknowledges: UInt8 = 1

  var type: Kind
  var flags: UInt8
  var payload: [UInt8]

  var text: String { String(decoding: payload, as: UTF8.self) }

  /// The first four bytes: of GOAWAY the last stream, of RST_STREAM the reason.
  var number: Int { payload.prefix(4).reduce(0) { $0 << 8 | Int($1) } }
}

/// Speaks HTTP/2 without TLS frame by frame, with windows for all that is answered here.
private final class FrameClient {
  private let client: HTTPClient
  /// That came and is not acknowledged.
  private var unanswered: Frame?

  init(_ server: ScriptedServer) throws {
    client = try server.client()
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    // SETTINGS_INITIAL_WINDOW_SIZE, and as much for the connection.
    send(.settings, [0, 4, 0x7F, 0xFF, 0xFF, 0xFF])
    send(.windowUpdate, [0x7F, 0xFF, 0, 0])
    send(.settings, [], flags: Frame.acknowledges)
  }

  private func send(_ type: Frame.Kind, _ payload: [UInt8], flags: UInt8 = 0, stream: Int = 0) {
    let head = [UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 0xFF), UInt8(payload.count & 0xFF)]
    client.send(head + [type.rawValue, flags, 0, 0, 0, UInt8(stream)] + payload)
  }

  /// Asks for `/`. END_STREAM and END_HEADERS; method, scheme and path by number, and an authority.
  func ask(stream: Int) { send(.headers, [0x82, 0x86, 0x84, 0x41, 1, 0x78], flags: 0x5, stream: stream) }

  func ping() { send(.ping, [UInt8](repeating: 7, count: 8)) }

  func acknowledge(_ ping: Frame) { send(.ping, ping.payload, flags: Frame.acknowledges) }

  /// Acknowledges the next ping of the server's, or the one that was passed over.
  func acknowledgePing() throws {
    while unanswered == nil, try next() != nil {}
    if let ping = unanswered.take() { acknowledge(ping) }
  }

  /// The next frame; nil when the connection is closed.
  func next() throws -> Frame? {
    guard let head = try client.receive(byteCount: 9) else { return nil }
    let length = head[..<3].reduce(0) { $0 << 8 | Int($1) }
    guard let payload = try client.receive(byteCount: length), let type = Frame.Kind(rawValue: head[3]) else {
      throw ProgramFailure(description: "no frame: \(head)")
    }
    let frame = Frame(type: type, flags: head[4], payload: payload)
    if type == .ping, frame.flags == 0 { unanswered = frame }
    return frame
  }

  /// The next frame of a kind that is not empty.
  func next(_ type: Frame.Kind) throws -> Frame? {
    while let frame = try next() {
      if frame.type == type, !frame.payload.isEmpty { return frame }
    }
    return nil
  }
}
