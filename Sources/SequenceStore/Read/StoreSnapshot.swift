import Arrow
import Definitions
import DeltaLog
import Synchronization

/// A store's datasets at one moment. Immutable; any number of threads read from it, each with a `SequenceReader`.
package struct StoreSnapshot: Sendable {
  package let store: StoreDirectory
  /// What keeps its files' footers and indexes, and those of the snapshots that follow it.
  package let indexes: FileIndexCache
  let datasets: [String: DatasetSnapshot]
  /// The table's version, by dataset; those without a table are left out.
  package let versions: [String: Int64]

  /// - Parameters:
  ///   - names: of the datasets; nil for all that have a table. One that has none holds no events.
  ///   - versions: the version to read, by dataset; the latest where none is given.
  ///   - asOfMillis: reads what was the latest version at that time, in milliseconds since 1970-01-01T00:00Z.
  ///   - earlier: whose opened files and index cache are used again.
  ///   - indexByteLimit: of the memory for files' footers and indexes.
  ///   - openFileLimit: of the files that are open at once.
  package init(
    _ store: StoreDirectory, datasets names: [String]? = nil, versions: [String: Int64] = [:],
    asOfMillis: Int64? = nil, reusing earlier: StoreSnapshot? = nil,
    indexByteLimit: Int = StoreSnapshot.defaultIndexByteLimit, openFileLimit: Int = FileIndexCache.defaultOpenFileLimit
  ) throws(StoreError) {
    self.store = store
    indexes = earlier?.indexes ?? FileIndexCache(byteLimit: indexByteLimit, openFileLimit: openFileLimit)
    var datasets: [String: DatasetSnapshot] = [:]
    let all = if let names { names } else { try store.datasetNames() }
    for name in all {
      datasets[name] = try DatasetSnapshot(
        store, name, at: versions[name].map { .version($0) } ?? asOfMillis.map { .time(millis: $0) } ?? .latest,
        indexes: indexes, reusing: earlier?.datasets[name])
    }
    self.datasets = datasets
    self.versions = datasets.compactMapValues { $0.delta?.version }
  }

  package static let defaultIndexByteLimit = 64 << 20

  package var datasetNames: [String] { datasets.keys.sorted() }

  /// Memory that the datasets' retractions take.
  package var retractionByteCount: Int { datasets.values.reduce(0) { $0 + $1.retractions.byteCount } }

  /// Opens every file, so that none of those that may be open at once can go before it is read.
  package func preload() throws(StoreError) {
    for dataset in datasets.values {
      for file in dataset.files { _ = try file.open() }
    }
  }

  /// Whether the tables have moved on since.
  package func isStale() throws(StoreError) -> Bool {
    for (name, dataset) in datasets {
      do {
        let table = store.dataset(name)
        if try table.latestVersion() != dataset.delta?.version { return true }
        if try store.retractions(name).latestVersion() != dataset.retractions.table?.version { return true }
      } catch { throw .delta(error) }
    }
    return false
  }
}

/// Which version of a table is read.
enum TableMoment {
  case latest
  case version(Int64)
  /// The last one committed until then.
  case time(millis: Int64)
}

/// A dataset's table at one version, its files by bucket.
final class DatasetSnapshot: Sendable {
  let name: String
  /// Nil where there is no table.
  let delta: Snapshot?
  let files: [StoreFile]
  /// The system columns that its files need not have.
  let derived: DerivedColumns
  /// The latest bucket first.
  let buckets: [(bucket: Bucket, files: [StoreFile])]
  let retractions: RetractionIndex
  /// The last segment of each shard's live log whose rows the table has.
  let coveredSegments: [Shard: UInt64]
  let horizons: ReplacementHorizons
  /// Tells lists of files apart: snapshots of one number have the same.
  let fileSet: UInt64
  /// The same for the files of each shard and bucket.
  let shards: [ShardBuckets]
  let sharedDays = Mutex(SharedDays())
  private static let nextFileSet = Atomic<UInt64>(0)

  /// - Parameter earlier: of whose log only what is newer is read, and whose opened files are used again.
  init(
    _ store: StoreDirectory, _ name: String, at moment: TableMoment, indexes: FileIndexCache,
    reusing earlier: DatasetSnapshot?
  ) throws(StoreError) {
    self.name = name
    let table = store.dataset(name)
    let (delta, retractions) = try Self.states(store, name, at: moment, reusing: earlier)
    (self.delta, self.retractions) = (delta, retractions)
    derived = delta.map { DerivedColumns(of: $0.metadata) } ?? DerivedColumns()
    coveredSegments = delta.map(Self.coveredSegments) ?? [:]
    horizons = delta.map { ReplacementHorizons($0) } ?? ReplacementHorizons()
    let known = Dictionary((earlier?.files ?? []).map { ($0.path, $0) }) { first, _ in first }
    files = (delta?.files ?? []).map { action in
      let path = table.location(of: action)
      return known[path] ?? StoreFile(action, path: path, indexes: indexes)
    }
    buckets = try Self.byBucket(files)
    if let earlier, files.elementsEqual(earlier.files, by: ===) {
      (fileSet, shards) = (earlier.fileSet, earlier.shards)
    } else {
      fileSet = Self.nextFileSet.wrappingAdd(1, ordering: .relaxed).newValue
      shards = ShardBuckets.all(of: buckets, fileSet: fileSet, after: earlier)
    }
  }

