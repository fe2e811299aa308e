import Engine
import Synchronization

/// Counts of requests and their times.
package final class RequestMetrics: Sendable {
  /// Upper bounds of the latency buckets, in seconds.
  private static let bounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1]

  private struct Series {
    var times = Histogram(bounds: RequestMetrics.bounds)
    var bytes = 0
  }

  private struct Key: Hashable {
    var route: String
    var status: Int

    var labels: PrometheusText.Labels { [("route", route), ("status", "\(status)")] }
  }

  private let series = Mutex<[Key: Series]>([:])

  package init() {}

  package func record(route: String, status: Int, seconds: Double, bytes: Int) {
    series.withLock { series in
      series[Key(route: route, status: status), default: Series()].times.observe(seconds)
      series[Key(route: route, status: status)]!.bytes += bytes
    }
  }

  package func write(to text: inout PrometheusText) {
    let all = series.withLock { $0 }.sorted { ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status) }
    text.add("seqline_request_seconds", "Time to answer a request.", all.map { ($0.key.labels, $0.value.times) })
    text.add(
      "seqline_response_bytes_total", .counter, "Bytes of response bodies.",
      all.map { ($0.key.labels, $0.value.bytes) })
  }

  package var text: String {
    var text = PrometheusText()
    write(to: &text)
    return text.text
  }
}
