import Arrow
import Definitions
import DeltaLog
import Engine
import Frames

/// Moves ended segments of a live log into the tables: each dataset's rows in order into files of their days, in one
/// commit that records the last segment and the sources' positions.
///
/// A run that dies anywhere is made good by the next: what a dataset's table records is passed over, what it does not is
/// still in the log.
struct LiveRoll {
  struct Options: Sendable {
    var assembly = AssemblyOptions()
    var indexing = StoreIndexer.Options()
    /// Is told of each step that is done; an error ends the roll there.
    var observe: @Sendable (LiveRollStep) throws -> Void = { _ in }
  }

  let store: StoreDirectory
  let definitions: DefinitionSet
  let live: LiveDirectory
  let options: Options
  let files: any LiveFiles

  /// - Parameter segments: ended ones, ascending.
  func run(_ segments: [UInt64]) throws -> LiveRollCounts {
    guard let last = segments.last else { return LiveRollCounts() }
    let content = try SegmentContent(self, through: last)
    for segment in segments { try content.read(segment) }
    try options.observe(.read(segments))
    let counts = try add(content)
    // Lower ones first: what is left always ends with the newest positions.
    for segment in segments {
      try files.remove(live.segment(segment))
      try options.observe(.removed(segment))
    }
    return counts
  }

  private func add(_ content: SegmentContent) throws -> LiveRollCounts {
    var counts = LiveRollCounts(staleRows: content.staleCount)
    let datasets = content.datasets.sorted()
    for dataset in datasets {
      counts.datasets[dataset] = try add(dataset, content)
      try options.observe(.committed(dataset))
    }
    if datasets.isEmpty, !content.isCovered, let first = definitions.datasets.first {
      counts.datasets[first.name] = try add(first.name, content)
      try options.observe(.committed(first.name))
    }
    return counts
  }

  private func add(_ dataset: String, _ content: SegmentContent) throws -> IndexCounts {
    let indexer = try StoreIndexer(
      store, definitions: definitions, adding: content.progress, horizons: content.tables[dataset]?.horizons ?? .init(),
      options: options.indexing)
    _ = try content.assemblers.finish(dataset: dataset) { try indexer.add($0, dataset: dataset) }
    try indexer.include(dataset)
    return try indexer.commit()[dataset] ?? IndexCounts()
  }
}

/// How far a roll has come.
package enum LiveRollStep: Sendable, Hashable {
  case read([UInt64])
  case committed(String)
  case removed(UInt64)
}

/// What a roll did.
package struct LiveRollCounts: Sendable, Equatable {
  package var datasets: [String: IndexCounts]
  /// Rows left out because a batch run had seen them, or their absence.
  package var staleRows: Int

  package init(datasets: [String: IndexCounts] = [:], staleRows: Int = 0) {
    self.datasets = datasets
    self.staleRows = staleRows
  }
}

/// What ended segments hold that the tables lack.
private final class SegmentContent {
  /// What of a dataset's table matters here.
  struct Table {
    var covered: UInt64
    var horizons: ReplacementHorizons
  }

  let assemblers: DatasetAssemblers
  /// Those of which the segments have rows that their tables lack, if only stale ones.
  private(set) var datasets: Set<String> = []
  private(set) var progress: LiveProgress
  private(set) var staleCount = 0
  let tables: [String: Table]
  private let roll: LiveRoll

  init(_ roll: LiveRoll, through last: UInt64) throws {
    self.roll = roll
    assemblers = DatasetAssemblers(roll.options.assembly)
    var (tables, hasPositions): ([String: Table], Bool) = ([:], false)
    for name in try roll.store.datasetNames() {
      let snapshot = try roll.store.dataset(name).snapshot()
      if !hasPositions { hasPositions = snapshot.hasPositions(of: roll.live.shard) }
      tables[name] = Table(
        covered: snapshot.coveredSegment(of: roll.live.shard), horizons: ReplacementHorizons(snapshot))
    }
    self.tables = tables
    let hasRolled = tables.values.contains { $0.covered > 0 }
    progress = LiveProgress(shard: roll.live.shard, segment: last, isWithoutPositions: hasRolled && !hasPositions)
  }

  /// Whether some table records the last segment, and so all positions.
  var isCovered: Bool { tables.values.contains { $0.covered >= progress.segment } }

  func read(_ segment: UInt64) throws {
    guard var frames = try SegmentFrames.open(segment, of: roll.live) else { return }
    while let raw = try frames.next() {
      let frame: Frame
      do { frame = try raw.decode() } catch { throw frames.failure(error) }
      switch frame {
      case .data(_, let batches):
        for batch in batches where batch.rowCount > 0 {
          progress.note(batch)
          try add(batch, of: segment)
        }
      case .control(.position(let source, let partition, let offset)):
        progress.note(offset, of: SourcePartition(source, partition: partition))
      case .control: break
      }
    }
  }

  private func add(_ batch: RecordBatch, of segment: UInt64) throws {
    let dataset = try roll.definitions.dataset(of: batch.schema)
    let table = tables[dataset] ?? Table(covered: 0, horizons: ReplacementHorizons())
    guard segment > table.covered else { return }
    let (fresh, stale) = table.horizons.fresh(batch)
    staleCount += stale
    datasets.insert(dataset)
    if fresh.rowCount > 0 { try assemblers.append(fresh, dataset: dataset) }
  }
}
