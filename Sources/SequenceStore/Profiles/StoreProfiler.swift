import Definitions
import DeltaLog
import Engine

/// Keeps profiles of the datasets' events, and finds what is not as it was: what `seq-store profile` does.
///
/// It reads data files that are new, and nothing that others write but the tables' logs.
package struct StoreProfiler {
  private let store: StoreDirectory
  private let definitions: DefinitionSet
  private let nowMicros: Int64

  /// Streamed events of an hour may be on their way for so long after it.
  private static let streamDelayMicros = ProfilePeriod.hourMicros
  /// An hour counts as whole when the last event of a batch is no further from its end.
  private static let batchMarginMicros: Int64 = 600_000_000

  package init(
    _ store: StoreDirectory, definitions: DefinitionSet, nowMicros: Int64 = DeltaTable.nowMillis() * 1_000
  ) {
    self.store = store
    self.definitions = definitions
    self.nowMicros = nowMicros
  }

  /// Profiles datasets and judges them; what is known of others stays.
  ///
  /// - Parameter report: told of each day that was profiled.
  /// - Returns: what is found, and what of it was not known before.
  package func run(
    _ names: [String], _ report: (UpkeepAction) -> Void
  ) throws(StoreError) -> (report: AnomalyReport, new: [Anomaly]) {
    let earlier = AnomalyReport(file: store.eventAnomalies)
    let snapshot = try StoreSnapshot(store, datasets: names)
    var found = AnomalyReport(madeMicros: nowMicros, scopes: earlier?.scopes ?? [:])
    found.anomalies = (earlier?.anomalies ?? []).filter { !names.contains($0.subject.dataset ?? "") }
    for name in names {
      guard let (result, untilMicros) = try judge(name, snapshot, earlier?.anomalies ?? [], report) else { continue }
      found.scopes[name] = AnomalyReport.Scope(
        untilMicros: untilMicros, judgedCount: result.judgedCount, newCount: result.newCount)
      found.anomalies += result.anomalies
    }
    found.anomalies.sort { $0.atMicros > $1.atMicros }
    try keep(found)
    let known = Set(earlier?.open.map(\.subject) ?? [])
    return (found, found.open.filter { !known.contains($0.subject) })
  }

  private func judge(
    _ name: String, _ snapshot: StoreSnapshot, _ earlier: [Anomaly], _ report: (UpkeepAction) -> Void
  ) throws(StoreError) -> (AnomalyDetector.Result, untilMicros: Int64)? {
    let profiler = try DatasetProfiler(snapshot, dataset: name, today: Day(micros: nowMicros))
    guard let profiler, let untilMicros = try untilMicros(of: snapshot.datasets[name]) else { return nil }
    let profiles = try profiler.run(report)
    let detector = AnomalyDetector(name, profiles, untilMicros: untilMicros)
    return (detector.run(history: try profiler.history(), earlier: earlier), untilMicros)
  }

  /// The end of the last hour that is whole; nil where nobody can say.
  ///
  /// A stream brings the hours as they pass. A batch has those until its horizon, and none after it.
  private func untilMicros(of dataset: DatasetSnapshot?) throws(StoreError) -> Int64? {
    let isStreamed = try StreamProgress(of: store, shardCount: definitions.shardCount) != .batchesAlone
    let replaced = dataset?.horizons.newest.map { min($0, nowMicros) + Self.batchMarginMicros }
    let until = isStreamed ? nowMicros - Self.streamDelayMicros : replaced
    return until.map { $0 - $0 % ProfilePeriod.hourMicros }
  }

  private func keep(_ report: AnomalyReport) throws(StoreError) {
    try StoreDirectory.make(store.profiles)
    do { try OpenFile.replaceText(of: store.eventAnomalies, with: report.json.text + "\n") } catch {
      throw .system(error)
    }
  }
}
