import Arrow
import Buffers
import Definitions
import DeltaLog
import Engine
import Glibc
import Parquet

/// A data file that is complete, synced, and named, but part of no commit yet.
struct FinishedFile: Sendable {
  /// That its rows belong to; the table may have them in a larger one.
  var bucket: Bucket
  var shard: Shard
  /// How many shards users were dealt to.
  var shardCount = 1
  /// In the store's temporary place.
  var temporaryPath: String
  /// Of its content, 32 hexadecimal digits: equal content has an equal name.
  var hash: String
  var byteCount: Int
  var rowCount: Int
  var statistics: FileStatistics

  /// Below the table.
  var relativePath: String { "\(PartitionColumns.directory(bucket, shard))/\(hash).parquet" }

  func action(modifiedMillis: Int64, dataChange: Bool = true) -> AddFile {
    AddFile(
      path: PathEncoding.encode(path: relativePath), partitionValues: PartitionColumns.values(bucket, shard),
      byteCount: Int64(byteCount), modificationMillis: modifiedMillis, dataChange: dataChange,
      statistics: statistics.text, tags: PartitionColumns.tags(shardCount: shardCount))
  }
}

/// The Parquet file of one bucket under way, in the store's temporary place. Belongs to one thread.
final class BucketFile {
  let layout: TableLayout
  let bucket: Bucket
  let shard: Shard
  private let path: String
  private let file: OpenFile
  private var writer: ParquetWriter?
  private var order = OrderCheck()
  private var hashes = ContentHash()

  init(
    _ layout: TableLayout, _ bucket: Bucket, _ shard: Shard = .first, in directory: String,
    options: ParquetWriterOptions
  ) throws(StoreError) {
    self.layout = layout
    self.bucket = bucket
    self.shard = shard
    path = "\(directory)/\(StoreDirectory.temporaryName(for: "\(layout.dataset)-\(bucket)"))"
    do { file = try OpenFile(writing: path) } catch { throw .system(error) }
    var options = options
    options.sortedBy = layout.order
    do { writer = try ParquetWriter(schema: layout.fileSchema, options: options) } catch { throw .parquet(error) }
  }

  /// Adds rows, which must come after those before them, with all columns of the dataset.
  func append(_ batch: RecordBatch, using context: inout ParquetEncoderContext) throws(StoreError) {
    guard order.accepts(batch) else { throw .unsorted(dataset: layout.dataset, bucket: bucket.description) }
    let stored = try layout.fileBatch(batch)
    do {
      try writer?.append(stored, using: &context)
    } catch {
      throw .parquet(error.located(file: path))
    }
    try write(writer?.takeBytes() ?? [])
  }

  private func write(_ buffers: [Buffer]) throws(StoreError) {
    for buffer in buffers {
      hashes.update(buffer)
      do { try file.write(buffer.bytes) } catch { throw .system(error) }
    }
  }

  /// Completes the file and syncs it.
  func finish(using context: inout ParquetEncoderContext) throws(StoreError) -> FinishedFile {
    guard let writer = writer.take() else { preconditionFailure("a bucket is finished once") }
    let rowCount = writer.rowCount
    let schema = writer.schema
    let summary: ParquetFileSummary
    do { summary = try writer.finish(using: &context) } catch { throw .parquet(error.located(file: path)) }
    try write(summary.bytes)
    guard fsync(file.descriptor) == 0 else { throw .system(SystemError("sync", path)) }
    return FinishedFile(
      bucket: bucket, shard: shard, temporaryPath: path, hash: hashes.text, byteCount: summary.byteCount,
      rowCount: rowCount,
      statistics: FileStatistics(footer: summary.metadata, schema: schema))
  }

  /// Removes the file.
  func discard() { unsafe unlink(path) }
}

/// 128 bits that tell contents apart: XXH64 under two seeds.
struct ContentHash: ~Copyable {
  private var first = XXHash64(seed: 0)
  private var second = XXHash64(seed: 0x9E37_79B9_7F4A_7C15)

  mutating func update(_ bytes: Buffer) {
    first.update(bytes.bytes)
    second.update(bytes.bytes)
  }

  var text: String { Self.hex(first.digest()) + Self.hex(second.digest()) }

  private static func hex(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }
}
