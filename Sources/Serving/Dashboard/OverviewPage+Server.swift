import Definitions
import DeltaLog
import SequenceStore

extension OverviewPage {
  // MARK: Requests

  var requestSection: HTML {
    let parties =
      requests.sequences.sorted { $0.key < $1.key }.map { (RequestParty.sequence($0.key), $0.key, $0.value) }
      + requests.tenants.sorted { $0.key < $1.key }.map { (RequestParty.tenant($0.key), $0.key, $0.value) }
    let content: HTML =
      parties.isEmpty && requests.routes.isEmpty ? "<p>Nobody has asked yet.</p>\n" : "\(partyTable(parties))\(routes)"
    return PageSection(
      name: .requests, title: "Requests", note: "latency and errors since the server began", content: content
    ).html
  }

  private func partyTable(_ parties: [(party: RequestParty, name: String, series: RequestSeries)]) -> HTML? {
    guard !parties.isEmpty else { return nil }
    let rows = parties.map { party, name, series -> [HTML] in
      let throttled = series.throttled.values.reduce(0, +)
      let share = Figures.share(series.errorShare)
      let kind = if case .tenant = party { "tenant" } else { "sequence" }
      return [
        "\(name)", "\(kind)", "\(Figures.count(series.times.count))",
        (series.errorCount > 0 ? Mark.bad(share) : Mark.good(share)).html,
        "\(Figures.duration(seconds: series.times.quantile(0.5)))",
        "\(Figures.duration(seconds: series.times.quantile(0.99)))", "\(Figures.count(throttled))",
        Sparkline(values: history.series(MetricName.latency(party)), label: "p99 of \(name)").html,
        Sparkline(values: history.series(MetricName.errors(party)), label: "Errors of \(name)").html,
      ]
    }
    return HTMLTable(
      caption: "By sequence and by tenant; times are upper bounds of the histogram's buckets.",
      columns: [
        .init(name: "name"), .init(name: "is a", isExtra: true), .init(name: "requests", isNumber: true),
        .init(name: "errors", isNumber: true), .init(name: "p50", isNumber: true), .init(name: "p99", isNumber: true),
        .init(name: "throttled", isNumber: true, isExtra: true), .init(name: "p99 lately"),
        .init(name: "errors lately"),
      ], rows: rows
    ).html
  }

  private var routes: HTML? {
    guard !requests.routes.isEmpty else { return nil }
    let rows = requests.routes.map { route, status, series -> [HTML] in
      [
        "\(route)", status >= 500 ? Mark.bad("\(status)").html : "\(status)", "\(Figures.count(series.times.count))",
        "\(Figures.duration(seconds: series.times.quantile(0.5)))",
        "\(Figures.duration(seconds: series.times.quantile(0.99)))",
      ]
    }
    let table = HTMLTable(
      caption: "By route and status.",
      columns: [
        .init(name: "route"), .init(name: "status", isNumber: true), .init(name: "requests", isNumber: true),
        .init(name: "p50", isNumber: true), .init(name: "p99", isNumber: true),
      ], rows: rows)
    return "<details><summary>By route and status</summary>\n\(table.html)</details>\n"
  }

  // MARK: Definitions

  var definitionSection: HTML {
    PageSection(
      name: .definitions, title: "Definitions", note: "served: \(served.label)",
      content: "\(rollouts)\(schemaDrift)\(sequences)"
    ).html
  }

  /// Which definitions each dataset is written with, and was.
  private var rollouts: HTML {
    let rows = datasets.flatMap { dataset in
      (look.histories[dataset.dataset]?.rollouts ?? []).prefix(4).enumerated().map { index, commit -> [HTML] in
        let label = commit.definitions
        let mark: Mark = index > 0 ? .none(label) : label == served.label ? .good(label) : .bad(label)
        return [
          "\(dataset.dataset)", mark.html, "\(Figures.time(millis: commit.millis))", "\(Int(commit.version))",
          index > 0 ? "before" : label == served.label ? "as served" : "not as served",
        ]
      }
    }
    guard !rows.isEmpty else { return "<p>No commit says yet which definitions it was made with.</p>\n" }
    return HTMLTable(
      caption: "Rollout: which definitions events are written with, and since when.",
      columns: [
        .init(name: "dataset"), .init(name: "definitions"), .init(name: "since"),
        .init(name: "from version", isNumber: true, isExtra: true), .init(name: "state"),
      ], rows: rows
    ).html
  }

