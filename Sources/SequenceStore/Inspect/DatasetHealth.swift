import Definitions
import DeltaLog
import JSONText

/// How a dataset does, by its table's log alone: cheap enough to look at every minute.
package struct DatasetHealth: Sendable {
  /// What a bucket of the table holds, by the statistics of its files.
  package struct BucketState: Sendable {
    package var bucket: Bucket
    package var rowCount = 0
    package var byteCount = 0
    package var fileCount = 0
    /// Files that compaction merges whenever there are two.
    package var smallFileCount = 0
    /// By column.
    package var nullCounts: [String: Int] = [:]

    /// In 0…1; nil for a column without statistics, or without rows.
    package func nullShare(_ column: String) -> Double? {
      guard rowCount > 0, let count = nullCounts[column] else { return nil }
      return Double(count) / Double(rowCount)
    }
  }

  /// A batch run that replaced days, and how these differed from what streaming and earlier runs had brought.
  package struct Replacement: Sendable {
    package var version: Int64
    /// Milliseconds since 1970.
    package var committedMillis: Int64
    /// As it was asked for: `2026-11-20`, `all`.
    package var range: String
    package var rowCount: Int
    package var drift: ReplacementDrift

    /// The share of its events that had been there before, and as they are.
    package var rightShare: Double {
      let drift = drift.total
      return rowCount > 0 ? 1 - min(1, Double(drift.added + drift.changed) / Double(rowCount)) : 1
    }
  }

  package let dataset: String
  package let version: Int64
  /// The latest first.
  package private(set) var buckets: [BucketState]
  /// The latest first.
  package private(set) var replacements: [Replacement]
  /// When the newest row of the table arrived, in microseconds; nil when its statistics do not say.
  package let newestSeenMicros: Int64?

  /// - Parameters:
  ///   - earlier: an earlier look at the dataset: only commits since are read.
  ///   - replacementLimit: how many batch runs to remember.
  /// - Returns: nil when the dataset has no table.
  package init?(
    _ snapshot: StoreSnapshot, dataset name: String, after earlier: DatasetHealth? = nil, replacementLimit: Int = 20
  ) throws(StoreError) {
    guard let dataset = snapshot.datasets[name], let delta = dataset.delta else { return nil }
    self.dataset = name
    version = delta.version
    buckets = dataset.buckets.map { BucketState($0.bucket, $0.files) }
    newestSeenMicros = dataset.derived.newestSeenMicros(in: dataset.files)
    do {
      let known = earlier.flatMap { $0.version <= delta.version ? $0 : nil }
      let recent = try Self.replacements(
        snapshot.store.dataset(name), until: delta.version, after: known?.version, limit: replacementLimit)
      replacements = Array((recent + (known?.replacements ?? [])).prefix(replacementLimit))
    } catch { throw .delta(error) }
  }

  package var rowCount: Int { buckets.reduce(0) { $0 + $1.rowCount } }
  package var byteCount: Int { buckets.reduce(0) { $0 + $1.byteCount } }
  package var fileCount: Int { buckets.reduce(0) { $0 + $1.fileCount } }
  package var smallFileCount: Int { buckets.reduce(0) { $0 + $1.smallFileCount } }

  /// The batch runs among the commits; of those that were cleaned up nothing is known.
  private static func replacements(
    _ table: DeltaTable, until version: Int64, after: Int64?, limit: Int
  ) throws(DeltaError) -> [Replacement] {
    var found: [Replacement] = []
    let versions = try table.commitVersions().filter { $0 <= version && $0 > after ?? -1 }
    for version in versions.sorted(by: >).prefix(500) where found.count < limit {
      for case .commitInfo(let info) in try table.commit(version) {
        if let replacement = Replacement(info, version: version) { found.append(replacement) }
      }
    }
    return found
  }
}

extension DatasetHealth.BucketState {
  init(_ bucket: Bucket, _ files: [StoreFile]) {
    self.bucket = bucket
    for file in files {
      fileCount += 1
      byteCount += Int(file.action.byteCount)
      if file.action.byteCount < Compaction.smallByteCount { smallFileCount += 1 }
      guard let statistics = file.statistics else { continue }
      rowCount += Int(statistics.rowCount)
      for (column, count) in statistics.nullCount {
        if let count = count.integer { nullCounts[column, default: 0] += Int(count) }
      }
    }
  }
}

extension DatasetHealth.Replacement {
  /// Nil for a commit of another kind.
  init?(_ info: CommitInfo, version: Int64) {
    guard let parameters = info.members["operationParameters"], let range = parameters["replace"]?.string,
      let metrics = info.members["operationMetrics"]?.object
    else { return nil }
    self.version = version
    committedMillis = info.timestampMillis ?? 0
    self.range = range
    let counts = metrics.compactMapValues { $0.string.flatMap { Int($0) } }
    rowCount = counts["numOutputRows"] ?? 0
    drift = ReplacementDrift(metrics: counts)
  }
}

extension ReplacementDrift {
  /// What `metrics` says of the event types.
  init(metrics: [String: Int]) {
    self.init()
    for (name, count) in metrics {
      for (prefix, member) in Self.members {
        guard name.hasPrefix(prefix + ".") else { continue }
        types[String(name.dropFirst(prefix.count + 1)), default: Counts()][keyPath: member] = count
      }
    }
  }

  private static var members: [(String, WritableKeyPath<Counts, Int>)] {
    [("numEventsDropped", \.dropped), ("numEventsAdded", \.added), ("numEventsChanged", \.changed)]
  }
}
