import NIOCore

/// Finds out by its first bytes whether a connection without TLS speaks HTTP/2 or HTTP/1.
/// - Source: RFC 9113, 3.3 and 3.4: HTTP/2 with prior knowledge begins with its preface.
final class ProtocolSniffer: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  enum Version {
    case http1, http2
  }

  private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  private let begin: (Version) throws -> Void
  private var bytes: ByteBuffer?

  /// - Parameter begin: adds what speaks this version to the end of the pipeline.
  init(_ begin: @escaping (Version) throws -> Void) { self.begin = begin }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var incoming = unwrapInboundIn(data)
    if bytes == nil { bytes = incoming } else { bytes!.writeBuffer(&incoming) }
    let seen = bytes!.readableBytesView
    if !Self.preface.starts(with: seen.prefix(Self.preface.count)) { return hand(to: .http1, context) }
    if seen.count >= Self.preface.count { hand(to: .http2, context) }
  }

  private func hand(to version: Version, _ context: ChannelHandlerContext) {
    guard let bytes = bytes.take() else { return }
    do {
      try begin(version)
    } catch {
      return context.close(promise: nil)
    }
    context.fireChannelRead(wrapInboundOut(bytes))
    context.fireChannelReadComplete()
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
