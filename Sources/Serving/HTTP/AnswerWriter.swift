import Buffers
import NIOCore
import NIOHTTP1

/// What an answer says before its body.
struct AnswerHead {
  var version: HTTPVersion
  var status: HTTPResponseStatus
  /// Names in lower case; what they say is the server's own, not the client's.
  var fields: [(name: String, value: String)]
  /// Of the body; nil where nobody knows yet.
  var byteCount: Int?
  /// Whether the connection stays.
  var isKept: Bool
  /// Whether there is no body, as the answer to HEAD has none.
  var isAlone: Bool

  /// The fields that follow from the rest, after the others.
  fileprivate mutating func addFraming() {
    if let byteCount { fields.append(("content-length", String(byteCount))) }
    if !isKept { fields.append(("connection", "close")) }
  }
}

/// Puts answers on a connection, or on a stream of one. Belongs to its event loop.
protocol AnswerWriter: AnyObject {
  /// Says that the body of a request may come.
  func writeContinue()
  /// Writes all of an answer, in one go where that can be.
  /// - Parameter written: told when the client's connection has taken it.
  func write(_ head: AnswerHead, _ body: Buffer, _ written: EventLoopPromise<Void>)
  /// Writes what is before pieces.
  func begin(_ head: AnswerHead)
  func write(_ piece: Buffer, _ written: EventLoopPromise<Void>)
  func end(_ written: EventLoopPromise<Void>)
}

/// Writes the bytes of HTTP/1: of a head, and of a whole body, in one piece of memory.
/// - Source: RFC 9112.
final class ByteWriter: AnswerWriter {
  private let channel: any Channel
  /// Whether the body that is being written is in chunks, for want of its length.
  private var isChunked = false

  init(_ channel: any Channel) { self.channel = channel }

  func writeContinue() {
    channel.writeAndFlush(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"), promise: nil)
  }

  func write(_ head: AnswerHead, _ body: Buffer, _ written: EventLoopPromise<Void>) {
    var bytes = channel.allocator.buffer(capacity: 512 + (head.isAlone ? 0 : body.byteCount))
    Self.write(head, isChunked: false, to: &bytes)
    if !head.isAlone { unsafe body.withUnsafeBytes { _ = unsafe bytes.writeBytes($0) } }
    channel.writeAndFlush(bytes, promise: written)
  }

  func begin(_ head: AnswerHead) {
    // Before HTTP/1.1 the end of such a body is the end of the connection.
    isChunked = head.byteCount == nil && head.version == .http1_1
    var bytes = channel.allocator.buffer(capacity: 512)
    Self.write(head, isChunked: isChunked, to: &bytes)
    channel.write(bytes, promise: nil)
  }

  func write(_ piece: Buffer, _ written: EventLoopPromise<Void>) {
    var bytes = channel.allocator.buffer(capacity: piece.byteCount + 32)
    // An empty chunk would be the last one.
    let isFramed = isChunked && !piece.isEmpty
    if isFramed { bytes.writeString(String(piece.byteCount, radix: 16) + "\r\n") }
    unsafe piece.withUnsafeBytes { _ = unsafe bytes.writeBytes($0) }
    if isFramed { bytes.writeStaticString("\r\n") }
    channel.writeAndFlush(bytes, promise: written)
  }

  func end(_ written: EventLoopPromise<Void>) {
    channel.writeAndFlush(
      isChunked ? ByteBuffer(staticString: "0\r\n\r\n") : channel.allocator.buffer(capacity: 0), promise: written)
  }

  private static func write(_ head: AnswerHead, isChunked: Bool, to bytes: inout ByteBuffer) {
    var head = head
    head.addFraming()
    if isChunked { head.fields.append(("transfer-encoding", "chunked")) }
    if head.status == .ok, head.version == .http1_1 {
      bytes.writeStaticString("HTTP/1.1 200 OK\r\n")
    } else {
      bytes.writeString("\(head.version) \(head.status.code) \(head.status.reasonPhrase)\r\n")
    }
    for (name, value) in head.fields {
      bytes.writeString(name)
      bytes.writeStaticString(": ")
      bytes.writeString(value)
      bytes.writeStaticString("\r\n")
    }
    bytes.writeStaticString("\r\n")
  }
}

/// Writes the parts of an answer on a stream of HTTP/2.
final class PartWriter: AnswerWriter {
  private let channel: any Channel

  init(_ channel: any Channel) { self.channel = channel }

  func writeContinue() {
    channel.writeAndFlush(
      HTTPServerResponsePart.head(HTTPResponseHead(version: .http2, status: .continue)), promise: nil)
  }

  func write(_ head: AnswerHead, _ body: Buffer, _ written: EventLoopPromise<Void>) {
    begin(head)
    if !head.isAlone, !body.isEmpty { channel.write(part(body), promise: nil) }
    end(written)
  }

  func begin(_ head: AnswerHead) {
    var head = head
    head.addFraming()
    let start = HTTPResponseHead(
      version: head.version, status: head.status, headers: HTTPHeaders(head.fields.map { ($0.name, $0.value) }))
    channel.write(HTTPServerResponsePart.head(start), promise: nil)
  }

  func write(_ piece: Buffer, _ written: EventLoopPromise<Void>) {
    channel.writeAndFlush(part(piece), promise: written)
  }

  func end(_ written: EventLoopPromise<Void>) {
    channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: written)
  }

  private func part(_ bytes: Buffer) -> HTTPServerResponsePart {
    var body = channel.allocator.buffer(capacity: bytes.byteCount)
    unsafe bytes.withUnsafeBytes { _ = unsafe body.writeBytes($0) }
    return .body(.byteBuffer(body))
  }
}
