import Arrow
import Definitions
import DeltaLog
import Engine
import Glibc
import Parquet

/// Replaces days of a store's datasets by a stream of events: the library behind `seq-index --replace`.
///
/// Rows of other days are added to those: late events land in their bucket.
///
/// Rows go to a Parquet file per dataset and day in the store's temporary place. Nothing of the tables changes before
/// `commit`; a run that ends without it leaves them as they were.
package final class StoreIndexer {
  package struct Options: Sendable {
    /// Threads that encode files.
    package var threads = processorCount
    /// Compressed bytes of a row group, about: each open day holds that much in memory.
    package var rowGroupByteCount = 2 << 20
    package var level = 3
    /// Old rows seen after it stay, in microseconds; nil: the latest `seen_at` of the input's rows of the dataset.
    package var horizonMicros: Int64?
    /// For commitInfo: what the caller was told to do.
    package var parameters: [String: String] = [:]

    package init() {}
  }

  private let store: StoreDirectory
  private let definitions: DefinitionSet
  private let range: DayRange
  private let options: Options
  private let writers: BucketWriters
  private var datasets: [String: DatasetIndexer] = [:]
  private var isOver = false

  /// - Parameters:
  ///   - range: the days whose content is replaced; events of other days are added to what is there.
  package init(
    _ store: StoreDirectory, definitions: DefinitionSet, replacing range: DayRange, options: Options = Options()
  ) throws(StoreError) {
    self.store = store
    self.definitions = definitions
    self.range = range
    self.options = options
    try StoreDirectory.make(store.temporary)
    try store.removeAbandonedFiles()
    writers = BucketWriters(
      threads: options.threads, directory: store.temporary, options: Self.fileOptions(options).parquet)
  }

  deinit { if !isOver { writers.cancel() } }

  private static func fileOptions(_ options: Options) -> StoreFileOptions {
    StoreFileOptions(level: options.level, rowGroupByteCount: options.rowGroupByteCount)
  }

  /// Takes events of one type, or of one dataset, in the order (user_id, ts, event_type, event_key).
  ///
  /// - Parameter dataset: where they go; nil asks the schema's metadata.
  package func add(_ batch: RecordBatch, dataset: String? = nil) throws(StoreError) {
    let name = if let dataset { dataset } else { try self.dataset(of: batch) }
    if datasets[name] == nil { datasets[name] = try makeIndexer(name) }
    for work in try datasets[name]?.add(batch) ?? [] { try writers.append(work) }
  }

  private func dataset(of batch: RecordBatch) throws(StoreError) -> String {
    if let name = batch.schema.metadata[MetadataKey.dataset] { return name }
    guard let name = batch.schema.metadata[MetadataKey.eventType] else {
      throw .notEvents(column: MetadataKey.dataset, found: nil)
    }
    guard let eventType = definitions.eventType(name) else { throw .unknownEventType(name) }
    return eventType.dataset
  }

  private func makeIndexer(_ name: String) throws(StoreError) -> DatasetIndexer {
    guard let definition = definitions.dataset(name) else {
      throw .noSuchDataset(name, known: definitions.datasets.map(\.name))
    }
    let lateness = definitions.eventTypes(dataset: name).compactMap { definitions.source($0.source)?.latenessMicros }
    return try DatasetIndexer(
      definition, deriving: try derivedColumns(of: name), range: range, latenessMicros: lateness.max() ?? 0)
  }

  /// The system columns that the dataset's table does without, or will when it is made.
  private func derivedColumns(of name: String) throws(StoreError) -> DerivedColumns {
    let (derived, table) = (definitions.derivedColumns(of: name), store.dataset(name))
    do {
      return try table.exists() ? derived.kept(by: try table.snapshot()) : derived
    } catch { throw .delta(error) }
  }

  /// Completes the files and commits them: for each dataset its retractions first, then its events, whose commit takes
  /// the place of all that the replaced days held. Call it only when the input was complete.
  ///
  /// - Returns: by dataset, what was done.
  package func commit() throws(StoreError) -> [String: IndexCounts] {
    for dataset in definitions.datasets where datasets[dataset.name] == nil {
      datasets[dataset.name] = try makeIndexer(dataset.name)  // a day without events is replaced, too
    }
    for name in datasets.keys.sorted() {
      for work in try datasets[name]?.deal() ?? [] { try writers.append(work) }
      for work in try datasets[name]?.keptRetractions() ?? [] { try writers.append(work) }
    }
    isOver = true
    let files = try writers.finish()
    var counts: [String: IndexCounts] = [:]
    for (name, indexer) in datasets.sorted(by: { $0.key < $1.key }) {
      counts[name] = try commit(indexer, files)
    }
    return counts
  }

  private func commit(_ indexer: DatasetIndexer, _ files: [String: [FinishedFile]]) throws(StoreError) -> IndexCounts {
    var counts = indexer.counts
    let horizon = options.horizonMicros ?? indexer.newestSeenMicros ?? range.endMicros
    counts.horizonMicros = horizon == .max ? nil : horizon
    for layout in [indexer.retractionLayout, indexer.layout] {
      let replacement = TableReplacement(
        store: store, layout: layout, range: range, horizonMicros: horizon,
        recordsHorizon: layout.table == indexer.layout.table, files: files[layout.table] ?? [],
        fileOptions: Self.fileOptions(options), parameters: options.parameters)
      let outcome = try replacement.commit()
      guard layout.table == indexer.layout.table else { continue }
      counts.files = outcome.filesAdded
      counts.filesRemoved = outcome.filesRemoved
      counts.rowsReplaced = outcome.rowsRemoved
      counts.rowsCarriedOver = outcome.rowsCarriedOver
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
