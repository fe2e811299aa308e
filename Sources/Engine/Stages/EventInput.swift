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
    let asItIs: @Sendable (RawFrame, Frame) -> Frame = { _, frame in frame }
    return try forEachFrame(asItIs) { frame, _ in
      guard case .data(_, let batches) = frame else { return }
      for batch in batches where batch.rowCount > 0 { try body(batch) }
    }
  }

  /// Calls `body` with what `work` makes of each frame, in the order of the stream, and the times of the frame's newest
  /// events, if the options have metrics; data frames hold events.
  ///
  /// - Parameter work: is given a frame as it came and decoded, on several threads at once.
  /// - Throws: `InputCutShort`, after all that came, when the input ended without its end mark.
  /// - Returns: rows and bytes that came in.
  package func forEachFrame<Product>(
    _ work: @escaping @Sendable (RawFrame, Frame) throws -> Product,
    _ body: @escaping (Product, NewestEvents) throws -> Void
  ) throws -> RunReport {
    let input = StageInput(options, takesEmptyPipe: false)
    let (limit, metrics) = (options.maximumFrameByteCount, options.metrics)
    var account = StreamAccount()
    var report = RunReport()
    try OrderedPipeline(threads: options.threads).run(
      isBrief: \.isBrief,
      read: { try metrics.reading { try input.next() } },
      makeWorker: {
        { unit in
          try metrics.timing(.work) {
            var unit = try Self.decode(unit, limit: limit)
            if metrics != nil { unit.noteTimes() }
            return (unit, try work(unit.raw, unit.frame))
          }
        }
      },
      write: { unit, product in
        report.add(unit.report)
        do {
          try account.add(unit.frame, byteOffset: unit.raw.byteOffset)
        } catch { throw FileError(path: unit.source, error: error) }
        if case .control(.horizon(let micros)) = unit.frame { report.noteHorizon(micros) }
        try metrics.timing(.write) { try body(product, unit.newest) }
        metrics?.unitEnded(unit.account)
      })
    guard !input.wasStopped, !input.wasCutShort, !input.hadFrames || account.isComplete else {
      report.wasStopped = input.wasStopped || options.stop?.isImminent == true
      throw InputCutShort(report)
    }
    return report
  }

  private struct Unit {
    var raw: RawFrame
    var frame: Frame
    var source: String
    /// Empty where nobody asked.
    var newest = NewestEvents()

    var batches: [RecordBatch] { if case .data(_, let batches) = frame { batches } else { [] } }

    mutating func noteTimes() { for batch in batches { newest.add(batch) } }

    var report: RunReport {
      var report = RunReport()
      report.bytesIn = raw.byteCount
      report.rowsIn = batches.reduce(0) { $0 + $1.rowCount }
      return report
    }

    var account: UnitAccount {
      var account = UnitAccount(report: report, newest: newest)
      if case .data = frame { account.framesIn = 1 }
      return account
    }
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
    case .csv(let block): throw TextRefused(path: block.source, kind: "event")
    case .messages, .position: preconditionFailure("files and pipes have no messages or positions")
    }
  }
}
