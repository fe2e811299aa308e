import NIOCore

/// Closes a connection on which nothing is asked for too long: one that has not sent a whole head (of a request, or of TLS or
/// HTTP/2) in that time, however many bytes came; and, when the server ends, one on which nothing is left to answer. Belongs
/// to the connection's event loop.
final class ConnectionClock {
  let limit: TimeAmount
  private weak var channel: (any Channel)?
  private let deadline: Deadline
  private var exchangeCount = 0
  private var isDraining = false

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
    if isDraining { close() } else { deadline.set(in: limit) }
  }

  /// Closes the connection as soon as nothing is left to answer.
  func drain() {
    isDraining = true
    if exchangeCount == 0 { close() }
  }

  /// Closes the connection whatever is left.
  func close() { channel?.close(promise: nil) }

  /// When the connection is gone.
  var closeFuture: EventLoopFuture<Void>? { channel?.closeFuture }
}
