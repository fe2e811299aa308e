import Arrow
import Engine

/// Assembles all events of a stream and writes them in order: what `seq-assemble` does.
package struct AssemblyRun {
  private let stage: StageOptions
  private let options: AssemblyOptions

  /// - Parameter options: of the assembler of each dataset.
  package init(_ stage: StageOptions, _ options: AssemblyOptions) {
    self.stage = stage
    self.options = options
  }

  /// - Throws: `InputCutShort` when the input has no end; then nothing is written, for what is missing could change any row.
  package func run() throws -> (report: RunReport, counts: AssemblyCounts) {
    let assemblers = DatasetAssemblers(options)
    var report = try EventInput(stage).forEachBatch { try assemblers.append($0) }
    let output = try StageOutput(stage)
    let counts = try assemblers.finish { batch in
      try output.write(batch)
    }
    try output.finish()
    report.rowsOut = counts.rowsOut
    return (report, counts)
  }
}

/// An assembler for each dataset of a stream.
final class DatasetAssemblers {
  private let options: AssemblyOptions
  private var places: [String: Int] = [:]
  private var assemblers: [OneAssembler] = []

  /// A reference to an assembler, which cannot be copied into an array.
  private final class OneAssembler {
    var assembler: Assembler
    init(_ options: AssemblyOptions) { assembler = Assembler(options) }
  }

  init(_ options: AssemblyOptions) { self.options = options }

  func append(_ batch: RecordBatch) throws {
    let dataset = batch.schema.metadata[MetadataKey.dataset] ?? ""
    if places[dataset] == nil {
      places[dataset] = assemblers.count
      assemblers.append(OneAssembler(options))
    }
    try assemblers[places[dataset]!].assembler.append(batch)
  }

  /// Gives out one dataset after the other.
  func finish(_ emit: (RecordBatch) throws -> Void) throws -> AssemblyCounts {
    var counts = AssemblyCounts()
    for one in assemblers {
      let each = try one.assembler.finish(emit)
      counts.rowsIn += each.rowsIn
      counts.rowsOut += each.rowsOut
      counts.superseded += each.superseded
      counts.spilledRuns += each.spilledRuns
    }
    return counts
  }
}
