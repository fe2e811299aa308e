import Arrow
import Definitions
import DeltaLog

/// A store's datasets at one moment. Immutable; any number of threads read from it, each with a `SequenceReader`.
package struct StoreSnapshot: Sendable {
  package let store: StoreDirectory
  let datasets: [String: DatasetSnapshot]

  /// - Parameters:
  ///   - names: of the datasets; nil for all that have a table. One that has none holds no events.
  ///   - versions: the version to read, by dataset; the latest where none is given.
  ///   - asOfMillis: reads what was the latest version at that time, in milliseconds since 1970-01-01T00:00Z.
  ///   - earlier: whose opened files are used again.
  package init(
    _ store: StoreDirectory, datasets names: [String]? = nil, versions: [String: Int64] = [:],
    asOfMillis: Int64? = nil, reusing earlier: StoreSnapshot? = nil
  ) throws(StoreError) {
    self.store = store
    var datasets: [String: DatasetSnapshot] = [:]
    let all = if let names { names } else { try store.datasetNames() }
    for name in all {
      datasets[name] = try DatasetSnapshot(
        store, name, at: versions[name].map { .version($0) } ?? asOfMillis.map { .time(millis: $0) } ?? .latest,
        reusing: earlier?.datasets[name])
    }
    self.datasets = datasets
  }

  package var datasetNames: [String] { datasets.keys.sorted() }

  /// The table's version, by dataset; those without a table are left out.
  package var versions: [String: Int64] { datasets.compactMapValues { $0.delta?.version } }

  /// Opens every file, so that no read has to.
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
        if try store.retractions(name).latestVersion() != dataset.retractionVersion { return true }
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
  let retractionVersion: Int64?

  init(
    _ store: StoreDirectory, _ name: String, at moment: TableMoment, reusing earlier: DatasetSnapshot?
  ) throws(StoreError) {
    self.name = name
    do {
      let table = store.dataset(name)
      // Retractions are committed first, so they are read last: none of those that the events need is missed.
      let delta = try table.snapshot(at: moment)
      self.delta = delta
      derived = delta.map { DerivedColumns(of: $0.metadata) } ?? DerivedColumns()
      let known = Dictionary((earlier?.files ?? []).map { ($0.path, $0) }) { first, _ in first }
      files = (delta?.files ?? []).map { action in
        let path = table.location(of: action)
        return known[path] ?? StoreFile(action, path: path)
      }
    } catch { throw .delta(error) }
    buckets = try Self.byBucket(files)
    let table = store.retractions(name)
    do {
      retractionVersion = try Self.retractionVersion(table, beside: delta, of: store.dataset(name), at: moment)
      if let earlier, earlier.retractionVersion == retractionVersion {
        retractions = earlier.retractions
      } else {
        retractions = try retractionVersion.map { try RetractionIndex(table, at: $0) } ?? RetractionIndex()
      }
    } catch { throw StoreError(error, at: table.path) }
  }

  /// The version of the retractions that goes with a version of the events: what was taken back later still holds in it.
  private static func retractionVersion(
    _ retractions: DeltaTable, beside events: Snapshot?, of table: DeltaTable, at moment: TableMoment
  ) throws(DeltaError) -> Int64? {
    guard case .latest = moment else {
      guard let events else { return nil }
      guard let committed = try table.timestampMillis(of: events.version) else {
        return try retractions.latestVersion()
      }
      return try retractions.version(asOfMillis: committed)
    }
    return try retractions.latestVersion()
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
  fileprivate func snapshot(at moment: TableMoment) throws(DeltaError) -> Snapshot? {
    guard try exists() else { return nil }
    switch moment {
    case .latest: return try snapshot()
    case .version(let version): return try snapshot(at: version)
    case .time(let millis):
      guard let version = try version(asOfMillis: millis) else { return nil }
      return try snapshot(at: version)
    }
  }
}
