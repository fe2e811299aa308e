import Definitions
import DeltaLog
import SequenceStore

extension OverviewPage {
  struct EventType {
    var name: String
    var dataset: String
    /// Since the newest event arrived; nil when none is known.
    var lagSeconds: Double?
    /// From the arrival of the last event that the live log brought until it could be read; nil when none came.
    var delaySeconds: Double?
    /// Promised by the sequences that show it, the least.
    var promisedSeconds: Double?

    var isLate: Bool {
      guard let delaySeconds, let promisedSeconds else { return false }
      return delaySeconds > promisedSeconds
    }
  }

  var eventTypes: [EventType] {
    var promises: [String: Double] = [:]
    for sequence in served.definitions.sequences {
      guard let freshness = sequence.freshnessMicros else { continue }
      for type in sequence.eventTypes { promises[type] = min(promises[type] ?? .infinity, Double(freshness) / 1e6) }
    }
    return served.definitions.eventTypes.map { type in
      let stored = datasets.first { $0.dataset == type.dataset }?.newestSeenMicros
      return EventType(
        name: type.name, dataset: type.dataset,
        lagSeconds: (live.newestSeenMicros[type.name] ?? stored).map { Double(nowMicros - $0) / 1e6 },
        delaySeconds: live.delayMicros[type.name].map { Double($0) / 1e6 }, promisedSeconds: promises[type.name])
    }
  }

  // MARK: Anomalies

  var anomalySection: HTML {
    let content: HTML =
      anomalies.isEmpty ? "<p>\(anomalyNote)</p>" : "\(anomalyTable)<p class=\"faint\">\(anomalyNote)</p>"
    return PageSection(
      name: .anomalies, title: "Anomalies", note: "against the same hours of the weeks before", content: content
    ).html
  }

  private var anomalyTable: HTML {
    let sorted = anomalies.filter(\.isOpen) + anomalies.filter { !$0.isOpen }
    let rows = sorted.prefix(40).map { anomaly -> [HTML] in
      let status: HTML = anomaly.isOpen ? Mark.bad("open").html : Mark.none("over").html
      let time = CalendarText.timestamp(micros: anomaly.atMicros)
      let period = anomaly.isWholeDay ? "\(time.prefix(10))" : "\(time.prefix(10)) \(time.dropFirst(11).prefix(5))"
      return [
        "\(anomaly.subject.description)", status, "\(anomaly.valueText)", "\(anomaly.expectedText)",
        "\(anomaly.since.description)", "\(period)", "\(anomaly.definitions ?? "–")",
      ]
    }
    return HTMLTable(
      caption: "What is not as it was, with the latest hour or day of it.",
      columns: [
        .init(name: "what"), .init(name: "now"), .init(name: "value", isNumber: true),
        .init(name: "before", isNumber: true), .init(name: "since"), .init(name: "latest", isExtra: true),
        .init(name: "definitions", isExtra: true),
      ], rows: rows
    ).html
  }

  /// What was looked at.
  private var anomalyNote: String {
    guard let report = look.report else {
      return "Nobody has looked yet: seq-store upkeep compares each hour with the weeks before."
    }
    let judged = report.scopes.values.reduce(0) { $0 + $1.judgedCount }
    let new = report.scopes.values.reduce(0) { $0 + $1.newCount }
    let begin = anomalies.isEmpty ? "None. " : ""
    return begin + "Hours and days of event types that were compared: \(Figures.count(judged)), last at "
      + Figures.time(millis: report.madeMicros / 1_000)
      + (new > 0 ? "; too new to compare: \(Figures.count(new))." : ".")
  }

  // MARK: Freshness

  var freshness: HTML {
    let rows = eventTypes.map { type -> [HTML] in
      let delay = type.delaySeconds.map(Figures.duration) ?? "–"
      let mark: Mark =
        type.promisedSeconds == nil || type.delaySeconds == nil
        ? .none(delay) : type.isLate ? .bad(delay) : .good(delay)
      return [
        "\(type.name)", "\(type.dataset)", mark.html, "\(type.promisedSeconds.map(Figures.duration) ?? "–")",
        "\(type.lagSeconds.map(Figures.duration) ?? "–")",
        Sparkline(values: history.series(MetricName.delay(type.name)), label: "Freshness of \(type.name)").html,
      ]
    }
    let table = HTMLTable(
      caption: "From an event's arrival until it could be read, and how long ago the newest one arrived.",
      columns: [
        .init(name: "event type"), .init(name: "dataset", isExtra: true), .init(name: "readable after", isNumber: true),
        .init(name: "promised", isNumber: true), .init(name: "newest, ago", isNumber: true), .init(name: "lately"),
      ], rows: rows)
    return PageSection(name: .freshness, title: "Freshness", content: table.html).html
  }

  // MARK: Completeness

  var completeness: HTML {
    let rows = datasets.flatMap { dataset in
      let promised = promisedCompleteness(of: dataset.dataset)
      let past = dataset.replacements.map { Optional($0.rightShare) }
      return dataset.replacements.prefix(8).enumerated().map { index, replacement -> [HTML] in
        let drift = replacement.drift.total
        let share = Figures.share(replacement.rightShare)
        let mark: Mark = promised.map { replacement.rightShare < $0 ? .bad(share) : .good(share) } ?? .none(share)
        return [
          "\(replacement.range)", "\(dataset.dataset)", mark.html, "\(Figures.count(replacement.rowCount))",
          "\(Figures.count(drift.added))", "\(Figures.count(drift.changed))", "\(Figures.count(drift.dropped))",
          "\(Figures.time(millis: replacement.committedMillis))",
          index == 0 ? Sparkline(values: past.reversed(), label: "Completeness of \(dataset.dataset)").html : "",
        ]
      }
    }
    let table = HTMLTable(
      caption: "Batch runs: how what they brought differs from what streaming, or an earlier run, had brought.",
      columns: [
        .init(name: "days"), .init(name: "dataset"), .init(name: "were right", isNumber: true),
        .init(name: "events", isNumber: true), .init(name: "were missing", isNumber: true),
        .init(name: "differed", isNumber: true), .init(name: "dropped", isNumber: true),
        .init(name: "run at", isExtra: true), .init(name: "lately"),
      ], rows: rows)
    return PageSection(
      name: .completeness, title: "Completeness", note: "streamed against batch",
      content: rows.isEmpty ? "<p>No batch has replaced a day yet.</p>\n" : table.html
    ).html
  }

  // MARK: Coverage

  var coverage: HTML? {
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
    return PageSection(name: .coverage, title: "Coverage", note: "per enrichment", content: table.html).html
  }

  /// By dataset, the columns that look-ups bring.
  private var enriched: [String: [String]] {
    var columns: [String: [String]] = [:]
    for type in served.definitions.eventTypes {
      for case .lookup(let use) in type.enrichments {
        let names = served.definitions.outputs(of: use).map(\.name)
        for name in names where columns[type.dataset]?.contains(name) != true {
          columns[type.dataset, default: []].append(name)
        }
      }
    }
    return columns
  }
}
