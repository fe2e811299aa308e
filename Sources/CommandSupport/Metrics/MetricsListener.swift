import Buffers
import Engine
import Glibc

/// Answers Prometheus: a tiny HTTP/1.1 server of one route, on a thread of its own that takes one connection at a time.
///
/// A client that is slow, silent or does not make sense costs it some seconds, and nobody else anything.
package final class MetricsListener: Sendable {
  /// A request's head may be so long,
  private static let maximumByteCount = 8 << 10
  /// and a connection may take so many seconds.
  private static let patience = 5.0

  private let socket: Int32
  /// Where it listens, with the port that it got.
  package let address: SocketAddress
  private let text: @Sendable () -> String

  /// - Parameter text: what `/metrics` answers.
  package init(_ address: SocketAddress, text: @escaping @Sendable () -> String) throws(SystemError) {
    socket = try address.listen()
    var address = address
    address.port = SocketAddress.port(of: socket)
    self.address = address
    self.text = text
    _ = startThread { [self] in run() }
  }

  /// Listens as long as the process lives.
  private func run() {
    while true {
      let client = accept(socket, nil, nil)
      if client >= 0 {
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        _ = fcntl(client, F_SETFL, O_NONBLOCK)
        serve(client)
        close(client)
      } else if errno != EINTR, errno != ECONNABORTED {
        // Out of descriptors or memory: there may be some again.
        usleep(100_000)
      }
    }
  }

  private func serve(_ client: Int32) {
    let deadline = monotonicNanoseconds() + Int64(Self.patience * 1e9)
    guard let head = readHead(client, deadline) else { return }
    send(Array(answer(head).utf8), client, deadline)
    // Bytes that are left unread would make the kernel reset the connection before the answer is read.
    shutdown(client, Int32(SHUT_WR))
    let end = min(deadline, monotonicNanoseconds() + 500_000_000)
    var rest = [UInt8](repeating: 0, count: 512)
    while wait(client, POLLIN, end), unsafe read(client, &rest, rest.count) > 0 {}
  }

  /// The request's first line; nil when none comes in time.
  private func readHead(_ client: Int32, _ deadline: Int64) -> String? {
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 10)
    while !Self.isWhole(bytes) {
      guard bytes.count <= Self.maximumByteCount else { return "" }
      guard wait(client, POLLIN, deadline) else { return nil }
      let count = unsafe read(client, &block, block.count)
      guard count > 0 else { return nil }
      bytes += block[..<count]
    }
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }

  /// Whether the empty line came that ends the head.
  private static func isWhole(_ bytes: [UInt8]) -> Bool {
    var lineByteCount = 0
    for byte in bytes where byte != UInt8(ascii: "\r") {
      if byte == UInt8(ascii: "\n"), lineByteCount == 0 { return true }
      lineByteCount = byte == UInt8(ascii: "\n") ? 0 : lineByteCount + 1
    }
    return false
  }

  private func answer(_ requestLine: String) -> String {
    let words = requestLine.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 3, words[2].hasPrefix("HTTP/1.") else { return Self.answer("400 Bad Request", "no request\n") }
    guard words[0] == "GET" || words[0] == "HEAD" else {
      return Self.answer("405 Method Not Allowed", "only GET\n", more: "allow: GET, HEAD\r\n")
    }
    let path = words[1].prefix { $0 != "?" }
    let hasBody = words[0] == "GET"
    guard path == "/metrics" else { return Self.answer("404 Not Found", "see /metrics\n", hasBody: hasBody) }
    return Self.answer("200 OK", text(), type: PrometheusText.contentType, hasBody: hasBody)
  }

  private static func answer(
    _ status: String, _ body: String, type: String = "text/plain; charset=utf-8", more: String = "",
    hasBody: Bool = true
  ) -> String {
    "HTTP/1.1 \(status)\r\ncontent-type: \(type)\r\ncontent-length: \(body.utf8.count)\r\n\(more)connection: close\r\n\r\n"
      + (hasBody ? body : "")
  }

  private func send(_ bytes: [UInt8], _ client: Int32, _ deadline: Int64) {
    var sent = 0
    while sent < bytes.count, wait(client, POLLOUT, deadline) {
      let count = unsafe bytes.withUnsafeBytes { bytes in
        unsafe Glibc.send(client, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count < 0, errno != EINTR, errno != EAGAIN { return }
      sent += max(0, count)
    }
  }

  /// Waits until the client sends or takes something; answers false when the time is over.
  private func wait(_ client: Int32, _ event: Int32, _ deadline: Int64) -> Bool {
    while true {
      let milliseconds = (deadline - monotonicNanoseconds()) / 1_000_000
      guard milliseconds > 0 else { return false }
      var request = pollfd(fd: client, events: Int16(event), revents: 0)
      let count = unsafe poll(&request, 1, Int32(milliseconds))
      if count >= 0 || errno != EINTR { return count > 0 }
    }
  }
}
