import Arrow
import Buffers
import Frames

/// Runs a stage over its inputs and accounts for them.
package struct StageRun {
  private let stage: PipelineStage
  private let options: StageOptions
  private let source: (any StageSource)?

  /// - Parameter source: what is read in place of the options' inputs.
  package init(_ stage: PipelineStage, options: StageOptions, source: (any StageSource)? = nil) {
    self.stage = stage
    self.options = options
    self.source = source
  }

  /// Reads all inputs and writes the output.
  ///
  /// - Throws: when the stage cannot go on, after all that came before was written; `InputCutShort` when the input ended
  ///   without its end mark. Then the output has none either; nor when the run was asked to stop, which is no error.
  /// - Returns: the account of the run.
  package func run() throws -> RunReport {
    let input: any StageSource = source ?? StageInput(options, takesEmptyPipe: stage.takesEmptyPipe)
    let output = try StageOutput(options, schemas: stage.schemas)
    let sink = try ProductSink(output, input, options: options, report: stage.report)
    // A source of its own kind that cannot be stopped is left at any unit.
    let ending = source != nil && input.stop == nil ? options.stop : nil
    let (stage, encoder, options) = (stage, output.encoder, options)
    let metrics = options.metrics
    try OrderedPipeline(threads: options.threads).run(
      isBrief: \.isBrief,
      read: { ending?.isMade == true ? nil : try metrics.reading { try input.next() } },
      makeWorker: {
        let worker = try StageWorker(stage, encoder: encoder, options: options)
        return { unit in try metrics.timing(.work) { try worker.work(unit) } }
      },
      write: { product in
        try metrics.timing(.write) { try sink.write(product) }
        metrics?.unitEnded(product.account)
      })
    if input.wasStopped || ending?.isMade == true { return try sink.stopped() }
    guard !input.wasCutShort, !input.hadFrames || sink.account.isComplete else {
      if options.stop?.isImminent == true { return try sink.stopped() }
      throw InputCutShort(sink.report)
    }
    if let horizon = sink.report.horizonMicros { try output.write(.horizon(horizon)) }
    try output.finish()
    return sink.report
  }

  /// Writes the products in order and keeps the books.
  private final class ProductSink {
    private let output: StageOutput
    private let source: any StageSource
    private var deadLetters: DeadLetters
    private(set) var account = StreamAccount()
    private(set) var report: RunReport
    /// Lines that were written, of each source that was read from its start.
    private var lineCounts: [String: Int] = [:]

    init(_ output: StageOutput, _ source: any StageSource, options: StageOptions, report: RunReport) throws {
      self.output = output
      self.source = source
      self.report = report
      deadLetters = try DeadLetters(path: options.deadLetters, limit: options.maximumErrors)
    }

    /// Leaves the output as what came makes it.
    func stopped() throws -> RunReport {
      report.wasStopped = true
      try output.stop()
      return report
    }

    func write(_ product: StageProduct) throws {
      report.add(product.report)
      switch product.origin {
      case .text(let source, let byteOffset, let count):
        let before = byteOffset == 0 ? 0 : lineCounts[source]
        lineCounts[source] = before.map { $0 + count }
        try deadLetters.add(
          product.deadLetters.map { letter in
            var letter = letter
            letter.add(linesBefore: before)
            return letter
          })
      case .placed: try deadLetters.add(product.deadLetters)
      case .position(let position):
        try output.write(position)
        try source.wrote(position)
      case .data(let rowCount): account.addData(rowCount: rowCount)
      case .control(let control, let source, let byteOffset):
        do {
          try account.add(control, byteOffset: byteOffset)
        } catch { throw FileError(path: source, error: error) }
        if case .end = control {} else { try output.write(control) }
      }
      try output.write(product.payload)
    }
  }
}

/// The input ended without the mark of its end, as the stage before this one died, or was left before it.
package struct InputCutShort: Error, CustomStringConvertible {
  /// What came.
  package var report: RunReport

  package init(_ report: RunReport) { self.report = report }

  package var description: String {
    if report.wasStopped { return RunStopped().description }
    return
      "the input ended before its end mark: the stage before this one did not finish; what came was passed on without an end"
  }
}
