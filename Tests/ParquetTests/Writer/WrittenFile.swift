import Arrow
import Buffers
import Parquet

/// Whole files, in memory.
enum WrittenFile {
  static func write(
    _ batches: [RecordBatch], options: ParquetWriterOptions = ParquetWriterOptions()
  ) throws(ParquetError) -> (bytes: Buffer, metadata: FileMetadata) {
    var context = ParquetEncoderContext()
    return try write(batches, options: options, using: &context)
  }

  static func write(
    _ batches: [RecordBatch], options: ParquetWriterOptions, using context: inout ParquetEncoderContext
  ) throws(ParquetError) -> (bytes: Buffer, metadata: FileMetadata) {
    var writer = try ParquetWriter(schema: batches[0].schema, options: options)
    var bytes = BufferBuilder()
    for batch in batches {
      try writer.append(batch, using: &context)
      for piece in writer.takeBytes() { bytes.append(piece) }
    }
    let summary = try writer.finish(using: &context)
    for piece in summary.bytes { bytes.append(piece) }
    precondition(bytes.byteCount == summary.byteCount, "\(bytes.byteCount) bytes, \(summary.byteCount) claimed")
    return (bytes.finish(), summary.metadata)
  }
}
