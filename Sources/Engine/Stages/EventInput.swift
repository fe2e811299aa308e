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
  /// - Throws: `InputCutShort`, after all that came, when the input ended without its end mark, or the run was asked to
  ///   stop before it.
  /// - Returns: rows and bytes that came in.
  package func forEachBatch(_ body: @escaping (RecordBatch) throws -> Void) throws -> RunReport {
    try forEachFrame({ _, frame in frame }) { frame in
      guard case .data(_, let batches) = frame else { return }
      for batch in batches where batch.rowCount > 0 { try body(batch) }
    }
  }

  /// Calls `body` with what `work` makes of each frame, in the order of the stream; data frames hold events.
  ///
  /// - Parameter work: is given a frame as it came and decoded, on several threads at once.
  /// - Throws: `InputCutShort`, after all that came, when the input ended without its end mark.
  /// - Returns: rows and bytes that came in.
  package func forEachFrame<Product>(
    _ work: @escaping @Sendable (RawFrame, Frame) throws -> Product, _ body: @escaping (Product) throws -> Void
  ) throws -> RunReport {
    let input = StageInput(options, takesEmptyPipe: false)
    let limit = options.maximumFrameByteCount
    var account = StreamAccount()
    var report = RunReport()
    try OrderedPipeline(threads: options.threads).run(
      read: { try input.next() },
      makeWorker: {
        { unit in
          let unit = try Self.decode(unit, limit: limit)
          return (unit, try work(unit.raw, unit.frame))
        }
      },
      write: { unit, product in
        report.bytesIn += unit.raw.bytes.byteCount
        do {
          try account.add(unit.frame, byteOffset: unit.raw.byteOffset)
        } catch { throw FileError(path: unit.source, error: error) }
        switch unit.frame {
        case .data(_, let batches): report.rowsIn += batches.reduce(0) { $0 + $1.rowCount }
        case .control(.horizon(let micros)): report.noteHorizon(micros)
        case .control: break
        }
        try body(product)
      })
    report.wasStopped = input.wasStopped
    guard !input.wasStopped, !input.wasCutShort, !input.hadFrames || account.isComplete else {
      throw InputCutShort(report)
    }
    return report
  }

  private struct Unit {
    var raw: RawFrame
    var frame: Frame
    var source: String
  }

  private static func decode(_ unit: InputUnit, limit: Int) throws -> Unit {
    switch unit {
    case .frame(let raw, let path):
      let frame: Frame
      do {
        frame = try raw.decode(maximumContent: limit)
      } catch {
        throw FileError(path: path, error: error)
      }
      if case .data(let schema, _) = frame, schema.metadata[MetadataKey.kind] != "event" {
        throw WrongInput(expected: "events", found: schema.metadata[MetadataKey.kind])
      }
      return Unit(raw: raw, frame: frame, source: path)
    case .lines(let file, _): throw TextRefused(path: file.path, kind: "event")
    case .text(let block): throw TextRefused(path: block.source, kind: "event")
    case .rows(let rows): throw TextRefused(path: rows.path, kind: "event")
    case .messages, .position: preconditionFailure("files and pipes have no messages or positions")
    }
  }
}
