import Arrow
import Definitions
import DeltaLog
import Synchronization

/// What a running stage tells about itself; nil where nobody asked.
///
/// It is told of a unit of work at a time, never of a row.
package final class StageMetrics: Sendable {
  /// What a stage's threads spend their time with.
  package enum Activity: Int, Sendable, CaseIterable {
    /// Waiting for input, mostly.
    case read
    case work
    /// Writing, and waiting for whoever reads the output.
    case write
  }

  private struct State {
    var report = RunReport()
    var newest = NewestEvents()
    /// How old the newest arrival of each event type was when it was passed on.
    var delays: [String: Double] = [:]
    var framesIn = 0
    var framesOut = 0
    var bytesOut = 0
    var unitsInFlight = 0
    var seconds = [Double](repeating: 0, count: Activity.allCases.count)
    var endSeconds: Double?
    var more: [@Sendable (inout PrometheusText) -> Void] = []
  }

  private let labels: PrometheusText.Labels
  private let definitions: (version: Int, digest: String)?
  private let startSeconds = StageMetrics.nowSeconds
  private let state = Mutex(State())

  /// - Parameter labels: what tells this stage apart.
  package init(stage: String, definitions: DefinitionSet?, labels: PrometheusText.Labels = []) {
    self.labels = [("stage", stage)] + labels
    self.definitions = definitions.map { (Int($0.version), $0.digest) }
  }

  private static var nowSeconds: Double { Double(DeltaTable.nowMillis()) / 1e3 }

  // MARK: What happens

  /// A unit of input was read, and is being worked on.
  fileprivate func unitBegan() { state.withLock { $0.unitsInFlight += 1 } }

  /// The product of a unit was written.
  func unitEnded(_ unit: UnitAccount) {
    let now = unit.newest.isEmpty ? 0 : Self.nowSeconds
    state.withLock { state in
      state.unitsInFlight -= 1
      state.report.add(unit.report)
      state.framesIn += unit.framesIn
      state.framesOut += unit.framesOut
      state.bytesOut += unit.bytesOut
      state.newest.add(unit.newest)
      for (type, times) in unit.newest.eventTypes { state.delays[type] = now - Double(times.seenAt) / 1e6 }
    }
  }

  /// The account of all at the end, where it holds more than the units'.
  package func ended(_ report: RunReport) {
    state.withLock { state in
      state.report = report
      state.endSeconds = Self.nowSeconds
    }
  }

  fileprivate func spent(_ seconds: Double, on activity: Activity) {
    state.withLock { $0.seconds[activity.rawValue] += seconds }
  }

  /// Adds what only this stage has to tell; `write` is called whenever the metrics are read.
  package func include(_ write: @escaping @Sendable (inout PrometheusText) -> Void) {
    state.withLock { $0.more.append(write) }
  }

  // MARK: What is told

  package var text: String {
    let state = state.withLock { $0 }
    var text = PrometheusText(labels: labels)
    add(progress: state, to: &text)
    add(state.report, to: &text)
    add(timesOf: state, to: &text)
    for write in state.more { write(&text) }
    return text.text
  }

  private func add(progress state: State, to text: inout PrometheusText) {
    if let (version, digest) = definitions {
      text.add(
        info: "seqline_stage_definitions_info", "The definitions that the stage runs.",
        [("version", "\(version)"), ("digest", digest)])
    }
    text.add("seqline_stage_start_time_seconds", .gauge, "When the stage began, since 1970.", startSeconds)
    if let end = state.endSeconds {
      text.add("seqline_stage_end_time_seconds", .gauge, "When the stage ended well, since 1970.", end)
    }
    text.add("seqline_stage_bytes_in_total", .counter, "Bytes of input.", state.report.bytesIn)
    text.add("seqline_stage_bytes_out_total", .counter, "Bytes of output, in frames or text.", state.bytesOut)
    text.add("seqline_stage_frames_in_total", .counter, "Frames of rows read.", state.framesIn)
    text.add("seqline_stage_frames_out_total", .counter, "Frames of rows written.", state.framesOut)
    text.add(
      "seqline_stage_units_in_flight", .gauge, "Units of input that were read and whose output is not yet written.",
      state.unitsInFlight)
    text.add(
      "seqline_stage_seconds_total", .counter, "Time of all threads, waiting for input and output included.",
      by: "activity",
      Dictionary(uniqueKeysWithValues: Activity.allCases.map { ("\($0)", state.seconds[$0.rawValue]) }))
  }

  private func add(_ report: RunReport, to text: inout PrometheusText) {
    text.add("seqline_stage_rows_in_total", .counter, "Rows of input.", report.rowsIn)
    text.add("seqline_stage_rows_out_total", .counter, "Rows of output, retractions included.", report.rowsOut)
    text.add(
      "seqline_stage_retractions_total", .counter, "Rows that only say that lower revisions of an event are gone.",
      report.retractions)
    text.add(
      "seqline_stage_rejected_total", .counter, "Lines that went to the dead letters.", by: "reason", report.rejected)
    text.add(
      "seqline_stage_mismatches_total", .counter, "Values of a wrong type, which became null.", by: "field",
      report.mismatches)
    text.add(
      "seqline_stage_expression_errors_total", .counter, "Rows for which an expression was an error.",
      by: "expression", report.expressionErrors)
    text.add("seqline_stage_kept_total", .counter, "Events that passed their filter.", by: "event_type", report.kept)
    let coverage = report.coverage.sorted { $0.key < $1.key }
    text.add(
      "seqline_stage_lookups_total", .counter, "Events that looked a key up, and whether the table has it.",
      coverage.flatMap { name, coverage in
        [("hit", coverage.hits), ("miss", coverage.misses)].map { ([("lookup", name), ("result", $0)], $1) }
      })
  }

  private func add(timesOf state: State, to text: inout PrometheusText) {
    for (label, times) in [("event_type", state.newest.eventTypes), ("source", state.newest.sources)] {
      guard !times.isEmpty else { continue }
      let prefix = label == "source" ? "seqline_stage_newest_raw" : "seqline_stage_newest"
      text.add(
        prefix + "_event_timestamp_seconds", .gauge, "When the newest event passed on happened, since 1970.",
        by: label, times.mapValues { Double($0.ts) / 1e6 })
      text.add(
        prefix + "_arrival_timestamp_seconds", .gauge, "When the newest event passed on arrived, since 1970.",
        by: label, times.mapValues { Double($0.seenAt) / 1e6 })
    }
    let now = Self.nowSeconds
    text.add(
      "seqline_stage_lag_seconds", .gauge, "Time since the newest event passed on arrived.", by: "event_type",
      state.newest.eventTypes.mapValues { now - Double($0.seenAt) / 1e6 })
    text.add(
      "seqline_stage_delay_seconds", .gauge,
      "How long ago the newest event of the last unit had arrived when it was passed on.",
      by: "event_type", state.delays)
  }
}

extension StageMetrics? {
  /// Does a part of the stage's work, and takes note of how long it took.
  func timing<R>(_ activity: StageMetrics.Activity, _ body: () throws -> R) rethrows -> R {
    guard let metrics = self else { return try body() }
    let start = Clock.now
    defer { metrics.spent(Clock.now - start, on: activity) }
    return try body()
  }

  /// Reads a unit of input.
  func reading<Unit>(_ next: () throws -> Unit?) rethrows -> Unit? {
    let unit = try timing(.read, next)
    if unit != nil { self?.unitBegan() }
    return unit
  }
}

/// What became of a unit of input, for the metrics.
struct UnitAccount {
  var report = RunReport()
  var newest = NewestEvents()
  var framesIn = 0
  var framesOut = 0
  var bytesOut = 0
}
