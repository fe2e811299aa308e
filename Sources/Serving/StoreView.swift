import Definitions
import Engine
import SequenceStore

/// The store as requests see it: a snapshot that moves on when the tables do, and readers that keep their scratch memory.
final class StoreView: Sendable {
  private let store: StoreDirectory
  private let datasets: [String]
  private let state: Monitor<State>

  private struct State {
    var snapshot: StoreSnapshot
    /// Counts snapshots, so that readers of an earlier one are not used again.
    var generation = 0
    var idle: [SequenceReader] = []
    var refreshes = 0
  }

  init(_ store: StoreDirectory, datasets: [String]) throws(StoreError) {
    self.store = store
    self.datasets = datasets
    let snapshot = try StoreSnapshot(store, datasets: datasets)
    try snapshot.preload()
    state = Monitor(State(snapshot: snapshot))
  }

  var versions: [String: Int64] { state.update { $0.snapshot.versions } }

  /// The events that a request asks for, and the tables' versions that they come from.
  func read(
    _ request: SequenceRequest, of plan: SequencePlan
  ) throws(StoreError) -> (SequenceEvents, versions: [String: Int64]) {
    let (reader, snapshot, generation) = state.update { ($0.idle.popLast(), $0.snapshot, $0.generation) }
    let used = reader ?? SequenceReader(snapshot)
    defer { giveBack(used, generation: generation) }
    return (try used.read(request, of: plan), snapshot.versions)
  }

  private func giveBack(_ reader: SequenceReader, generation: Int) {
    state.update { state in
      if state.generation == generation { state.idle.append(reader) }
    }
  }

  /// Moves to the tables' latest versions, if there are newer ones.
  func refresh() throws(StoreError) {
    let current = state.update { $0.snapshot }
    guard try current.isStale() else { return }
    let next = try StoreSnapshot(store, datasets: datasets, reusing: current)
    try next.preload()
    state.update { state in
      state.snapshot = next
      state.generation += 1
      state.idle = []
      state.refreshes += 1
    }
  }

  /// - Source: Prometheus text exposition format 0.0.4.
  var metrics: String {
    let (versions, refreshes) = state.update { ($0.snapshot.versions, $0.refreshes) }
    var lines = [
      "# HELP seqline_table_version The Delta version that is served.", "# TYPE seqline_table_version gauge",
    ]
    for (name, version) in versions.sorted(by: { $0.key < $1.key }) {
      lines.append(#"seqline_table_version{dataset="\#(name)"} \#(version)"#)
    }
    lines += [
      "# HELP seqline_refreshes_total How often newer tables were taken up.", "# TYPE seqline_refreshes_total counter",
      "seqline_refreshes_total \(refreshes)",
    ]
    return lines.joined(separator: "\n") + "\n"
  }
}
