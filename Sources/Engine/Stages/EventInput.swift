import Arrow
import Definitions
import Frames

/// Reads events for a stage that must see them all before it can write: frames are decoded in parallel, batches come in
/// the order of the stream.
package struct EventInput {
  private let options: StageOptions

  package init(_ options: StageOptions) { self.options = options }

  /// Calls `body` with each batch of events.
  ///
  /// - Throws: `InputCutShort`, after all that came, when the input ended without its end mark.
  /// - Returns: rows and bytes that came in.
  package func forEachBatch(_ body: @escaping (RecordBatch) throws -> Void) throws -> RunReport {
    let input = StageInput(
      options.inputs, takesEmptyPipe: false, maximumFrameByteCount: options.maximumFrameByteCount)
    let limit = options.maximumFrameByteCount
    var account = StreamAccount()
    var report = RunReport()
    try OrderedPipeline(threads: options.threads).run(
      read: { try input.next() },
      makeWorker: { { unit in try Self.decode(unit, limit: limit) } },
      write: { unit in
        report.bytesIn += unit.byteCount
        do {
          try account.add(unit.frame, byteOffset: unit.byteOffset)
        } catch { throw FileError(path: unit.source, error: error) }
        guard case .data(let schema, let batches) = unit.frame else { return }
        guard schema.metadata[MetadataKey.kind] == "event" else {
          throw WrongInput(expected: "events", found: schema.metadata[MetadataKey.kind])
        }
        for batch in batches where batch.rowCount > 0 {
          report.rowsIn += batch.rowCount
          try body(batch)
        }
      })
    guard !input.wasCutShort, !input.hadFrames || account.isComplete else { throw InputCutShort(report) }
    return report
  }

  private struct Unit {
    var frame: Frame
    var source: String
    var byteOffset: Int
    var byteCount: Int
  }

  private static func decode(_ unit: InputUnit, limit: Int) throws -> Unit {
    switch unit {
    case .frame(let frame, let path):
      do {
        return Unit(
          frame: try frame.decode(maximumContent: limit), source: path, byteOffset: frame.byteOffset,
          byteCount: frame.bytes.byteCount)
      } catch {
        throw FileError(path: path, error: error)
      }
    case .lines(let file, _): throw TextRefused(path: file.path, kind: "event")
    case .text(let block): throw TextRefused(path: block.source, kind: "event")
    case .position: preconditionFailure("files and pipes have no positions of their own")
    }
  }
}
