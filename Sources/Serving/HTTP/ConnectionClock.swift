import NIOCore

/// Closes a connection on which nothing is asked for too long: one that has not sent a whole head (of a request, or of TLS or
/// HTTP/2) in that time, however many bytes came; and, when the server ends, one on which nothing is left to answer. One of
/// HTTP/2 is told then that the server ends, and ends with its streams. Belongs to the connection's event loop.
final class ConnectionClock {
  let limit: TimeAmount
  private weak var channel: (any Channel)?
  private let deadline: Deadline
  private var exchangeCount = 0
  private(set) var isDraining = false
  /// Whether what is left is given up.
  private(set) var isOver = false
  /// Whether the connection has streams, and closes by itself once it was told to end and they have ended.
  private var hasStreams = false

  init(_ channel: any Channel, limit: TimeAmount) {
    self.limit = limit
    self.channel = channel
    deadline = Deadline(on: channel.eventLoop) { channel.close(promise: nil) }
    deadline.set(in: limit)
    let bound = NIOLoopBound(deadline, eventLoop: channel.eventLoop)
    channel.closeFuture.whenComplete { _ in bound.value.cancel() }
  }

  /// A request's head has come; from now on the exchange sees to its own time.
  func begin() {
    exchangeCount += 1
    deadline.clear()
  }

  /// Its answer has been sent.
  func end() {
    exchangeCount -= 1
    guard exchangeCount == 0 else { return }
    if isDraining, !hasStreams { close() } else { deadline.set(in: limit) }
  }

  /// The connection turned out to speak HTTP/2.
  func beginStreams() { hasStreams = true }

  /// Closes the connection as soon as nothing is left to answer. A client of HTTP/2 is told first, and given the time to hear
  /// it: streams that it begins meanwhile are refused, so that it knows that nothing was done about them.
  func drain() {
    isDraining = true
    if hasStreams {
      channel?.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    } else if exchangeCount == 0 {
      close()
    }
  }

  /// Closes the connection whatever is left.
  func close() {
    isOver = true
    channel?.close(promise: nil)
  }

  /// When the connection is gone.
  var closeFuture: EventLoopFuture<Void>? { channel?.closeFuture }
}