  /// Whether all its events happened before a time, by what files say of theirs.
  func ends(before micros: Int64) -> Bool {
    // The latest buckets come first, and a month that ends earlier may follow one that does not.
    let end = Day(Day(micros: micros).number - Bucket.maximumDayCount)
    return buckets.prefix { $0.bucket.days.upperBound >= end }.allSatisfy { bucket, files in
      bucket.endMicros <= micros || files.allSatisfy { $0.times.map { $0.upperBound < micros } ?? false }
    }
  }

  /// The states of the events' table, nil where there is none, and of its retractions' at one moment.
  ///
  /// New retractions are committed before the events that need them, and given up after the events that they hide are:
  /// so they are read last, and all again when the events' table has moved on meanwhile.
  private static func states(
    _ store: StoreDirectory, _ name: String, at moment: TableMoment, reusing earlier: DatasetSnapshot?
  ) throws(StoreError) -> (Snapshot?, RetractionIndex) {
    let (events, gone) = (store.dataset(name), store.retractions(name))
    while true {
      let delta: Snapshot?
      do { delta = try events.snapshot(at: moment, after: earlier?.delta) } catch { throw .delta(error) }
      let retractions: RetractionIndex
      do {
        let state = try gone.snapshot(
          at: retractionMoment(beside: delta, of: events, at: moment), after: earlier?.retractions.table)
        retractions = try RetractionIndex(gone, at: state, reusing: earlier?.retractions)
      } catch { throw StoreError(error, at: gone.path) }
      guard case .latest = moment else { return (delta, retractions) }
      do {
        if try events.latestVersion() == delta?.version { return (delta, retractions) }
      } catch { throw .delta(error) }
    }
  }

  /// Which retractions go with a version of the events: what was taken back later still holds in it.
  private static func retractionMoment(
    beside events: Snapshot?, of table: DeltaTable, at moment: TableMoment
  ) throws(DeltaError) -> TableMoment {
    if case .latest = moment { return .latest }
    guard let events else { return .time(millis: .min) }
    return try table.timestampMillis(of: events.version).map { .time(millis: $0) } ?? .latest
  }

  /// The columns of its events, in the types that its files have.
  func eventFields() throws(StoreError) -> [Field] {
    guard let delta else { return [] }
    return try TableLayout(of: delta, dataset: name, table: "datasets/\(name)").eventSchema.fields
  }

  private static func coveredSegments(of table: Snapshot) -> [Shard: UInt64] {
    var covered: [Shard: UInt64] = [:]
    for transaction in table.transactions.values {
      guard case .live(let shard)? = TableTransaction(appID: transaction.appID) else { continue }
      covered[shard] = UInt64(clamping: transaction.version)
    }
    return covered
  }

  private static func byBucket(_ files: [StoreFile]) throws(StoreError) -> [(bucket: Bucket, files: [StoreFile])] {
    var buckets: [Bucket: [StoreFile]] = [:]
    for file in files {
      guard let bucket = file.bucket else {
        throw .damaged(path: file.path, what: "no bucket, 'bucket=2026-11-20' or 'bucket=2026-09', holds it")
      }
      buckets[bucket, default: []].append(file)
    }
    return buckets.sorted { $0.key > $1.key }.map { ($0.key, $0.value) }
  }

  /// The files in groups that share no day, the latest first.
  var groups: [BucketGroup<StoreFile>] {
    BucketGroup.groups(buckets.flatMap { bucket, files in files.map { (bucket, $0) } })
  }
}

extension DeltaTable {
  /// Nil where there is no table, or was none.
  ///
  /// - Parameter earlier: an earlier state: of the latest only what is newer is read.
  fileprivate func snapshot(at moment: TableMoment, after earlier: Snapshot?) throws(DeltaError) -> Snapshot? {
    guard try exists() else { return nil }
    switch moment {
    case .latest: return if let earlier { try snapshot(after: earlier) } else { try snapshot() }
    case .version(let version): return try snapshot(at: version)
    case .time(let millis):
      guard let version = try version(asOfMillis: millis) else { return nil }
      return try snapshot(at: version)
    }
  }
}
