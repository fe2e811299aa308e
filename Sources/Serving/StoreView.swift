import Definitions
import Engine
import SequenceStore
import Synchronization

/// The store as requests see it: its tables, and the live log's rows that they do not have yet.
final class StoreView: Sendable {
  private let store: StoreDirectory
  private let live = LiveIndex()
  private let tables: TableView
  private let cache: PageCache?
  private let follower: LiveFollower
  private let eventTypes: EventTypeDatasets

  /// Reads the tables and all of the live log that is durable, which is followed from then on until `stop`.
  ///
  /// - Parameters:
  ///   - cacheByteCount: memory for decoded pages.
  ///   - indexByteCount: memory for files' footers and indexes.
  ///   - report: told what is wrong with the live log.
  init(
    _ store: StoreDirectory, _ definitions: DefinitionSet, cacheByteCount: Int, indexByteCount: Int,
    report: @escaping @Sendable (any Error) -> Void
  ) throws {
    self.store = store
    let eventTypes = EventTypeDatasets(definitions)
    cache = cacheByteCount > 0 ? PageCache(byteLimit: cacheByteCount) : nil
    let tables = try TableView(
      store, datasets: definitions.datasets.map(\.name), live: live, cache: cache, indexByteLimit: indexByteCount)
    (self.tables, self.eventTypes) = (tables, eventTypes)
    follower = try LiveFollower(
      store, into: live,
      handlers: LiveFollower.Handlers(
        dataset: { eventTypes[$0] }, segmentsGone: { try tables.refresh() }, report: report))
    // The live log first: what moves into the tables meanwhile is found there.
    try follower.catchUp()
    try tables.refresh()
    follower.start()
  }

  func stop() { follower.stop() }

  /// A user's events as they were read.
  struct Reading {
    var events: SequenceEvents
    /// How many rows of the user the live log held, corrections and retractions counted.
    var liveRowCount: Int
  }

  func read(_ request: SequenceRequest, of plan: SequencePlan) throws(StoreError) -> (Reading, ServedTablesState) {
    let (readings, tables) = try read([request], of: plan)
    return (readings[0], tables)
  }

  /// Reads the events of several users from one snapshot.
  func read(
    _ requests: [SequenceRequest], of plan: SequencePlan
  ) throws(StoreError) -> ([Reading], ServedTablesState) {
    try Self.withNewestLiveRows(for: requests) { limit throws(StoreError) in
      try read(requests, of: plan, newest: limit)
    }
  }

  /// - Returns: nil when for some request more live rows are needed than the newest `limit` of its user.
  private func read(
    _ requests: [SequenceRequest], of plan: SequencePlan, newest limit: Int
  ) throws(StoreError) -> ([Reading], ServedTablesState)? {
    let live = requests.map { liveRows(of: $0.user, plan, newest: limit) }
    return try tables.read { reader, tables throws(StoreError) in
      var readings: [Reading] = []
      readings.reserveCapacity(requests.count)
      for (request, rows) in zip(requests, live) {
        guard let events = try reader.read(request, of: plan, live: rows) else { return nil }
        readings.append(Reading(events: events, liveRowCount: rows.count))
      }
      return (readings, tables)
    }
  }

  func liveRows(of user: UserID, _ plan: SequencePlan, newest limit: Int) -> LiveRows {
    live.rows(of: user, in: plan.datasets, newest: limit)
  }

  /// Reads with a user's newest live rows, and with more, and with all, where these are not enough: users of many rows are read
  /// most.
  ///
  /// - Parameter body: gets how many; nil when it needs more.
  static func withNewestLiveRows<R>(
    for requests: [SequenceRequest], _ body: (_ limit: Int) throws(StoreError) -> R?
  ) throws(StoreError) -> R {
    if let last = requests.map(\.last).max(), last <= 2_048, requests[0].view == .events {
      let few = max(2 * last, 256)
      for limit in [few, 16 * few] {
        if let found = try body(limit) { return found }
      }
    }
    return try body(.max)!
  }

  /// A reader of the snapshot that is served now. Rows of the live log are taken before.
  func newReader() -> (SequenceReader, ServedTablesState) { tables.newReader() }

