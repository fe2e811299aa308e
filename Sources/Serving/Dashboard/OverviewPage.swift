import Definitions
import SequenceStore

/// How the store and its streams do, and how it went lately.
struct OverviewPage {
  struct EventType {
    var name: String
    var dataset: String
    /// Since the newest event arrived; nil when none is known.
    var lagSeconds: Double?
    /// From the arrival of the last event that the live log brought until it could be read; nil when none came.
    var delaySeconds: Double?
    /// Promised by the sequences that show it, the least.
    var promisedSeconds: Double?
  }

  struct Route {
    var name: String
    var status: Int
    var count: Int
    var p50Seconds: Double
    var p99Seconds: Double
  }

  var eventTypes: [EventType]
  var datasets: [DatasetHealth]
  /// Columns that enrichments bring, by dataset.
  var enriched: [String: [String]]
  var liveRowCount: Int
  var liveByteCount: Int
  var routes: [Route]
  var history: MetricHistory

  var content: HTML { "\(tiles)\(freshness)\(completeness)\(coverage)\(requests)\(storage)" }

  // MARK: At a glance

  private var tiles: HTML {
    let rows = datasets.reduce(0) { $0 + $1.rowCount }
    let bytes = datasets.reduce(0) { $0 + $1.byteCount }
    let worst = eventTypes.compactMap(\.delaySeconds).max()
    let late = eventTypes.count(where: \.isLate)
    return """
      <div class="tiles">
      <div class="tile"><b>\(worst.map(Figures.duration) ?? "–")</b><span>longest way of an event from its arrival to being readable</span></div>
      <div class="tile"><b class="\(late > 0 ? "bad" : "good")">\(late)</b><span>event types behind their promise</span></div>
      <div class="tile"><b>\(Figures.count(rows))</b><span>events in tables, \(Figures.bytes(bytes))</span></div>
      <div class="tile"><b>\(Figures.count(liveRowCount))</b><span>in the live log alone, \(Figures.bytes(liveByteCount))</span></div>
      </div>

      """
  }

  // MARK: Sections

  private var freshness: HTML {
    let rows = eventTypes.map { type -> [HTML] in
      let delay = type.delaySeconds.map(Figures.duration) ?? "–"
      let style = type.promisedSeconds == nil ? "" : type.isLate ? "bad" : "good"
      return [
        "\(type.name)", "\(type.dataset)", #"<span class="\#(style)">\#(delay)</span>"#,
        "\(type.promisedSeconds.map(Figures.duration) ?? "–")", "\(type.lagSeconds.map(Figures.duration) ?? "–")",
        Sparkline(values: history.series(MetricName.delay(type.name)), label: "Freshness of \(type.name)").html,
      ]
    }
    let table = HTMLTable(
      caption: "From an event's arrival until it could be read, and how long ago the newest one arrived.",
      columns: [
        .init(name: "event type"), .init(name: "dataset"), .init(name: "readable after", isNumber: true),
        .init(name: "promised", isNumber: true), .init(name: "newest, ago", isNumber: true), .init(name: "lately"),
      ], rows: rows)
    return "<h2>Freshness</h2>\n\(table.html)"
  }

  private var completeness: HTML {
    let rows = datasets.flatMap { dataset in
      dataset.replacements.prefix(8).map { replacement -> [HTML] in
        let drift = replacement.drift.total
        let share = replacement.rowCount > 0 ? Double(drift.added + drift.changed) / Double(replacement.rowCount) : 0
        return [
          "\(replacement.range)", "\(dataset.dataset)", "\(Figures.time(millis: replacement.committedMillis))",
          "\(Figures.count(replacement.rowCount))", "\(Figures.count(drift.added))", "\(Figures.count(drift.changed))",
          "\(Figures.count(drift.dropped))", "\(Figures.share(1 - min(1, share)))",
        ]
      }
    }
    guard !rows.isEmpty else { return "<h2>Completeness</h2>\n<p>No batch has replaced a day yet.</p>" }
    let table = HTMLTable(
      caption: "Batch runs: how what they brought differs from what streaming, or an earlier run, had brought.",
      columns: [
        .init(name: "days"), .init(name: "dataset"), .init(name: "run at"), .init(name: "events", isNumber: true),
        .init(name: "were missing", isNumber: true), .init(name: "differed", isNumber: true),
        .init(name: "dropped", isNumber: true), .init(name: "were right", isNumber: true),
      ], rows: rows)
    return "<h2>Completeness <small>streamed against batch</small></h2>\n\(table.html)"
  }

