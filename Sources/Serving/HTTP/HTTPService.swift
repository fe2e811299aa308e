import NIOCore
import Synchronization

/// How much a server takes from its clients.
package struct HTTPLimits: Sendable {
  /// Bytes of a request's body.
  package var bodyByteCount = 1 << 20
  /// Open connections.
  package var connectionCount = 10_000
  /// Seconds until a client that sends nothing whole, or takes nothing, is let go.
  package var idleSeconds = 60.0
  /// Seconds that requests have to be answered in once the server is told to end.
  package var drainSeconds = 10.0

  package init() {}

  var idleTime: TimeAmount { .nanoseconds(Int64(idleSeconds * 1e9)) }
  var drainTime: TimeAmount { .nanoseconds(Int64(drainSeconds * 1e9)) }
}

/// What all connections of a server share.
final class HTTPService: Sendable {
  let limits: HTTPLimits
  let gate: Gate
  let metrics: RequestMetrics
  let answer: @Sendable (HTTPQuestion) -> HTTPReply
  /// For what may block or take long.
  let threads: ThreadTurns

  init(
    limits: HTTPLimits, gate: Gate, metrics: RequestMetrics, threads: ThreadTurns,
    answer: @escaping @Sendable (HTTPQuestion) -> HTTPReply
  ) {
    self.limits = limits
    self.gate = gate
    self.metrics = metrics
    self.threads = threads
    self.answer = answer
  }

  private let draining = Atomic(false)

  /// Whether the server is about to end, and connections with it.
  var isDraining: Bool { draining.load(ordering: .relaxed) }

  func drain() { draining.store(true, ordering: .relaxed) }

  var rules: RequestRules { RequestRules(maximumBodyLength: limits.bodyByteCount) }
}
