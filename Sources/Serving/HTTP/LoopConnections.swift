import NIOCore

/// The connections of an event loop. Belongs to it.
final class LoopConnections {
  private let eventLoop: any EventLoop
  private var clocks: [ObjectIdentifier: ConnectionClock] = [:]
  private var isDraining = false

  init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  /// Notes a connection until it is gone.
  func add(_ clock: ConnectionClock) {
    guard let closeFuture = clock.closeFuture else { return }
    clocks[ObjectIdentifier(clock)] = clock
    closeFuture.assumeIsolated().whenComplete { [self] _ in clocks[ObjectIdentifier(clock)] = nil }
    if isDraining { clock.drain() }
  }

  /// Lets connections go when nothing is left to answer on them, and after a while whatever is left.
  /// - Returns: when all are gone.
  func drain(within limit: TimeAmount) -> EventLoopFuture<Void> {
    isDraining = true
    let gone = clocks.values.compactMap(\.closeFuture)
    for clock in clocks.values { clock.drain() }
    eventLoop.assumeIsolated().scheduleTask(in: limit) { [self] in
      for clock in clocks.values { clock.close() }
    }
    return .andAllComplete(gone, on: eventLoop)
  }
}
