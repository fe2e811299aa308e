import Synchronization

/// Counts of requests and their times, as Prometheus reads them.
package final class RequestMetrics: Sendable {
  /// Upper bounds of the latency buckets, in seconds.
  private static let bounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1]

  private struct Series {
    var buckets = [Int](repeating: 0, count: RequestMetrics.bounds.count + 1)
    var seconds = 0.0
    var bytes = 0
    var count = 0
  }

  private struct Key: Hashable {
    var route: String
    var status: Int
  }

  private let series = Mutex<[Key: Series]>([:])

  package init() {}

  package func record(route: String, status: Int, seconds: Double, bytes: Int) {
    let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
    series.withLock { series in
      series[Key(route: route, status: status), default: Series()].buckets[bucket] += 1
      series[Key(route: route, status: status)]!.seconds += seconds
      series[Key(route: route, status: status)]!.bytes += bytes
      series[Key(route: route, status: status)]!.count += 1
    }
  }

  /// - Source: Prometheus text exposition format 0.0.4.
  package var text: String {
    let all = series.withLock { $0 }.sorted { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }
    var lines = [
      "# HELP seqline_request_seconds Time to answer a request.", "# TYPE seqline_request_seconds histogram",
    ]
    for (key, series) in all {
      let labels = #"route="\#(key.route)",status="\#(key.status)""#
      var total = 0
      for (bound, count) in zip(Self.bounds, series.buckets) {
        total += count
        lines.append(#"seqline_request_seconds_bucket{\#(labels),le="\#(bound)"} \#(total)"#)
      }
      lines.append(#"seqline_request_seconds_bucket{\#(labels),le="+Inf"} \#(series.count)"#)
      lines.append("seqline_request_seconds_sum{\(labels)} \(series.seconds)")
      lines.append("seqline_request_seconds_count{\(labels)} \(series.count)")
    }
    lines += [
      "# HELP seqline_response_bytes_total Bytes of response bodies.", "# TYPE seqline_response_bytes_total counter",
    ]
    for (key, series) in all {
      lines.append(#"seqline_response_bytes_total{route="\#(key.route)",status="\#(key.status)"} \#(series.bytes)"#)
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
