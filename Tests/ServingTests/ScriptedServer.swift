import Buffers
import Glibc
import NIOHTTP1
import Serving
import Synchronization
import TestSupport

/// A server whose answers a test makes up.
final class ScriptedServer: Sendable {
  let metrics = RequestMetrics()
  private let server: HTTPServer
  private let isEnded = Atomic(false)

  init(
    tls: TLSIdentity? = nil, limits: HTTPLimits = HTTPLimits(), gate: Gate = Gate(), threads: Int = 2,
    answer: @escaping @Sendable (HTTPQuestion) -> HTTPReply = ScriptedServer.echo
  ) throws {
    server = try HTTPServer(
      HTTPAddress(host: "127.0.0.1", port: 0), tls: tls, threads: threads, limits: limits, gate: gate, metrics: metrics,
      answer: answer)
  }

  var port: Int { server.port }

  func client() throws -> HTTPClient { try HTTPClient(port: server.port, server: self) }

  deinit { end() }

  /// Ends the server, once.
  func end() {
    if isEnded.exchange(true, ordering: .relaxed) { return }
    server.stop()
    try? server.wait()
  }

  /// Answers with the method, the path and the body.
  static let echo: @Sendable (HTTPQuestion) -> HTTPReply = { question in
    var body = BufferBuilder()
    body.append(utf8: "\(question.method) /\(question.path.joined(separator: "|")) ")
    body.append(question.body)
    return .now(HTTPAnswer(.ok, contentType: "text/plain", body: body.finish()))
  }
}

/// A body of pieces that a test makes up.
final class ScriptedChunks: HTTPChunks {
  private let count = Atomic(0)
  private let make: @Sendable (Int) throws -> Buffer?

  init(_ make: @escaping @Sendable (Int) throws -> Buffer?) { self.make = make }

  /// How many have been asked for.
  var asked: Int { count.load(ordering: .relaxed) }

  func next() throws -> Buffer? { try make(count.add(1, ordering: .relaxed).oldValue) }
}

/// Waits until something is so, twenty seconds at most.
func eventually(_ isSo: () throws -> Bool) rethrows -> Bool {
  for _ in 0..<1_000 {
    if try isSo() { return true }
    usleep(20_000)
  }
  return false
}
