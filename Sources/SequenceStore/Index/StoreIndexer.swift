import Arrow
import Definitions
import DeltaLog
import Engine
import Glibc
import Parquet

/// Replaces days of a store's datasets by a stream of events, as `seq-index --replace` does, or adds events to them.
///
/// Rows of other days than those replaced are added, too: late events land in their bucket.
///
/// Rows go to a Parquet file per dataset and day in the store's temporary place. Nothing of the tables changes before
/// `commit`; a run that ends without it leaves them as they were.
package final class StoreIndexer {
  package struct Options: Sendable {
    /// Threads that encode files.
    package var threads = processorCount
    /// Compressed bytes of a row group, about: each open day holds that much in memory.
    package var rowGroupByteCount = 1 << 20
    /// Of zstd. Level 3 was measured at a sixth more CPU and no smaller files: values are encoded before.
    package var level = 1
    /// Old rows seen after it stay, in microseconds; nil: what the input says, or the latest `seen_at` of its rows: of
    /// the dataset, or of all where that has none.
    package var horizonMicros: Int64?
    /// For commitInfo: what the caller was told to do.
    package var parameters: [String: String] = [:]

    package init() {}
  }

  /// What a run does to the tables.
  private enum Purpose {
    case replacing(DayRange)
    /// Rows that the horizons let pass.
    case adding(LiveProgress, ReplacementHorizons)
  }

  private let store: StoreDirectory
  private let definitions: DefinitionSet
  private let purpose: Purpose
  private let options: Options
  private let router: ShardRouter
  private let writers: BucketWriters
  private var datasets: [String: DatasetIndexer] = [:]
  private var isOver = false
  /// The datasets whose commits were made.
  package private(set) var committed: [String] = []

  /// - Parameters:
  ///   - range: the days whose content is replaced; events of other days are added to what is there.
  package convenience init(
    _ store: StoreDirectory, definitions: DefinitionSet, replacing range: DayRange, options: Options = Options()
  ) throws(StoreError) {
    try self.init(store, definitions, .replacing(range), options)
  }

  /// Adds events to what the days have.
  ///
  /// - Parameters:
  ///   - progress: what is recorded with the events of each dataset.
  ///   - horizons: those that the events were chosen by.
  convenience init(
    _ store: StoreDirectory, definitions: DefinitionSet, adding progress: LiveProgress, horizons: ReplacementHorizons,
    options: Options = Options()
  ) throws(StoreError) {
    try self.init(store, definitions, .adding(progress, horizons), options)
  }

  private init(
    _ store: StoreDirectory, _ definitions: DefinitionSet, _ purpose: Purpose, _ options: Options
  ) throws(StoreError) {
    self.store = store
    self.definitions = definitions
    self.purpose = purpose
    self.options = options
    router = ShardRouter(count: definitions.shardCount)
    try StoreDirectory.make(store.temporary)
    try store.removeAbandonedFiles()
    writers = BucketWriters(
      threads: options.threads, directory: store.temporary,
      options: Self.fileOptions(options, shardCount: definitions.shardCount).parquet)
  }

  deinit { if !isOver { writers.cancel() } }

  private static func fileOptions(_ options: Options, shardCount: Int) -> StoreFileOptions {
    StoreFileOptions(
      level: options.level, rowGroupByteCount: options.rowGroupByteCount, shardCount: shardCount)
  }

  /// Takes events of one type, or of one dataset, in the order (user_id, ts, event_type, event_key).
  ///
  /// - Parameter dataset: where they go; nil asks the schema's metadata.
  package func add(_ batch: RecordBatch, dataset: String? = nil) throws(StoreError) {
    let name = if let dataset { dataset } else { try definitions.dataset(of: batch.schema) }
    try include(name)
    for work in try datasets[name]?.add(batch) ?? [] { try write(work) }
  }

  /// Hands rows on, each shard's for a file of its own.
  private func write(_ work: BucketWriters.Work) throws(StoreError) {
    for (shard, rows) in router.split(work.batch) {
      try writers.append(BucketWriters.Work(layout: work.layout, bucket: work.bucket, shard: shard, batch: rows))
    }
  }

  /// Has a dataset committed even without rows.
  func include(_ dataset: String) throws(StoreError) {
    if datasets[dataset] == nil { datasets[dataset] = try makeIndexer(dataset) }
  }

  private func makeIndexer(_ name: String) throws(StoreError) -> DatasetIndexer {
    guard let definition = definitions.dataset(name) else {
      throw .noSuchDataset(name, known: definitions.datasets.map(\.name))
    }
    let derived = try store.derivedColumns(of: name, definitions)
    guard case .replacing(.all) = purpose else {
      // Other days' files may have what a retraction hides: how long it is kept is counted when files are merged.
      let range: DayRange = if case .replacing(let range) = purpose { range } else { .all }
      return try DatasetIndexer(definition, deriving: derived, range: range, latenessMicros: .max)
    }
    let lateness = definitions.eventTypes(dataset: name).compactMap { definitions.source($0.source)?.latenessMicros }
    return try DatasetIndexer(
      definition, deriving: derived, range: .all, latenessMicros: lateness.max() ?? 0)
  }

  /// Completes the files and commits them: for each dataset its retractions first, then its events, whose commit takes
  /// the place of all that the replaced days held. Call it only when the input was complete.
  ///
  /// - Parameter inputHorizonMicros: up to when the input says that it has all that arrived.
  /// - Returns: by dataset, what was done.
  package func commit(inputHorizonMicros: Int64? = nil) throws(StoreError) -> [String: IndexCounts] {
    if case .replacing = purpose {
      for dataset in definitions.datasets { try include(dataset.name) }  // a day without events is replaced, too
    }
    for name in datasets.keys.sorted() {
      for work in try datasets[name]?.deal() ?? [] { try write(work) }
      let retractions = try datasets[name]?.keptRetractions(horizonMicros: options.horizonMicros)
      for work in retractions ?? [] { try write(work) }
    }
    isOver = true
    let files = try writers.finish().mapValues { $0.map { dealt($0) } }
    let newestSeen = datasets.values.compactMap(\.newestSeenMicros).max()
    var counts: [String: IndexCounts] = [:]
    for (name, indexer) in datasets.sorted(by: { $0.key < $1.key }) {
      counts[name] = try commit(indexer, files, inputHorizonMicros, newestSeen)
      if counts[name]?.version != nil { committed.append(name) }
    }
    return counts
  }

  /// A file that says to how many shards users were dealt.
  private func dealt(_ file: FinishedFile) -> FinishedFile {
    var file = file
    file.shardCount = router.count
    return file
  }

  private func commit(
    _ indexer: DatasetIndexer, _ files: [String: [FinishedFile]], _ inputHorizon: Int64?, _ newestSeen: Int64?
  ) throws(StoreError) -> IndexCounts {
    switch purpose {
    case .replacing(let range):
      try replace(
        range, indexer, files, [inputHorizon, indexer.newestSeenMicros].compactMap(\.self).max() ?? newestSeen)
    case .adding(let progress, let horizons): try add(indexer, files, progress, horizons)
    }
  }

  private func replace(
    _ range: DayRange, _ indexer: DatasetIndexer, _ files: [String: [FinishedFile]], _ newestSeen: Int64?
  ) throws(StoreError) -> IndexCounts {
    var counts = indexer.counts
    let horizon = options.horizonMicros ?? newestSeen ?? range.endMicros
    counts.horizonMicros = horizon == .max ? nil : horizon
    for layout in [indexer.retractionLayout, indexer.layout] {
      let replacement = TableReplacement(
        store: store, layout: layout, range: range, horizonMicros: horizon,
        recordsHorizon: layout.table == indexer.layout.table, files: files[layout.table] ?? [],
        fileOptions: Self.fileOptions(options, shardCount: router.count),
        parameters: options.parameters.merging([CommitProposal.definitions: definitions.label]) { first, _ in first },
        measuresDrift: layout.table == indexer.layout.table)
      let outcome = try replacement.commit()
      guard layout.table == indexer.layout.table else { continue }
      counts.files = outcome.filesAdded
      counts.filesRemoved = outcome.filesRemoved
      counts.rowsReplaced = outcome.rowsRemoved
      counts.rowsCarriedOver = outcome.rowsCarriedOver
      counts.byteCount = outcome.bytesAdded
      counts.version = outcome.version
      counts.drift = outcome.drift
    }
    return counts
  }

  private func add(
    _ indexer: DatasetIndexer, _ files: [String: [FinishedFile]], _ progress: LiveProgress,
    _ horizons: ReplacementHorizons
  ) throws(StoreError) -> IndexCounts {
    var counts = indexer.counts
    for layout in [indexer.retractionLayout, indexer.layout] {
      let isOfEvents = layout.table == indexer.layout.table
      let addition = TableAddition(
        store: store, layout: layout, files: files[layout.table] ?? [], progress: isOfEvents ? progress : nil,
        horizons: horizons, definitions: definitions.label)
      let outcome = try addition.commit()
      guard isOfEvents else { continue }
      counts.files = outcome.filesAdded
      counts.byteCount = outcome.bytesAdded
      counts.version = outcome.version
    }
    return counts
  }

  /// Gives the run up; the tables stay as they are.
  package func cancel() {
    guard !isOver else { return }
    isOver = true
    writers.cancel()
  }
}

extension DefinitionSet {
  /// The dataset that a frame's events belong to.
  func dataset(of schema: Schema) throws(StoreError) -> String {
    if let name = schema.metadata[MetadataKey.dataset] { return name }
    guard let name = schema.metadata[MetadataKey.eventType] else {
      throw .notEvents(column: MetadataKey.dataset, found: nil)
    }
    guard let eventType = eventType(name) else { throw .unknownEventType(name) }
    return eventType.dataset
  }
}

extension StoreDirectory {
  /// The system columns that the dataset's table does without, or will when it is made.
  func derivedColumns(of name: String, _ definitions: DefinitionSet) throws(StoreError) -> DerivedColumns {
    let (derived, table) = (definitions.derivedColumns(of: name), dataset(name))
    do {
      return try table.exists() ? derived.kept(by: try table.snapshot()) : derived
    } catch { throw .delta(error) }
  }
}
