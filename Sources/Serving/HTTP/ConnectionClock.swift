import NIOCore

/// Closes a connection on which nothing is asked for too long: one that has not sent a whole head (of a request, or of TLS or
/// HTTP/2) in that time, however many bytes came. Belongs to the connection's event loop.
final class ConnectionClock {
  let limit: TimeAmount
  private let deadline: Deadline
  private var exchangeCount = 0

  init(_ channel: any Channel, limit: TimeAmount) {
    self.limit = limit
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
    if exchangeCount == 0 { deadline.set(in: limit) }
  }
}
