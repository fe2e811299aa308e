import Engine
import NIOCore
import NIOHTTP1
import NIOPosix

/// Listens and answers until it is told to stop.
package final class HTTPServer: Sendable {
  private let group: MultiThreadedEventLoopGroup
  private let channel: any Channel
  private let service: HTTPService
  private let pipelines: HTTPPipelines

  /// - Parameters:
  ///   - tls: nil: without encryption.
  ///   - threads: event loops, each of which does the work of its connections; there are as many more threads for what may
  ///     block.
  ///   - metrics: told of every request.
  ///   - answer: called on an event loop; it must not block.
  package init(
    _ address: HTTPAddress, tls: TLSIdentity? = nil, threads: Int, limits: HTTPLimits = HTTPLimits(),
    gate: Gate = Gate(), metrics: RequestMetrics = RequestMetrics(),
    answer: @escaping @Sendable (HTTPQuestion) -> HTTPReply
  ) throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
    let service = HTTPService(
      limits: limits, gate: gate, metrics: metrics, threads: ThreadTurns(threads: threads), answer: answer)
    let pipelines = HTTPPipelines(service, tls: tls, group: group)
    (self.group, self.service, self.pipelines) = (group, service, pipelines)
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1_024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try pipelines.begin(channel) }
      }
    do {
      channel = try bootstrap.bind(to: address.socket).wait()
    } catch {
      service.threads.stop()
      try? group.syncShutdownGracefully()
      throw ListenError(address: "\(address)", reason: "\(error)", remedy: "choose another --port")
    }
  }

  package var port: Int { channel.localAddress?.port ?? 0 }

  /// Blocks until `stop` was called, what was asked by then is answered, and the server is down.
  package func wait() throws {
    try channel.closeFuture.wait()
    try pipelines.drain().wait()
    service.threads.stop()
    try group.syncShutdownGracefully()
  }

  /// Stops listening; may be called from any thread.
  package func stop() { channel.close(promise: nil) }
}

/// Where a server listens.
package struct HTTPAddress: Sendable, CustomStringConvertible {
  let socket: SocketAddress
  package let description: String

  /// - Parameter port: 0 picks a free one; the server's `port` tells which.
  package init(host: String, port: Int) throws(ListenError) {
    description = "\(host):\(port)"
    do {
      socket = try SocketAddress.makeAddressResolvingHost(host, port: port)
    } catch {
      throw ListenError(address: description, reason: "\(error)", remedy: "choose another --host")
    }
  }

  /// Whether only this machine can reach it.
  package var isLoopback: Bool { socket.isLoopback }
}

extension SocketAddress {
  var isLoopback: Bool {
    guard let text = ipAddress else { return true }
    return text == "::1" || text.hasPrefix("127.") || text.hasPrefix("::ffff:127.")
  }
}

/// The address cannot be listened on.
package struct ListenError: Error, CustomStringConvertible {
  package var address: String
  package var reason: String
  package var remedy: String

  package init(address: String, reason: String, remedy: String) {
    self.address = address
    self.reason = reason
    self.remedy = remedy
  }

  package var description: String { "\(address): cannot listen: \(reason); \(remedy)" }
}
