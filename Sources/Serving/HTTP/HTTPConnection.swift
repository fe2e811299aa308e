import NIOCore
import NIOHTTP1

/// One client's connection: answers each request on the event loop, in one write.
///
/// Answers come from memory and mapped files and take far less than a millisecond, so no thread hop pays.
final class HTTPConnection: ChannelInboundHandler, Sendable {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let answer: @Sendable (HTTPRequestHead) -> HTTPAnswer

  init(_ answer: @escaping @Sendable (HTTPRequestHead) -> HTTPAnswer) { self.answer = answer }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    // Every route is a GET or a HEAD: a body has no meaning and is dropped as it comes.
    guard case .head(let head) = unwrapInboundIn(data) else { return }
    write(answer(head), to: head, context: context)
  }

  private func write(_ answer: HTTPAnswer, to request: HTTPRequestHead, context: ChannelHandlerContext) {
    var head = HTTPResponseHead(version: request.version, status: answer.status)
    head.headers.add(name: "content-type", value: answer.contentType)
    head.headers.add(name: "content-length", value: String(answer.body.byteCount))
    for (name, value) in answer.headers { head.headers.add(name: name, value: value) }
    if !request.isKeepAlive { head.headers.add(name: "connection", value: "close") }
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if request.method != .HEAD, !answer.body.isEmpty {
      var body = context.channel.allocator.buffer(capacity: answer.body.byteCount)
      unsafe answer.body.withUnsafeBytes { _ = unsafe body.writeBytes($0) }
      context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    }
    let done = context.writeAndFlush(wrapOutboundOut(.end(nil)))
    if !request.isKeepAlive {
      let channel = context.channel
      done.whenComplete { _ in channel.close(promise: nil) }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
