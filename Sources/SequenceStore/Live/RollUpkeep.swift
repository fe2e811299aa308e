import Definitions
import Engine
import Glibc
import Synchronization

/// Merges the files that rolls leave in a bucket, once they are many, on a thread of its own: rolls do not wait for it. A
/// large merge pauses while small ones are made that have come due.
///
/// A merge is a commit that gives way to others', so one in hand may be left when the log is closed.
final class RollUpkeep: Sendable {
  private struct State {
    /// Datasets that got files since they were looked at.
    var datasets: Set<String> = []
    /// Those that got files since they were looked at for small merges.
    var freshDatasets: Set<String> = []
    var isClosing = false
    /// Whether files were merged since it was asked.
    var hasMerged = false
    /// Whether merges that are due are to be made, and one in hand to be finished.
    var isWanted = true
  }

  private let store: StoreDirectory
  private let definitions: DefinitionSet
  private let options: Compaction.Options
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
    (self.store, self.definitions, self.options, self.state) = (store, definitions, compacting, state)
    report = options.report
  }

  func start() {
    let started = startThread(.background) { [self] in run() }
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
    let small = Compaction(store, definitions: definitions, options)
    var options = options
    options.meanwhile = { [self] chosen in mergeSmallFiles(besides: chosen, small) }
    let compaction = Compaction(store, definitions: definitions, options)
    while let datasets = next() {
      attempt {
        for dataset in datasets where try compaction.isDue(dataset) { try compaction.run(dataset, merged) }
      }
    }
  }

  private func mergeSmallFiles(besides chosen: Set<String>, _ compaction: Compaction) {
    let datasets = state.update { state in
      defer { state.freshDatasets = [] }
      return state.freshDatasets
    }
    attempt {
      for dataset in datasets.sorted() { try compaction.mergeSmallFiles(dataset, besides: chosen, merged) }
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
}
