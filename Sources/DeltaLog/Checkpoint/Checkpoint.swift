import Arrow
import Buffers
import Parquet

/// Checkpoints: the state of one version as Parquet, so that a reader need not replay the commits before it.
enum Checkpoint {
  /// How long a removed file is remembered when the table does not say: `delta.deletedFileRetentionDuration`.
  static let retentionMillis: Int64 = 7 * 86_400_000

  static func encode(_ snapshot: Snapshot, nowMillis: Int64) throws(DeltaError) -> (bytes: Buffer, actionCount: Int) {
    throw DeltaError(.unsupportedWriterFeature("checkpoint"))
  }

  static func decode(_ bytes: Buffer) throws(DeltaError) -> [Action] {
    throw DeltaError(.unsupportedReaderFeature("checkpoint"))
  }
}
