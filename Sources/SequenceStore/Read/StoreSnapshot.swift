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
  ///   - earlier: whose opened files are used again.
  package init(
    _ store: StoreDirectory, datasets names: [String]? = nil, versions: [String: Int64] = [:],
    reusing earlier: StoreSnapshot? = nil
  ) throws(StoreError) {
    self.store = store
    var datasets: [String: DatasetSnapshot] = [:]
    let all = if let names { names } else { try store.datasetNames() }
    for name in all {
      datasets[name] = try DatasetSnapshot(
        store, name, version: versions[name], reusing: earlier?.datasets[name])
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
    _ store: StoreDirectory, _ name: String, version: Int64?, reusing earlier: DatasetSnapshot?
  ) throws(StoreError) {
    self.name = name
    do {
      let table = store.dataset(name)
      // Retractions are committed first, so they are read last: none of those that the events need is missed.
      let delta = try table.exists() ? try table.snapshot(at: version) : nil
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
      retractionVersion = try table.latestVersion()
      let isKnown = earlier != nil && earlier?.retractionVersion == retractionVersion
      retractions = isKnown ? earlier!.retractions : try RetractionIndex(table)
    } catch { throw StoreError(error, at: table.path) }
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

/// An event that is gone, by its identity.
struct Retraction: Sendable {
  var eventType: String
  var eventKey: Int64
  var revision: Int32
}

/// The retractions of a dataset by user.
struct RetractionIndex: Sendable {
  private var byUser: [UserID: [Retraction]] = [:]

  init() {}

  init(_ table: DeltaTable) throws {
    guard try table.exists() else { return }
    let snapshot = try table.snapshot()
    let columns = [SystemColumns.user, SystemColumns.eventType, SystemColumns.eventKey, SystemColumns.revision]
    for batch in try table.batches(of: snapshot, columns: columns) {
      for row in 0..<batch.rowCount {
        let gone = Retraction(
          eventType: batch.columns[1].string(row), eventKey: batch.columns[2].values.load(row, as: Int64.self),
          revision: batch.columns[3].values.load(row, as: Int32.self))
        byUser[UserID(batch.columns[0], row), default: []].append(gone)
      }
    }
  }

  subscript(user: UserID) -> [Retraction] { byUser[user] ?? [] }

  var isEmpty: Bool { byUser.isEmpty }
  var count: Int { byUser.values.reduce(0) { $0 + $1.count } }
}
