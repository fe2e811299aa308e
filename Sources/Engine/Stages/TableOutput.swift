import Arrow
import Buffers
import Parquet

/// A stage's output as one table: an Arrow stream or a Parquet file, whose rows all have the schema of the first; without
/// rows it has the columns that could have come.
final class TableOutput {
  private enum Writer: ~Copyable {
    case arrow(IPCStreamEncoder)
    case parquet(ParquetWriter)
  }

  private let output: OpenFile
  private let format: OutputFormat
  private let schemas: OutputSchemas
  private var schema: Schema?
  private var writer: Writer?
  private var context = ParquetEncoderContext()

  init(_ output: OpenFile, format: OutputFormat, _ schemas: OutputSchemas) {
    self.output = output
    self.schemas = schemas
    self.format = format
  }

  /// - Throws: `SeveralSchemas` when the batch has other columns than those before it.
  func write(_ batch: RecordBatch) throws {
    if schema == nil { try begin(batch.schema) }
    guard schema!.fields == batch.schema.fields else { throw SeveralSchemas() }
    switch writer.take() {
    case .arrow(var encoder):
      encoder.append(batch)
      let bytes = encoder.take()
      writer = .arrow(encoder)
      try output.write(bytes.bytes)
    case .parquet(var parquet):
      try parquet.append(batch, using: &context)
      let bytes = parquet.takeBytes()
      writer = .parquet(parquet)
      for buffer in bytes { try output.write(buffer.bytes) }
    case nil: break
    }
  }

  private func begin(_ schema: Schema) throws {
    self.schema = schema
    if format == .arrow {
      writer = .arrow(IPCStreamEncoder(schema))
    } else {
      writer = .parquet(try ParquetWriter(schema: schema))
    }
  }

  /// - Throws: `NoSchema` when there were no rows and their columns are not known.
  func finish() throws {
    if schema == nil { try begin(try schemas.ofNoRows()) }
    switch writer.take() {
    case .arrow(var encoder):
      encoder.end()
      try output.write(encoder.take().bytes)
    case .parquet(let parquet):
      for buffer in try parquet.finish(using: &context).bytes { try output.write(buffer.bytes) }
    case nil: break
    }
  }
}

/// Rows of different schemas where one table is to be written.
struct SeveralSchemas: Error, CustomStringConvertible {
  var description: String {
    "the rows have different columns, and an Arrow stream or Parquet file holds one schema; choose one --event-type, "
      + "or --format frames"
  }
}
