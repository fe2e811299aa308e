import Definitions
import DeltaLog
import SequenceStore

/// How the store, its streams and its server do, and how it went lately: first what is wrong, then everything else.
struct OverviewPage {
  let served: ServedDefinitions
  let look: StoreHealth.Look
  let live: LiveStatistics
  let history: MetricHistory
  let nowMicros: Int64
  /// The latest first.
  var anomalies: [Anomaly] = []
  var requests = RequestCounts()
  /// Which columns take the room, by dataset; the largest first.
  var columns: [String: [ColumnStorage.Column]] = [:]

  init(
    _ served: ServedDefinitions, _ look: StoreHealth.Look, live: LiveStatistics, history: MetricHistory,
    nowMicros: Int64
  ) {
    self.served = served
    self.look = look
    self.live = live
    self.history = history
    self.nowMicros = nowMicros
  }

  var content: HTML {
    """
    \(verdict)\(tiles)
    \(anomalySection)\(freshness)\(requestSection)\(completeness)\(coverage)\(definitionSection)\(storage)
    """
  }

  var datasets: [DatasetHealth] { look.datasets }

  // MARK: At a glance

  /// What is wrong in a few lines, or that nothing is.
  private var verdict: HTML {
    let findings = findings
    guard !findings.isEmpty else {
      return """
        <p class="verdict good" role="status"><b>All is well.</b> Events come as promised and look as they did before.</p>

        """
    }
    let items = findings.prefix(6).map { finding -> HTML in
      ##"<li><a href="#\##(finding.section.rawValue)">\##(finding.text)</a></li>"##
    }
    let rest: HTML? = findings.count > 6 ? "<li>and \(findings.count - 6) more</li>" : nil
    let count = findings.count == 1 ? "One thing needs" : "\(findings.count) things need"
    return """
      <div class="verdict bad" role="status"><b>\(count) a look.</b><ul>\(items)\(rest)</ul></div>

      """
  }

  private var tiles: HTML {
    let rows = datasets.reduce(0) { $0 + $1.rowCount }
    let bytes = datasets.reduce(0) { $0 + $1.byteCount }
    let late = eventTypes.count(where: \.isLate)
    let slowest = eventTypes.max { ($0.delaySeconds ?? -1) < ($1.delaySeconds ?? -1) }
    let open = anomalies.count(where: \.isOpen)
    let tiles = [
      Tile(
        value: slowest?.delaySeconds.map(Figures.duration) ?? "–", label: "until an event can be read, at most",
        isBad: late > 0, curve: slowest.map { history.series(MetricName.delay($0.name)) }),
      Tile(
        value: "\(open)", label: open == 1 ? "anomaly" : "anomalies", isBad: open > 0,
        curve: history.series(MetricName.anomalies)),
      requestTile,
      Tile(
        value: Figures.count(rows), label: "events in tables, \(Figures.bytes(bytes))",
        curve: history.series(MetricName.storedRows)),
      Tile(
        value: Figures.count(live.rowCounts.values.reduce(0, +)),
        label: "in the live log alone, \(Figures.bytes(live.byteCount))", curve: history.series(MetricName.liveRows)),
    ]
    return #"<div class="tiles">\#(tiles.map(\.html))</div>"#
  }

  private var requestTile: Tile {
    let slowest = requests.sequences.max { $0.value.times.quantile(0.99) < $1.value.times.quantile(0.99) }
    guard let (name, series) = slowest.map({ ($0.key, $0.value) }) else {
      return Tile(value: "–", label: "nobody has asked yet")
    }
    let errors = requests.sequences.values.reduce(0) { $0 + $1.errorCount }
    return Tile(
      value: Figures.duration(seconds: series.times.quantile(0.99)),
      label: errors == 0 ? "for 99 of 100 requests, at most" : "for 99 of 100 requests; \(errors) errors",
      isBad: errors > 0, curve: history.series(MetricName.latency(.sequence(name))))
  }
}

/// A figure, large.
struct Tile {
  var value: String
  var label: String
  var isBad = false
  /// Its past, oldest first.
  var curve: [Double?]?

  var html: HTML {
    let line: HTML? = curve.flatMap { Sparkline(values: $0, label: "Lately").line }
    return #"<div class="tile\#(isBad ? " bad" : "")"><b>\#(value)</b><span>\#(label)</span>\#(line)</div>"#
  }
}

/// A part of the overview.
struct PageSection {
  enum Name: String {
    case anomalies, freshness, requests, completeness, coverage, definitions, storage
  }

  var name: Name
  var title: String
  var note = ""
  var content: HTML

  var html: HTML {
    let note: HTML? = note.isEmpty ? nil : " <small>\(note)</small>"
    return """
      <section id="\(name.rawValue)" aria-labelledby="\(name.rawValue)-title">
      <h2 id="\(name.rawValue)-title">\(title)\(note)</h2>
      \(content)</section>

      """
  }
}