  var tablesState: ServedTablesState { tables.tables }
  var liveStatistics: LiveStatistics { live.statistics }
  var snapshot: StoreSnapshot { tables.current }

  /// The datasets that have a table or rows in the live log.
  var filledDatasets: Set<String> { Set(tables.tables.versions.keys).union(live.statistics.rowCounts.keys) }

  /// Moves to the tables' latest versions, if there are newer ones.
  func refresh() throws(StoreError) { try tables.refresh() }

  /// Shows the datasets of newer definitions.
  func move(to definitions: DefinitionSet) throws(StoreError) {
    eventTypes.replace(by: definitions)
    try tables.refresh(datasets: definitions.datasets.map(\.name))
  }

  /// The directories whose changes call for a refresh; not all of them need be there.
  var watchedDirectories: [String] {
    tables.datasetNames.flatMap { [store.dataset($0).log.directory, store.retractions($0).log.directory] }
  }

  // MARK: Metrics

  /// - Source: Prometheus text exposition format 0.0.4.
  func metrics(nowMicros: Int64) -> String {
    let live = live.statistics
    var text = PrometheusText()
    text.add(
      "seqline_table_version", .gauge, "The Delta version that is served.", by: "dataset", tables.tables.versions)
    text.add("seqline_refreshes_total", .counter, "How often newer tables were taken up.", tables.refreshes)
    text.add(
      "seqline_live_rows", .gauge, "Rows of the live log that no table has yet.", by: "dataset", live.rowCounts)
    text.add("seqline_live_bytes", .gauge, "Memory that the live log's rows take.", live.byteCount)
    let segments = Dictionary(uniqueKeysWithValues: live.segments.map { ($0.key.description, $0.value) })
    text.add(
      "seqline_live_segment", .gauge, "The newest segment of the live log with such rows.", by: "shard", segments)
    let lags = live.newestSeenMicros.mapValues { Double(nowMicros - $0) / 1e6 }
    text.add(
      "seqline_live_lag_seconds", .gauge, "Time since the newest event that came through the live log was seen.",
      by: "event_type", lags)
    text.add(
      "seqline_live_delay_seconds", .gauge, "From the arrival of an event that came last until it could be read.",
      by: "event_type", live.delayMicros.mapValues { Double($0) / 1e6 })
    let snapshot = tables.current
    text.add(
      "seqline_retraction_bytes", .gauge, "Memory that retractions take which may still be needed.",
      snapshot.retractionByteCount)
    text.add(
      "seqline_read_bytes_total", .counter, "Bytes of data files' pages that were decoded for answers.",
      tables.meter.byteCount)
    snapshot.indexes.statistics.write(to: &text)
    if let cache = cache?.statistics { cache.write(to: &text) }
    return text.text
  }
}

extension FileIndexCache.Statistics {
  fileprivate func write(to text: inout PrometheusText) {
    text.add(
      "seqline_index_bytes", .gauge, "Memory that data files' footers and indexes take, about.",
      byteCount)
    text.add(
      "seqline_index_evictions_total", .counter, "Footers and page indexes that made room for others.", evictions)
    text.add("seqline_open_data_files", .gauge, "Data files that are open.", openFileCount)
  }
}

extension PageCache.Statistics {
  fileprivate func write(to text: inout PrometheusText) {
    text.add("seqline_cache_bytes", .gauge, "Memory that decoded pages take.", byteCount)
    text.add("seqline_cache_pages", .gauge, "Decoded pages in memory.", pageCount)
    text.add(
      "seqline_cache_lookups_total", .counter, "Pages asked for.", by: "result", ["hit": hits, "miss": misses])
  }
}

/// The dataset of each event type, by the definitions in use.
private final class EventTypeDatasets: Sendable {
  private let datasets: Mutex<[String: String]>

  init(_ definitions: DefinitionSet) { datasets = Mutex(Self.datasets(of: definitions)) }

  subscript(eventType: String) -> String? { datasets.withLock { $0[eventType] } }

  func replace(by definitions: DefinitionSet) { datasets.withLock { $0 = Self.datasets(of: definitions) } }

  private static func datasets(of definitions: DefinitionSet) -> [String: String] {
    Dictionary(definitions.eventTypes.map { ($0.name, $0.dataset) }) { first, _ in first }
  }
}
