import Arrow
import Buffers
import Frames
import Glibc
import JSONColumns
import Parquet

/// Encodes batches on a worker's thread, where the format allows it.
struct ProductEncoder: Sendable {
  var format: OutputFormat
  var frames: FrameEncoder
  var json: JSONEncodingOptions
  var columns: [String]?

  func encode(_ batches: [RecordBatch]) -> StageProduct.Payload {
    switch format {
    case .frames: return .frames(batches.map { frames.encode($0) })
    case .ndjson:
      var text = JSONOutput()
      for batch in batches { JSONRowEncoder(selected(batch), options: json).appendLines(to: &text) }
      return .text(text.take())
    case .arrow, .parquet: return .batches(batches.map { selected($0).withPlainTexts() })
    }
  }

  private func selected(_ batch: RecordBatch) -> RecordBatch { columns.map { batch.selecting($0) } ?? batch }
}

extension StageProduct.Payload {
  /// Adds what came of a further batch of the same unit.
  mutating func append(_ other: StageProduct.Payload) {
    switch (self, other) {
    case (.frames(let frames), .frames(let more)): self = .frames(frames + more)
    case (.batches(let batches), .batches(let more)): self = .batches(batches + more)
    case (.text(let text), .text(let more)):
      var all = BufferBuilder(capacity: text.byteCount + more.byteCount)
      all.append(text)
      all.append(more)
      self = .text(all.finish())
    default: self = other
    }
  }
}

/// A stage's output in the chosen format.
///
/// Frames and NDJSON come encoded and are only written. An Arrow stream or a Parquet file has one schema and is encoded
/// here, in order.
package final class StageOutput {
  let encoder: ProductEncoder
  private let output: OpenFile
  private var frames: FrameWriter?
  private var table: TableOutput?

  /// - Parameter schemas: of all batches that may be written; empty when that is not known.
  /// - Throws: `UnknownColumn`; `FramesKeepColumns`; `SystemError` when the output cannot be opened.
  package init(_ options: StageOptions, schemas: [Schema]) throws {
    let schemas = try OutputSchemas(schemas, columns: options.columns)
    output = try OpenFile(writing: options.output)
    let frames = FrameWriter(
      fileDescriptor: output.descriptor, compression: options.level.map { $0 == 0 ? .stored : .level($0) })
    let format = options.format ?? (isatty(output.descriptor) == 1 ? .ndjson : .frames)
    if format == .frames, options.columns != nil { throw FramesKeepColumns() }
    encoder = ProductEncoder(
      format: format, frames: frames.encoder, json: JSONEncodingOptions(timestamps: options.timestamps.form),
      columns: options.columns)
    self.frames = consume frames
    if format == .arrow || format == .parquet { table = TableOutput(output, format: format, schemas) }
  }

  func write(_ payload: StageProduct.Payload) throws {
    switch payload {
    case .none: break
    case .frames(let encoded): try naming { for frame in encoded { try frames?.write(frame) } }
    case .text(let text): try output.write(text.bytes)
    case .batches(let batches): for batch in batches { try table!.write(batch) }
    }
  }

  /// Encodes and writes a batch.
  package func write(_ batch: RecordBatch) throws { try write(encoder.encode([batch])) }

  /// Passes a control frame on; the other formats have none.
  package func write(_ control: Control) throws {
    if encoder.format == .frames { try naming { try frames?.write(control) } }
  }

  /// Marks the output as complete.
  package func finish() throws {
    if encoder.format == .frames { try naming { try frames.take()?.finish() } }
    try table?.finish()
  }

  /// Leaves the output without the mark of its end. A table has none: what came is made readable.
  func stop() throws { try table?.finish() }

  /// Writes frames; when the system refuses, the error names the output as it does for the other formats.
  private func naming(_ write: () throws -> Void) throws {
    do { try write() } catch let error as FrameError {
      guard case .system(let call, let code) = error.reason else { throw error }
      throw SystemError(call, output.path, code: code)
    }
  }
}

/// Columns are wanted in frames, which the stages to come need whole.
struct FramesKeepColumns: Error, CustomStringConvertible {
  var description: String { "--columns: frames keep all columns; choose --format ndjson, arrow or parquet" }
}

extension TimestampFormat {
  fileprivate var form: JSONTimestampForm {
    switch self {
    case .rfc3339: .rfc3339
    case .s: .seconds
    case .ms: .millis
    case .us: .micros
    }
  }
}
