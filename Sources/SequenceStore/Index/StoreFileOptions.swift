import Definitions
import Engine
import Parquet

/// How the store's data files are encoded.
package struct StoreFileOptions: Sendable {
  /// Of zstd.
  package var level: Int
  /// Compressed bytes of a row group, about.
  package var rowGroupByteCount: Int
  /// How many shards users are dealt to: each has files of its own.
  package var shardCount: Int

  package init(level: Int = 1, rowGroupByteCount: Int = 1 << 20, shardCount: Int = 1) {
    self.level = level
    self.rowGroupByteCount = rowGroupByteCount
    self.shardCount = shardCount
  }

  var parquet: ParquetWriterOptions {
    var options = ParquetWriterOptions()
    options.level = level
    options.rowGroupByteCount = rowGroupByteCount
    var user = ParquetWriterOptions.Column()
    user.hasBloomFilter = true
    options.columns[SystemColumns.user] = user
    return options
  }
}
