import NIOCore
import NIOHTTP1
import NIOPosix

/// Listens and answers until it is told to stop.
package final class HTTPServer: Sendable {
  private let group: MultiThreadedEventLoopGroup
  private let channel: any Channel

  /// - Parameters:
  ///   - port: 0 picks a free one; `port` tells which.
  ///   - threads: event loops, each of which answers the requests of its connections.
  ///   - answer: called on an event loop; it must not block.
  package init(
    host: String, port: Int, threads: Int, answer: @escaping @Sendable (HTTPRequestHead) -> HTTPAnswer
  ) throws {
    group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 256)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
          try channel.pipeline.syncOperations.addHandler(HTTPConnection(answer))
        }
      }
    do {
      channel = try bootstrap.bind(host: host, port: port).wait()
    } catch {
      try? group.syncShutdownGracefully()
      throw ListenError(host: host, port: port, reason: "\(error)")
    }
  }

  package var port: Int { channel.localAddress?.port ?? 0 }

  /// Blocks until `stop` was called and the server is down.
  package func wait() throws {
    try channel.closeFuture.wait()
    try group.syncShutdownGracefully()
  }

  /// Stops listening; may be called from any thread.
  package func stop() { channel.close(promise: nil) }
}

/// The address cannot be listened on.
package struct ListenError: Error, CustomStringConvertible {
  package var host: String
  package var port: Int
  package var reason: String

  package var description: String { "\(host):\(port): cannot listen: \(reason); choose another --port" }
}
