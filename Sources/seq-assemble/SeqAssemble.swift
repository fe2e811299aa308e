import ArgumentParser
import CommandSupport
import Definitions
import Engine
import JSONText
import SequenceStore

@main
struct SeqAssemble: SeqlineCommand {
  static let configuration = CommandConfiguration(
    commandName: "seq-assemble",
    abstract: "Order events by user and time, and settle their revisions.",
    discussion: """
      Of each event the highest revision stays. What does not fit into
      --memory is sorted on disk. With --sequence the output is a row per
      user, with a list per column of the sequence.

        seq-enrich in.frames | seq-assemble | seq-index --replace all
        seq-enrich in.frames | seq-assemble --sequence feed > feed.frames
      """,
    version: seqlineVersion)

  @OptionGroup var stage: StageFlags
  @OptionGroup var output: OutputFlags
  @OptionGroup var definitions: DefinitionOptions

  @Option(
    help: ArgumentHelp(
      "Write this sequence: a row per user, trimmed to its length, caps and window.", valueName: "name"))
  var sequence: String?

  @Option(
    help: ArgumentHelp(
      "End the sequences before this time, as 2026-01-31T00:00:00Z (default: after each user's last event).",
      valueName: "time"))
  var until: PointInTime?

  @Option(
    help: ArgumentHelp(
      "Where the tables are that sequences look up when they are read.", valueName: "dir"))
  var tables: String?

  @Option(help: "Memory for events, such as 512M or 4G.")
  var memory: ByteCount = ByteCount(1 << 30)

  @Option(help: ArgumentHelp("Where to sort what does not fit into memory.", valueName: "dir"))
  var temporaryDirectory: String = environment("TMPDIR") ?? "/tmp"

  @Flag(help: "Leave out the rows that only say that an event was taken back.")
  var dropRetractions = false

  func validate() throws {
    if memory.bytes == 0 { throw ValidationError("--memory is not above 0") }
  }

  func execute() throws -> Outcome {
    let summary = Summary(command: "seq-assemble", format: stage.logFormat)
    let options = AssemblyOptions(
      memoryLimit: memory.bytes, temporaryDirectory: temporaryDirectory, keepsRetractions: !dropRetractions)
    var counts = AssemblyCounts()
    let stop = StopRequest.onTermination()
    let report = try stage.metrics.observing("seq-assemble", nil) { metrics in
      var stage = stage.options(output)
      (stage.stop, stage.metrics) = (stop, metrics)
      let assembled = try run(stage, options).run()
      counts = assembled.counts
      return assembled.report
    }
    summary.print(
      report,
      [("superseded", .integer(Int64(counts.superseded))), ("runs spilled", .integer(Int64(counts.spilledRuns)))])
    return .done
  }

  private func run(_ stage: StageOptions, _ options: AssemblyOptions) throws -> AssemblyRun {
    guard let sequence else {
      if until != nil { throw ValidationError("--until ends sequences; name one with --sequence") }
      if tables != nil { throw ValidationError("--tables is read for sequences; name one with --sequence") }
      return AssemblyRun(stage, options, definitions: output.isTable ? try definitions.loadIfNamed() : nil)
    }
    let definitions = try definitions.load()
    guard let sequence = definitions.sequence(sequence) else {
      throw ValidationError("--sequence: there is no sequence '\(sequence)' in the definitions")
    }
    let tables = try tables.map { try LookupTable.loadAll(of: definitions, at: .request, directory: $0) } ?? [:]
    return try AssemblyRun(
      stage, options, sequence: sequence, in: definitions, tables: tables, untilMicros: until?.micros)
  }
}
