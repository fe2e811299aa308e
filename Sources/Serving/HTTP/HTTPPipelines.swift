import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import NIOTLS

/// Sets up connections: TLS or none, then HTTP/2 or HTTP/1.1.
final class HTTPPipelines: Sendable {
  private let service: HTTPService
  private let tls: TLSIdentity?
  private let turns: [ObjectIdentifier: NIOLoopBoundBox<LoopTurns>]
  private let connections: [(loop: any EventLoop, connections: NIOLoopBoundBox<LoopConnections>)]

  init(_ service: HTTPService, tls: TLSIdentity?, group: MultiThreadedEventLoopGroup) {
    self.service = service
    self.tls = tls
    let loops = group.makeIterator().map { loop in
      (ObjectIdentifier(loop), NIOLoopBoundBox.makeBoxSendingValue(LoopTurns(loop), eventLoop: loop))
    }
    turns = Dictionary(uniqueKeysWithValues: loops)
    connections = group.makeIterator().map { loop in
      (loop, NIOLoopBoundBox.makeBoxSendingValue(LoopConnections(loop), eventLoop: loop))
    }
  }

  /// Lets connections go as soon as what was asked on them is answered.
  /// - Returns: when all are gone.
  func drain() -> EventLoopFuture<Void> {
    service.drain()
    let limit = service.limits.drainTime
    let gone = connections.map { loop, connections in
      loop.flatSubmit { connections.value.drain(within: limit) }
    }
    return .andAllComplete(gone, on: connections[0].loop)
  }

  /// Begins with a connection that was accepted; called on its event loop.
  func begin(_ channel: any Channel) throws {
    let metrics = service.metrics
    guard metrics.connect(limit: service.limits.connectionCount) else {
      return try channel.pipeline.syncOperations.addHandler(RefusedConnection(speaksPlainly: tls == nil))
    }
    channel.closeFuture.whenComplete { _ in metrics.disconnect() }
    let clock = NIOLoopBound(
      ConnectionClock(channel, limit: service.limits.idleTime), eventLoop: channel.eventLoop)
    connections.first { $0.loop === channel.eventLoop }?.connections.value.add(clock.value)
    guard let tls else {
      return try channel.pipeline.syncOperations.addHandler(
        ProtocolSniffer { [self] in try add($0, to: channel, clock) })
    }
    try channel.pipeline.syncOperations.addHandlers([
      NIOSSLServerHandler(context: tls.context),
      ApplicationProtocolNegotiationHandler { [self] result, channel in
        channel.eventLoop.makeCompletedFuture {
          try add(result == .negotiated("h2") ? .http2 : .http1, to: channel, clock)
        }
      },
    ])
  }

  private func add(
    _ version: ProtocolSniffer.Version, to channel: any Channel, _ clock: NIOLoopBound<ConnectionClock>
  ) throws {
    switch version {
    case .http1: try addHTTP1(to: channel, clock.value)
    case .http2: try addHTTP2(to: channel, clock)
    }
  }

  private func addHTTP1(to channel: any Channel, _ clock: ConnectionClock) throws {
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = RequestRules.maximumFieldLength
    limits.maxHeaderListSize = RequestRules.maximumHeadLength
    limits.maxHeaderFieldCount = RequestRules.maximumFieldCount
    let decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)
    // A client may say that it will send no more, and still wait for its answers. TLS knows no such thing.
    if tls == nil { try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true) }
    try channel.pipeline.syncOperations.addHandlers([
      ByteToMessageHandler(decoder), connection(channel, isStream: false, clock, peer: channel.remoteAddress),
    ])
  }

  private func addHTTP2(to channel: any Channel, _ clock: NIOLoopBound<ConnectionClock>) throws {
    let peer = channel.remoteAddress
    // Idle connections are the clock's matter, and so are those that outlast the time to end in.
    let lifetime = NIOHTTP2ServerConnectionManagementHandler(
      eventLoop: channel.eventLoop,
      configuration: .init(maxIdleTime: nil, maxAge: nil, maxGraceTime: nil, keepalive: nil))
    try channel.pipeline.syncOperations.addHandler(ClosedWhenWritten(clock.value))
    _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
      mode: .server, connectionConfiguration: NIOHTTP2Handler.ConnectionConfiguration(),
      streamConfiguration: NIOHTTP2Handler.StreamConfiguration(), streamDelegate: lifetime.http2StreamDelegate
    ) { [self] stream in
      stream.eventLoop.makeCompletedFuture {
        try stream.pipeline.syncOperations.addHandlers([
          HTTP2FramePayloadToHTTP1ServerCodec(), connection(stream, isStream: true, clock.value, peer: peer),
        ])
      }
    }
    try channel.pipeline.syncOperations.addHandlers([lifetime, ClosedByErrors()])
    clock.value.beginStreams()
  }

  private func connection(
    _ channel: any Channel, isStream: Bool, _ clock: ConnectionClock, peer: SocketAddress?
  ) -> HTTPConnection {
    HTTPConnection(
      channel, isStream: isStream, readsAhead: isStream || tls == nil, service: service,
      turns: turns[ObjectIdentifier(channel.eventLoop)]!.value,
      clock: clock, isLocal: peer?.isLoopback ?? false)
  }
}

/// Lets a client of a server that ends take what was written before the connection is closed: that all streams have ended
/// says that their last bytes were handed on, not that they were sent.
private final class ClosedWhenWritten: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let clock: ConnectionClock

  init(_ clock: ConnectionClock) { self.clock = clock }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard clock.isDraining, !clock.isOver, mode == .all else { return context.close(mode: mode, promise: promise) }
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenComplete { _ in context.close(mode: mode, promise: promise) }
    context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(capacity: 0)), promise: written)
  }
}

/// Ends a connection on which something went wrong that no request answers for. What went wrong with one stream of it, such
/// as its coming after the server's farewell, is that stream's end alone.
private final class ClosedByErrors: ChannelInboundHandler {
  typealias InboundIn = Any

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if !(error is NIOHTTP2Errors.StreamError) { context.close(promise: nil) }
  }
}

/// A connection beyond the limit: told so, and let go.
private final class RefusedConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let speaksPlainly: Bool

  init(speaksPlainly: Bool) { self.speaksPlainly = speaksPlainly }

  func channelActive(context: ChannelHandlerContext) {
    let channel = context.channel
    guard speaksPlainly else { return channel.close(promise: nil) }
    let body = #"{"error":"there are too many connections; try again later","status":503}"# + "\n"
    let text = """
      HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n\
      retry-after: 1\r\nconnection: close\r\n\r\n\(body)
      """
    channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
    // A connection that is closed over unread bytes takes back what is on its way.
    channel.close(mode: .output, promise: nil)
    channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
}
