import Definitions
import Engine
import Glibc
import Synchronization

/// Merges the files that rolls leave in a bucket, once they are many, on threads of its own: rolls do not wait for it. Small
/// files are merged beside a large merge.
///
/// Merges leave the processors to those whom people wait for, until files pile up: reads look into all of them.
///
/// A merge is a commit that gives way to others', so one in hand may be left when the log is closed.
final class RollUpkeep: Sendable {
  private struct State {
    /// Datasets that got files since they were looked at.
    var datasets: Set<String> = []
    /// Those that got files since they were looked at for small merges.
    var freshDatasets: Set<String> = []
    /// Whether all that is due of a dataset is being merged.
    var isMerging = false
    /// The files that a large merge in hand is about; nil: there is none.
    var chosen: Set<String>?
    var isClosing = false
    /// Whether files were merged since it was asked.
    var hasMerged = false
    /// Whether merges that are due are to be made, and one in hand to be finished.
    var isWanted = true
  }

  private let compaction: Compaction
  /// For small files alone: it says nothing of the large merge that may be in hand.
  private let small: Compaction
  private let report: @Sendable (String) -> Void
  private let state: Monitor<State>
  private let thread = Mutex<pthread_t?>(nil)

  /// More files of like size in a bucket are merged.
  private static let fileCountLimit = 8

  /// Does nothing before `start`.
  init(_ store: StoreDirectory, definitions: DefinitionSet, _ options: LiveRoller.Options) {
    var compacting = Compaction.Options()
    compacting.isFull = false
    compacting.tierFileCount = Self.fileCountLimit
    compacting.monthsAfterDays = nil
    compacting.files = StoreFileOptions(
      level: options.indexing.level, rowGroupByteCount: options.indexing.rowGroupByteCount)
    let state = Monitor(State())
    compacting.isWanted = { state.update { $0.isWanted } }
    self.state = state
    small = Compaction(store, definitions: definitions, compacting)
    compacting.meanwhile = { chosen in state.update { $0.chosen = chosen } }
    compaction = Compaction(store, definitions: definitions, compacting)
    report = options.report
  }

  func start() {
    let started = startThread { [self] in run() }
    thread.withLock { $0 = started }
  }

  /// A roll has added files to these datasets.
  func filesAdded(to datasets: some Sequence<String>) {
    state.update {
      $0.datasets.formUnion(datasets)
      $0.freshDatasets.formUnion(datasets)
    }
  }

  /// Whether files were merged since this was last asked.
  func takeHasMerged() -> Bool {
    state.update { state in
      defer { state.hasMerged = false }
      return state.hasMerged
    }
  }

  /// Ends the thread.
  /// - Parameter finishing: whether what is due is merged first; else what is in hand is left.
  func close(finishing: Bool) {
    state.update { state in
      state.isClosing = true
      state.isWanted = finishing
    }
    if let thread = thread.withLock({ $0.take() }) { pthread_join(thread, nil) }
  }

  private func run() {
    while let datasets = next() {
      for dataset in datasets { attempt { try merge(dataset) } }
    }
  }

  private func merge(_ dataset: String) throws {
    guard try compaction.isDue(dataset) else { return }
    if try small.isOverdue(dataset) { try small.mergeSmallFiles(dataset, besides: [], merged) }
    state.update { $0.isMerging = true }
    let thread = startThread(.background) { [self] in
      attempt { try compaction.run(dataset, merged) }
      state.update { ($0.isMerging, $0.chosen) = (false, nil) }
    }
    while let (datasets, chosen) = nextBesideMerge() {
      for dataset in datasets { attempt { try mergeSmallFiles(dataset, besides: chosen) } }
    }
    pthread_join(thread, nil)
  }

  private func mergeSmallFiles(_ dataset: String, besides chosen: Set<String>) throws {
    try onThread(small.isOverdue(dataset) ? .normal : .background) { [self] in
      try small.mergeSmallFiles(dataset, besides: chosen, merged)
    }
  }

  private func merged(_ action: UpkeepAction) { state.update { $0.hasMerged = true } }

  private func attempt(_ work: () throws -> Void) {
    do { try work() } catch StoreError.stopped {} catch {
      report("small files could not be merged: \(error)")
    }
  }

  private func next() -> [String]? {
    state.wait(
      until: { !$0.datasets.isEmpty || $0.isClosing },
      then: { state in
        defer { (state.datasets, state.freshDatasets) = ([], []) }
        return state.isWanted && !state.datasets.isEmpty ? state.datasets.sorted() : nil
      })
  }

  /// Waits for files that were added while a large merge is in hand.
  /// - Returns: nil once what was in hand is merged.
  private func nextBesideMerge() -> (datasets: [String], chosen: Set<String>)? {
    state.wait(
      until: { !$0.isMerging || $0.chosen != nil && !$0.freshDatasets.isEmpty },
      then: { state in
        guard state.isMerging, let chosen = state.chosen else { return nil }
        defer { state.freshDatasets = [] }
        return (state.freshDatasets.sorted(), chosen)
      })
  }
}
