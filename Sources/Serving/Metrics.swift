import Engine
import Synchronization

/// Counts of requests and their times, in all and by tenant.
package final class RequestMetrics: Sendable {
  /// Upper bounds of the latency buckets, in seconds.
  fileprivate static let bounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1]

  private struct Series {
    var times = Histogram(bounds: RequestMetrics.bounds)
    var bytes = 0
  }

  private struct Key: Hashable {
    var route: String
    var status: Int

    var labels: PrometheusText.Labels { [("route", route), ("status", "\(status)")] }
  }

  fileprivate struct TenantSeries {
    var times = Histogram(bounds: RequestMetrics.bounds)
    var bytes = 0
    var statuses: [Int: Int] = [:]
    var throttled: [TenantUsage.Limit: Int] = [:]
  }

  private struct State {
    var series: [Key: Series] = [:]
    var tenants: [String: TenantSeries] = [:]
  }

  private let state = Mutex(State())
  private let connectionCount = Atomic(0)
  private let refusedConnectionCount = Atomic(0)

  package init() {}

  /// An answered request.
  package struct Observation {
    package var route: String
    package var status: Int
    package var seconds: Double
    /// Of the body, as it was sent.
    package var byteCount: Int
    package var tenant: String?
    /// The limit that the tenant had reached.
    package var limit: TenantUsage.Limit?
  }

  package func record(_ observation: Observation) {
    state.withLock { state in
      let key = Key(route: observation.route, status: observation.status)
      state.series[key, default: Series()].times.observe(observation.seconds)
      state.series[key]!.bytes += observation.byteCount
      if let tenant = observation.tenant {
        state.tenants[tenant, default: TenantSeries()].add(observation)
      }
    }
  }

  /// Counts a connection; `false` when there are `limit` already.
  func connect(limit: Int) -> Bool {
    if connectionCount.add(1, ordering: .relaxed).newValue <= limit { return true }
    refusedConnectionCount.add(1, ordering: .relaxed)
    disconnect()
    return false
  }

  func disconnect() { connectionCount.subtract(1, ordering: .relaxed) }

  package func write(to text: inout PrometheusText) {
    let state = state.withLock { $0 }
    let all = state.series.sorted { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }
    text.add("seqline_request_seconds", "Time to answer a request.", all.map { ($0.key.labels, $0.value.times) })
    text.add(
      "seqline_response_bytes_total", .counter, "Bytes of response bodies.",
      all.map { ($0.key.labels, $0.value.bytes) })
    text.add("seqline_connections", .gauge, "Open connections.", connectionCount.load(ordering: .relaxed))
    text.add(
      "seqline_refused_connections_total", .counter, "Connections beyond --max-connections.",
      refusedConnectionCount.load(ordering: .relaxed))
    write(state.tenants.sorted { $0.key < $1.key }, to: &text)
  }

  private func write(_ tenants: [(key: String, value: TenantSeries)], to text: inout PrometheusText) {
    text.add(
      "seqline_tenant_request_seconds", "Time to answer a tenant's request.",
      tenants.map { ([("tenant", $0.key)], $0.value.times) })
    text.add(
      "seqline_tenant_requests_total", .counter, "Requests of a tenant.",
      tenants.flatMap { name, series in
        series.statuses.sorted { $0.key < $1.key }.map { ([("tenant", name), ("status", "\($0.key)")], $0.value) }
      })
    text.add(
      "seqline_tenant_response_bytes_total", .counter, "Bytes of response bodies to a tenant.",
      tenants.map { ([("tenant", $0.key)], $0.value.bytes) })
    text.add(
      "seqline_tenant_throttled_total", .counter, "Requests that a tenant's limit kept out.",
      tenants.flatMap { name, series in
        series.throttled.sorted { $0.key.rawValue < $1.key.rawValue }.map {
          ([("tenant", name), ("limit", $0.key.rawValue)], $0.value)
        }
      })
  }

  package var text: String {
    var text = PrometheusText()
    write(to: &text)
    return text.text
  }
}

extension RequestMetrics.TenantSeries {
  fileprivate mutating func add(_ observation: RequestMetrics.Observation) {
    times.observe(observation.seconds)
    bytes += observation.byteCount
    statuses[observation.status, default: 0] += 1
    if let limit = observation.limit { throttled[limit, default: 0] += 1 }
  }
}

extension RequestMetrics {
  /// What the overview shows of each route.
  var routes: [OverviewPage.Route] {
    let all = state.withLock { $0.series }.sorted { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }
    return all.map { key, series in
      OverviewPage.Route(
        name: key.route, status: key.status, count: series.times.count, p50Seconds: series.times.quantile(0.5),
        p99Seconds: series.times.quantile(0.99))
    }
  }
}
