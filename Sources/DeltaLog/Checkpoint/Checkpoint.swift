import Arrow
import Buffers
import Parquet

/// Checkpoints: the state of one version as Parquet, so that a reader need not replay the commits before it.
enum Checkpoint {
  /// How long a removed file is remembered when the table does not say: `delta.deletedFileRetentionDuration`.
  static let retentionMillis: Int64 = 7 * 86_400_000

  static func encode(_ snapshot: Snapshot, nowMillis: Int64) throws(DeltaError) -> (bytes: Buffer, actionCount: Int) {
    let rows = CheckpointRows.encode(snapshot, removedSince: nowMillis - retentionMillis)
    do {
      var context = ParquetEncoderContext()
      var writer = try ParquetWriter(schema: rows.schema, options: options)
      try writer.append(rows, using: &context)
      var bytes = BufferBuilder()
      for buffer in writer.takeBytes() + (try writer.finish(using: &context)).bytes { bytes.append(buffer) }
      return (bytes.finish(), rows.rowCount)
    } catch {
      throw DeltaError(.parquet("\(error)"))
    }
  }

  /// Larger pages than a table's: a checkpoint is always read whole.
  private static var options: ParquetWriterOptions {
    var options = ParquetWriterOptions()
    options.pageRowCount = 1 << 14
    options.storedPageByteCount = nil
    return options
  }

  static func decode(_ bytes: Buffer) throws(DeltaError) -> [Action] {
    var actions: [Action] = []
    do {
      let reader = try ParquetReader(bytes)
      let columns = CheckpointRows.columns.compactMap { reader.file.schema.columnIndex(of: $0) }
      try reader.forEachBatch(columns: columns) { actions += try CheckpointRows.decode($0) }
    } catch let error as DeltaError {
      throw error
    } catch {
      throw DeltaError(.parquet("\(error)"))
    }
    return actions
  }
}
