import Engine
import Synchronization

/// Counts of requests and their times: in all, by sequence and by tenant.
package final class RequestMetrics: Sendable {
  private struct Key: Hashable {
    var route: String
    var status: Int

    var labels: PrometheusText.Labels { [("route", route), ("status", "\(status)")] }
  }

  private struct State {
    var routes: [Key: RequestSeries] = [:]
    var sequences: [String: RequestSeries] = [:]
    var tenants: [String: RequestSeries] = [:]
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
    /// The sequence that was asked for, if the definitions have it: what clients make up is no label.
    package var sequence: String?
    package var tenant: String?
    /// The limit that the tenant had reached.
    package var limit: TenantUsage.Limit?
  }

  package func record(_ observation: Observation) {
    let key = Key(route: observation.route, status: observation.status)
    state.withLock { state in
      state.routes[key, default: RequestSeries()].add(observation)
      if let sequence = observation.sequence { state.sequences[sequence, default: RequestSeries()].add(observation) }
      if let tenant = observation.tenant { state.tenants[tenant, default: RequestSeries()].addTenants(observation) }
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

  /// What was counted since the start.
  var counts: RequestCounts {
    state.withLock { state in
      let routes = state.routes.sorted { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }
      return RequestCounts(
        routes: routes.map { ($0.key.route, $0.key.status, $0.value) }, sequences: state.sequences,
        tenants: state.tenants)
    }
  }

  package func write(to text: inout PrometheusText) {
    let counts = counts
    let routes = counts.routes.map { (labels: [("route", $0.route), ("status", "\($0.status)")], series: $0.series) }
    text.add("seqline_request_seconds", "Time to answer a request.", routes.map { ($0.labels, $0.series.times) })
    text.add(
      "seqline_response_bytes_total", .counter, "Bytes of response bodies.",
      routes.map { ($0.labels, $0.series.byteCount) })
    text.add("seqline_connections", .gauge, "Open connections.", connectionCount.load(ordering: .relaxed))
    text.add(
      "seqline_refused_connections_total", .counter, "Connections beyond --max-connections.",
      refusedConnectionCount.load(ordering: .relaxed))
    write(counts.sequences, of: "sequence", to: &text)
    write(counts.tenants, of: "tenant", to: &text)
    text.add(
      "seqline_tenant_throttled_total", .counter, "Requests that a tenant's limit kept out.",
      counts.tenants.sorted { $0.key < $1.key }.flatMap { name, series in
        series.throttled.sorted { $0.key.rawValue < $1.key.rawValue }.map {
          ([("tenant", name), ("limit", $0.key.rawValue)], $0.value)
        }
      })
  }

  /// What there is of each sequence, or each tenant.
  private func write(_ all: [String: RequestSeries], of label: String, to text: inout PrometheusText) {
    let all = all.sorted { $0.key < $1.key }
    text.add(
      "seqline_\(label)_request_seconds", "Time to answer a \(label)'s request.",
      all.map { ([(label, $0.key)], $0.value.times) })
    text.add(
      "seqline_\(label)_requests_total", .counter, "Requests of a \(label).",
      all.flatMap { name, series in
        series.statuses.sorted { $0.key < $1.key }.map { ([(label, name), ("status", "\($0.key)")], $0.value) }
      })
    text.add(
      "seqline_\(label)_response_bytes_total", .counter, "Bytes of response bodies of a \(label)'s requests.",
      all.map { ([(label, $0.key)], $0.value.byteCount) })
  }

  package var text: String {
    var text = PrometheusText()
    write(to: &text)
    return text.text
  }
}

/// What a server has counted until some moment.
struct RequestCounts: Sendable {
  /// By name, then status.
  var routes: [(route: String, status: Int, series: RequestSeries)] = []
  var sequences: [String: RequestSeries] = [:]
  var tenants: [String: RequestSeries] = [:]
}

/// Requests that have something in common.
struct RequestSeries: Sendable {
  /// Upper bounds of the latency buckets, in seconds.
  private static let bounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1]

  private(set) var times = Histogram(bounds: bounds)
  private(set) var byteCount = 0
  private(set) var statuses: [Int: Int] = [:]
  private(set) var throttled: [TenantUsage.Limit: Int] = [:]

  mutating func add(_ observation: RequestMetrics.Observation) {
    times.observe(observation.seconds)
    count(observation)
  }

  /// Adds a request of a tenant's. Of one that a limit kept out the time is left aside: turned away at once, thousands of
  /// them would hide how the others fare.
  mutating func addTenants(_ observation: RequestMetrics.Observation) {
    guard let limit = observation.limit else { return add(observation) }
    throttled[limit, default: 0] += 1
    count(observation)
  }

  private mutating func count(_ observation: RequestMetrics.Observation) {
    byteCount += observation.byteCount
    statuses[observation.status, default: 0] += 1
  }

  /// Of those that the server could not answer.
  var errorCount: Int { statuses.reduce(0) { $0 + ($1.key >= 500 ? $1.value : 0) } }
}

extension RequestCounts {
  /// What was asked for, and who asked, by name.
  var parties: [RequestParty] {
    sequences.keys.sorted().map { .sequence($0) } + tenants.keys.sorted().map { .tenant($0) }
  }

  /// What came since an earlier moment, by sequence and by tenant; parties without requests are among them.
  func changes(since past: RequestCounts) -> [(party: RequestParty, series: RequestSeries)] {
    func changes(
      _ all: [String: RequestSeries], _ past: [String: RequestSeries], _ party: (String) -> RequestParty
    ) -> [(party: RequestParty, series: RequestSeries)] {
      all.map { name, series in (party(name), past[name].map { series.since($0) } ?? series) }
    }
    return changes(sequences, past.sequences) { .sequence($0) } + changes(tenants, past.tenants) { .tenant($0) }
  }
}

extension RequestSeries {
  /// What was counted since an earlier state.
  func since(_ earlier: RequestSeries) -> RequestSeries {
    var difference = self
    difference.times = times.since(earlier.times)
    difference.byteCount -= earlier.byteCount
    for (status, count) in earlier.statuses { difference.statuses[status]! -= count }
    for (limit, count) in earlier.throttled { difference.throttled[limit]! -= count }
    return difference
  }

  /// In 0…1; 0 without requests.
  var errorShare: Double { times.count > 0 ? Double(errorCount) / Double(times.count) : 0 }
}
