import DeltaLog
import SequenceStore
import Synchronization

/// How the served datasets do: what their tables' logs, their files' footers and their profiles say.
///
/// Each look reads only what is new: commits, footers of new files, an anomaly file that was replaced.
final class StoreHealth: Sendable {
  /// At one moment.
  struct Look: Sendable {
    var datasets: [DatasetHealth] = []
    /// By dataset.
    var histories: [String: TableHistory] = [:]
    /// Of events.
    var report: AnomalyReport?
  }

  private let store: StoreDirectory
  private let state = Mutex(State())

  private struct State {
    var look = Look()
    var columns: [String: ColumnStorage] = [:]
    var reportStamp: String?
  }

  /// Commits that are read of a table whose history nobody has kept.
  private static let commitLimit = 500

  init(_ store: StoreDirectory) { self.store = store }

  func look(at snapshot: StoreSnapshot) throws(StoreError) -> Look {
    var look = state.withLock { $0.look }
    let (known, versions) = (
      Dictionary(look.datasets.map { ($0.dataset, $0) }) { first, _ in first }, snapshot.versions
    )
    look.datasets = []
    for name in snapshot.datasetNames {
      if let health = known[name], health.version == versions[name] {
        look.datasets.append(health)
        continue
      }
      guard let health = try DatasetHealth(snapshot, dataset: name, after: known[name]) else { continue }
      look.datasets.append(health)
      var history = look.histories[name] ?? store.tableHistory(name)
      do { try history.advance(store.dataset(name), to: health.version, limit: Self.commitLimit) } catch {
        throw .delta(error)
      }
      look.histories[name] = history
    }
    let stamp = WatchedFile(store.eventAnomalies).stamp
    if state.withLock({ $0.reportStamp }) != stamp { look.report = AnomalyReport(file: store.eventAnomalies) }
    state.withLock { ($0.look, $0.reportStamp) = (look, stamp) }
    return look
  }

  /// Which columns take the room of a dataset.
  func columns(of dataset: String, at snapshot: StoreSnapshot) throws(StoreError) -> [ColumnStorage.Column] {
    var storage = state.withLock { $0.columns[dataset] } ?? ColumnStorage(dataset: dataset)
    try storage.move(to: snapshot)
    state.withLock { $0.columns[dataset] = storage }
    return storage.columns
  }
}
