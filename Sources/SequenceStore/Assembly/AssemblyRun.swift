import Arrow
import Definitions
import Engine
import Expressions

/// Assembles all events of a stream and writes them in order, or the sequences made of them: what `seq-assemble` does.
package struct AssemblyRun {
  private let stage: StageOptions
  private let assembly: any StreamAssembly
  /// Of what comes out when nothing comes in.
  private let emptySchemas: [Schema]

  /// Events in order, one dataset after the other.
  ///
  /// - Parameter definitions: what the events' columns are when there are no events; nil: that is not known.
  package init(_ stage: StageOptions, _ options: AssemblyOptions, definitions: DefinitionSet? = nil) {
    self.stage = stage
    assembly = DatasetAssemblers(options)
    emptySchemas = definitions?.assembledSchemas ?? []
  }

  /// A row per user.
  ///
  /// - Parameters:
  ///   - tables: of the look-ups that are used when events are read.
  ///   - untilMicros: the sequences' end, exclusive; nil: each user's window ends with the last event.
  package init(
    _ stage: StageOptions, _ options: AssemblyOptions, sequence: SequenceDefinition, in definitions: DefinitionSet,
    tables: [String: LookupTable] = [:], untilMicros: Int64? = nil
  ) throws {
    self.stage = stage
    let assembler = try SequenceAssembler(
      sequence, in: definitions, tables: tables, untilMicros: untilMicros, options: options)
    emptySchemas = [assembler.schema]
    assembly = SequenceAssembly(assembler)
  }

  /// - Throws: `InputCutShort` when the input has no end; then nothing is written, for what is missing could change any row.
  ///   `RunStopped` when the run was asked to stop while it wrote.
  package func run() throws -> (report: RunReport, counts: AssemblyCounts) {
    var report = try EventInput(stage).forEachBatch { try assembly.append($0) }
    let output = try StageOutput(stage, schemas: assembly.schemas.isEmpty ? emptySchemas : assembly.schemas)
    let counts = try assembly.finish { batch in
      try stage.stop?.check()
      try output.write(batch)
    }
    if let horizon = report.horizonMicros { try output.write(.horizon(horizon)) }
    try output.finish()
    report.rowsOut = counts.rowsOut
    report.coverage = counts.coverage
    return (report, counts)
  }
}

extension DefinitionSet {
  /// Of the datasets' events as they come out of the assembly.
  fileprivate var assembledSchemas: [Schema] {
    datasets.map { dataset in
      let system = SystemColumns.fields(userType: dataset.userType)
      let features = dataset.schema.fields.filter { field in !system.contains { $0.name == field.name } }
      return Schema(
        system + features,
        metadata: [
          MetadataKey.kind: "event", MetadataKey.dataset: dataset.name, MetadataKey.definitions: label,
          MetadataKey.order: "user",
        ])
    }
  }
}

/// What takes the events of a stream and gives out what is made of them.
protocol StreamAssembly: AnyObject {
  /// Of the batches that it will give out, as far as is known by now.
  var schemas: [Schema] { get }
  func append(_ batch: RecordBatch) throws
  func finish(_ emit: (RecordBatch) throws -> Void) throws -> AssemblyCounts
}

private final class SequenceAssembly: StreamAssembly {
  private var assembler: SequenceAssembler

  init(_ assembler: consuming SequenceAssembler) { self.assembler = assembler }

  var schemas: [Schema] { [assembler.schema] }

  func append(_ batch: RecordBatch) throws { try assembler.append(batch) }

  func finish(_ emit: (RecordBatch) throws -> Void) throws -> AssemblyCounts { try assembler.finish(emit) }
}

/// An assembler for each dataset of a stream; they share the memory.
final class DatasetAssemblers: StreamAssembly {
  private let options: AssemblyOptions
  private var places: [String: Int] = [:]
  private var assemblers: [OneAssembler] = []

  /// A reference to an assembler, which cannot be copied into an array.
  private final class OneAssembler {
    var assembler: Assembler
    init(_ options: AssemblyOptions) { assembler = Assembler(options) }
  }

  init(_ options: AssemblyOptions) { self.options = options }

  var schemas: [Schema] { assemblers.compactMap { $0.assembler.schema } }

  func append(_ batch: RecordBatch) throws {
    try append(batch, dataset: batch.schema.metadata[MetadataKey.dataset] ?? "")
  }

  func append(_ batch: RecordBatch, dataset: String) throws {
    if places[dataset] == nil {
      places[dataset] = assemblers.count
      assemblers.append(OneAssembler(options))
    }
    try assemblers[places[dataset]!].assembler.append(batch)
    guard assemblers.reduce(0, { $0 + $1.assembler.byteCount }) > options.memoryLimit else { return }
    try assemblers.max { $0.assembler.byteCount < $1.assembler.byteCount }?.assembler.spill()
  }

  /// Those that have rows, sorted.
  var datasets: [String] { places.keys.sorted() }

  /// Gives out one dataset after the other.
  func finish(_ emit: (RecordBatch) throws -> Void) throws -> AssemblyCounts {
    var counts = AssemblyCounts()
    for one in assemblers.indices {
      let each = try finish(one, emit)
      counts.rowsIn += each.rowsIn
      counts.rowsOut += each.rowsOut
      counts.superseded += each.superseded
      counts.spilledRuns += each.spilledRuns
    }
    return counts
  }

  /// Gives out a dataset, once.
  func finish(dataset: String, _ emit: (RecordBatch) throws -> Void) throws -> AssemblyCounts {
    try places[dataset].map { try finish($0, emit) } ?? AssemblyCounts()
  }

  private func finish(_ place: Int, _ emit: (RecordBatch) throws -> Void) throws -> AssemblyCounts {
    let counts = try assemblers[place].assembler.finish(emit)
    // What it held can go before the next one sorts.
    assemblers[place].assembler = Assembler(options)
    return counts
  }
}