  private var coverage: HTML? {
    let rows = datasets.flatMap { dataset in
      (enriched[dataset.dataset] ?? []).map { column -> [HTML] in
        let shares = dataset.buckets.map { $0.nullShare(column).map { 1 - $0 } }
        let latest = shares.first ?? nil
        return [
          "\(column)", "\(dataset.dataset)", "\(latest.map(Figures.share) ?? "–")",
          Sparkline(values: shares.prefix(60).reversed(), label: "Coverage of \(column) by day").html,
        ]
      }
    }
    guard !rows.isEmpty else { return nil }
    let table = HTMLTable(
      caption: "Events of the latest bucket whose enrichment has a value, and the buckets before.",
      columns: [
        .init(name: "column"), .init(name: "dataset"), .init(name: "covered", isNumber: true), .init(name: "by day"),
      ], rows: rows)
    return "<h2>Coverage <small>per enrichment</small></h2>\n\(table.html)"
  }

  private var requests: HTML {
    guard !routes.isEmpty else { return "<h2>Requests</h2>\n<p>Nobody has asked yet.</p>" }
    let rows = routes.map { route -> [HTML] in
      [
        "\(route.name)", #"<span class="\#(route.status >= 500 ? "bad" : "")">\#(route.status)</span>"#,
        "\(Figures.count(route.count))", "\(Figures.duration(seconds: route.p50Seconds))",
        "\(Figures.duration(seconds: route.p99Seconds))",
      ]
    }
    let table = HTMLTable(
      caption: "Since the server began; times are upper bounds of the histogram's buckets.",
      columns: [
        .init(name: "route"), .init(name: "status", isNumber: true), .init(name: "requests", isNumber: true),
        .init(name: "p50", isNumber: true), .init(name: "p99", isNumber: true),
      ], rows: rows)
    return "<h2>Requests</h2>\n\(table.html)"
  }

  private var storage: HTML {
    let rows = datasets.map { dataset -> [HTML] in
      let perEvent = dataset.rowCount > 0 ? dataset.byteCount / dataset.rowCount : 0
      return [
        "\(dataset.dataset)", "\(Int(dataset.version))", "\(Figures.count(dataset.rowCount))",
        "\(dataset.buckets.count)",
        "\(dataset.fileCount)", "\(dataset.smallFileCount)", "\(Figures.bytes(dataset.byteCount))", "\(perEvent)",
        Sparkline(values: history.series(MetricName.smallFiles(dataset.dataset)), label: "Small files").html,
      ]
    }
    let table = HTMLTable(
      caption: "The tables that are served.",
      columns: [
        .init(name: "dataset"), .init(name: "version", isNumber: true), .init(name: "events", isNumber: true),
        .init(name: "buckets", isNumber: true), .init(name: "files", isNumber: true),
        .init(name: "small files", isNumber: true), .init(name: "size", isNumber: true),
        .init(name: "bytes per event", isNumber: true), .init(name: "small files lately"),
      ], rows: rows)
    return "<h2>Storage</h2>\n\(table.html)"
  }
}

extension OverviewPage.EventType {
  var isLate: Bool {
    guard let delaySeconds, let promisedSeconds else { return false }
    return delaySeconds > promisedSeconds
  }
}

/// Names of numbers in the history.
enum MetricName {
  static func delay(_ eventType: String) -> String { "delay/\(eventType)" }
  static func smallFiles(_ dataset: String) -> String { "small_files/\(dataset)" }
}
