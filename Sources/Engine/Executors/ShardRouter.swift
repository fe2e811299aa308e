import Arrow
import ArrowKernels
import Buffers
import Definitions

/// Tells which shard of a store a user belongs to: Iceberg's bucket transform of the user's key.
///
/// - Source: Iceberg "Bucket Transform Details": the 31 low bits of the key's Murmur3, modulo the number of buckets.
package struct ShardRouter: Sendable {
  package let count: Int

  /// - Precondition: `count` is above 0.
  package init(count: Int) {
    precondition(count > 0, "a store has a shard")
    self.count = count
  }

  /// - Parameter hash: Murmur3 of a user's key.
  package func shard(ofHash hash: UInt32) -> Shard { Shard(Int(hash & 0x7FFF_FFFF) % count) }

  /// The shard of each of `users`, which are numbers, texts or dictionaries of texts, Int32 each.
  private func shards(of users: ArrowArray) -> Buffer {
    if case .dictionary(_, let values) = users.storage {
      let known = shards(of: values)
      return Buffer((0..<users.count).map { known.load(users.dictionaryIndex($0), as: Int32.self) })
    }
    var shards = BufferBuilder(capacity: users.count * MemoryLayout<Int32>.stride)
    for row in 0..<users.count {
      let hash =
        users.type == .utf8
        ? Murmur3.hash(users.bytes(row).bytes) : Murmur3.hash(users.values.load(row, as: Int64.self))
      shards.append(Int32(truncatingIfNeeded: shard(ofHash: hash).number))
    }
    return shards.finish()
  }

  /// The rows of each shard that has some, in their order, the lowest shard first; one shard's as they are.
  ///
  /// - Parameter batch: events, whose system columns have been checked.
  package func split(_ batch: RecordBatch) -> [(shard: Shard, rows: RecordBatch)] {
    guard count > 1, let users = batch[SystemColumns.user] else { return [(.first, batch)] }
    let shards = shards(of: users)
    var rows = [[Int32]](repeating: [], count: count)
    for row in 0..<batch.rowCount { rows[Int(shards.load(row, as: Int32.self))].append(Int32(row)) }
    return rows.indices.filter { !rows[$0].isEmpty }.map { shard in
      (Shard(shard), rows[shard].count == batch.rowCount ? batch : batch.take(Buffer(rows[shard])))
    }
  }

  /// The same rows, in batches that say to which shard they belong.
  package func routed(_ batch: RecordBatch) -> [RecordBatch] {
    split(batch).map { shard, rows in
      var schema = rows.schema
      schema.metadata[MetadataKey.shard] = Self.label(shard, of: count)
      return RecordBatch(schema, rows.columns, rowCount: rows.rowCount)
    }
  }

  /// What frames of one shard's rows say: `03/8`.
  package static func label(_ shard: Shard, of count: Int) -> String { "\(shard)/\(count)" }

  /// The rows of one shard; nil when there are none.
  package func rows(of shard: Shard, in batch: RecordBatch) -> RecordBatch? {
    split(batch).first { $0.shard == shard }?.rows
  }
}