  private var schemaDrift: HTML {
    let rows = datasets.flatMap { dataset in
      (look.histories[dataset.dataset]?.columnChanges ?? []).prefix(12).map { change -> [HTML] in
        let what =
          switch (change.before, change.after) {
          case (nil, let after?): "came as \(after)"
          case (let before?, nil): "went; was \(before)"
          default: "\(change.before ?? "") became \(change.after ?? "")"
          }
        return [
          "\(change.column)", "\(dataset.dataset)", "\(what)", "\(Figures.time(millis: change.commit.millis))",
          "\(Int(change.commit.version))", "\(change.commit.definitions.isEmpty ? "–" : change.commit.definitions)",
        ]
      }
    }
    guard !rows.isEmpty else { return "<p class=\"faint\">No column has come, gone or changed its type.</p>\n" }
    return HTMLTable(
      caption: "Schema drift: columns that came, went, or changed their type.",
      columns: [
        .init(name: "column"), .init(name: "dataset"), .init(name: "change"), .init(name: "at"),
        .init(name: "version", isNumber: true, isExtra: true), .init(name: "definitions", isExtra: true),
      ], rows: rows
    ).html
  }

  private var sequences: HTML {
    let rows = served.definitions.sequences.map { sequence -> [HTML] in
      [
        "\(sequence.name)", "\(sequence.version)", "\(sequence.stage.rawValue)", "\(sequence.owner)",
        "\(sequence.freshnessMicros.map { Figures.duration(seconds: Double($0) / 1e6) } ?? "–")",
        "\(sequence.completeness.map { Figures.share($0.share) } ?? "–")",
      ]
    }
    return HTMLTable(
      caption: "The sequences that are served, and what they promise.",
      columns: [
        .init(name: "sequence"), .init(name: "version", isNumber: true), .init(name: "stage"), .init(name: "owner"),
        .init(name: "freshness", isNumber: true), .init(name: "completeness", isNumber: true),
      ], rows: rows
    ).html
  }

  // MARK: Storage

  var storage: HTML {
    let rows = datasets.map { dataset -> [HTML] in
      let perEvent = dataset.rowCount > 0 ? dataset.byteCount / dataset.rowCount : 0
      return [
        "\(dataset.dataset)", "\(Figures.count(dataset.rowCount))", "\(Figures.bytes(dataset.byteCount))",
        "\(perEvent)",
        "\(dataset.fileCount)", "\(dataset.smallFileCount)",
        Sparkline(values: history.series(MetricName.smallFiles(dataset.dataset)), label: "Small files").html,
        "\(dataset.buckets.count)", "\(Int(dataset.version))",
      ]
    }
    guard !rows.isEmpty else {
      return PageSection(name: .storage, title: "Storage", content: "<p>There is no table yet.</p>\n").html
    }
    let table = HTMLTable(
      caption: "The tables that are served.",
      columns: [
        .init(name: "dataset"), .init(name: "events", isNumber: true), .init(name: "size", isNumber: true),
        .init(name: "bytes per event", isNumber: true), .init(name: "files", isNumber: true),
        .init(name: "small files", isNumber: true), .init(name: "small files lately"),
        .init(name: "buckets", isNumber: true, isExtra: true), .init(name: "version", isNumber: true, isExtra: true),
      ], rows: rows)
    return PageSection(
      name: .storage, title: "Storage", content: "\(table.html)\(datasets.map(columnStorage))"
    ).html
  }

  /// The columns of a dataset as bars, the largest first.
  private func columnStorage(_ dataset: DatasetHealth) -> HTML {
    let columns = columns[dataset.dataset] ?? []
    let total = max(1, columns.reduce(0) { $0 + $1.byteCount })
    let rows = columns.map { column -> [HTML] in
      let share = Double(column.byteCount) / Double(total)
      let perEvent = dataset.rowCount > 0 ? Double(column.byteCount) / Double(dataset.rowCount) : 0
      return [
        "\(column.name)", "\(Figures.bytes(column.byteCount))", "\(Figures.decimal(perEvent))", Bar(share: share).html,
      ]
    }
    let table = HTMLTable(
      caption: "What each column of \(dataset.dataset) takes, compressed.",
      columns: [
        .init(name: "column"), .init(name: "size", isNumber: true), .init(name: "bytes per event", isNumber: true),
        .init(name: "share"),
      ], rows: rows)
    return "<details><summary>Columns of \(dataset.dataset)</summary>\n\(table.html)</details>\n"
  }
}
