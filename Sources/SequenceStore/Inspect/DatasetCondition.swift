import Definitions

/// What a table's log alone says of how fresh and how complete its dataset is.
package struct DatasetCondition: Sendable {
  package let version: Int64
  /// When the newest event of the table arrived, in microseconds, rounded up to the millisecond; nil when its statistics do
  /// not say.
  package let newestSeenMicros: Int64?
  /// What arrived until then of a batch's input is in the table, as far as it is wanted; nil when no batch wrote it.
  package let horizonMicros: Int64?
  private let latestBucket: DatasetHealth.BucketState?

  init?(_ dataset: DatasetSnapshot) {
    guard let delta = dataset.delta else { return nil }
    version = delta.version
    newestSeenMicros = dataset.derived.newestSeenMicros(in: dataset.files)
    horizonMicros = dataset.horizons.newest
    let buckets = dataset.buckets.lazy.map { DatasetHealth.BucketState($0.bucket, $0.files) }
    latestBucket = buckets.first { $0.rowCount > 0 }
  }

  /// The share of the latest bucket's events in which some of the columns has a value; nil when its statistics do not say.
  package func valueShare(ofAny columns: [String]) -> Double? {
    columns.compactMap { latestBucket?.nullShare($0) }.min().map { 1 - $0 }
  }
}

extension StoreSnapshot {
  /// How the datasets do that have a table.
  package var conditions: [String: DatasetCondition] { datasets.compactMapValues { DatasetCondition($0) } }
}
