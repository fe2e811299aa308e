import Foundation
import JSONText

/// What a server answered.
public struct HTTPResponse: Sendable {
  public var status: Int
  /// By lower-case name; of a repeated one the last.
  public var headers: [String: String]
  public var body: [UInt8]

  public var text: String { String(decoding: body, as: UTF8.self) }

  /// The body as JSON; null when it is none.
  public var json: JSONValue { unsafe (try? JSONValue(parsing: body.span.bytes)) ?? .null }
}

/// A connection to a server on this machine that sends what it is told, well-formed or not, and waits for answers.
public final class HTTPClient {
  private let socket: Int32
  private let server: AnyObject?
  /// What came after the last response.
  private var pending: [UInt8] = []

  /// - Parameter server: what has to live as long as the connection.
  /// - Throws: `ProgramFailure` when nobody listens.
  public init(port: Int, server: AnyObject? = nil) throws {
    self.server = server
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var limit = timeval(tv_sec: 200, tv_usec: 0)
    unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
    let outcome = unsafe withUnsafeBytes(of: &address) { bytes in
      unsafe connect(
        socket, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }
    if outcome != 0 { throw ProgramFailure(description: "port \(port): cannot connect: \(errno)") }
  }

  deinit { close(socket) }

  /// Sends text as it is.
  public func send(_ text: String) { send(Array(text.utf8)) }

  public func send(_ bytes: [UInt8]) {
    var bytes = bytes[...]
    while !bytes.isEmpty {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return }
      bytes = bytes.dropFirst(count)
    }
  }

  /// Says that nothing more will be sent.
  public func endSending() { shutdown(socket, Int32(SHUT_WR)) }

  /// Sends what the connection takes at once; answers how many bytes that were.
  public func sendWithoutWaiting(_ bytes: [UInt8]) -> Int {
    let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
    return max(0, unsafe bytes.withUnsafeBytes { unsafe Glibc.send(socket, $0.baseAddress, $0.count, flags) })
  }

  /// The next response; nil when the server closes the connection instead.
  /// - Parameter hasBody: false for the answer to HEAD.
  /// - Throws: `ProgramFailure` when it is no HTTP, or does not come within 200 seconds.
  public func receive(hasBody: Bool = true) throws -> HTTPResponse? {
    guard let end = try fill(until: { Self.headEnd($0) }) else { return nil }
    let lines = String(decoding: pending[..<(end - 4)], as: UTF8.self).split(separator: "\r\n")
    pending.removeFirst(end)
    guard let first = lines.first, first.hasPrefix("HTTP/1."), let status = Int(first.split(separator: " ")[1]) else {
      throw ProgramFailure(description: "no response: \(lines)")
    }
    let pairs = lines.dropFirst().map { line in
      let sides = line.split(separator: ":", maxSplits: 1)
      return (sides[0].lowercased(), sides.count > 1 ? sides[1].trimmingCharacters(in: .whitespaces) : "")
    }
    let headers = Dictionary(pairs) { _, last in last }
    let isChunked = hasBody && headers["transfer-encoding"] == "chunked"
    let length = hasBody ? Int(headers["content-length"] ?? "0") ?? 0 : 0
    return HTTPResponse(
      status: status, headers: headers, body: isChunked ? try takeChunks() : try take(length))
  }

  /// So many bytes as they come, which need be no HTTP/1; nil when the server closes the connection instead.
  public func receive(byteCount: Int) throws -> [UInt8]? {
    try fill { $0.count >= byteCount ? byteCount : nil }.map { _ in try take(byteCount) }
  }

  private func take(_ length: Int) throws -> [UInt8] {
    guard try fill(until: { $0.count >= length ? length : nil }) != nil else {
      throw ProgramFailure(description: "the body ended after \(pending.count) of \(length) bytes")
    }
    defer { pending.removeFirst(length) }
    return Array(pending[..<length])
  }

  /// - Source: RFC 9112, 7.1.
  private func takeChunks() throws -> [UInt8] {
    var body: [UInt8] = []
    while true {
      let lineEnd = try fill { bytes in bytes.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } }
      let line = String(decoding: try take(lineEnd ?? 1), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
      guard let length = Int(line, radix: 16) else { throw ProgramFailure(description: "no chunk: '\(line)'") }
      body += try take(length + 2).dropLast(2)
      if length == 0 { return body }
    }
  }

  private static func headEnd(_ bytes: [UInt8]) -> Int? {
    let mark = Array("\r\n\r\n".utf8)
    guard bytes.count >= 4 else { return nil }
    return (4...bytes.count).first { Array(bytes[$0 - 4..<$0]) == mark }
  }

  /// Reads until `isEnough` answers a count; nil when the connection ends before.
  private func fill(until isEnough: ([UInt8]) -> Int?) throws -> Int? {
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      if let count = isEnough(pending) { return count }
      let count = unsafe recv(socket, &block, block.count, 0)
      if count == 0 || (count < 0 && errno == ECONNRESET) { return nil }
      // A process that was stopped for a while is interrupted.
      if count < 0, errno == EINTR { continue }
      if count < 0 { throw ProgramFailure(description: "no answer: \(errno)") }
      pending += block[..<count]
    }
  }

  /// Sends a body to a target on this connection.
  public func post(
    _ target: String, _ body: String, type: String = "application/json", headers: [String: String] = [:]
  ) throws -> HTTPResponse {
    let lines = headers.map { "\($0): \($1)\r\n" }.joined()
    send(
      "POST \(target) HTTP/1.1\r\nHost: localhost\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n"
        + "\(lines)\r\n\(body)")
    guard let response = try receive() else {
      throw ProgramFailure(description: "\(target): the connection was closed")
    }
    return response
  }

  public func post(_ target: String, _ body: JSONValue, headers: [String: String] = [:]) throws -> HTTPResponse {
    try post(target, body.text, headers: headers)
  }

  /// Asks for a target on this connection.
  public func get(_ target: String, headers: [String: String] = [:]) throws -> HTTPResponse {
    let lines = headers.map { "\($0): \($1)\r\n" }.joined()
    send("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\(lines)\r\n")
    guard let response = try receive() else {
      throw ProgramFailure(description: "\(target): the connection was closed")
    }
    return response
  }
}
