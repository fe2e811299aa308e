import ArgumentParser
import CommandSupport
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
      --memory is sorted on disk.

        seq-enrich in.frames | seq-assemble | seq-index --replace all
      """)

  @OptionGroup var stage: StageFlags

  @Option(help: "Memory for events, such as 512M or 4G.")
  var memory: ByteCount = ByteCount(1 << 30)

  @Option(help: ArgumentHelp("Where to sort what does not fit into memory.", valueName: "dir"))
  var temporaryDirectory: String = environment("TMPDIR") ?? "/tmp"

  @Flag(help: "Leave out the rows that only say that an event was taken back.")
  var dropRetractions = false

  func execute() throws -> Outcome {
    let summary = Summary(command: "seq-assemble", format: stage.logFormat)
    let options = AssemblyOptions(
      memoryLimit: memory.bytes, temporaryDirectory: temporaryDirectory, keepsRetractions: !dropRetractions)
    let (report, counts) = try AssemblyRun(stage.options, options).run()
    summary.print(
      report, [("superseded", .integer(Int64(counts.superseded))), ("runs spilled", .integer(Int64(counts.spilledRuns)))])
    return .done
  }
}
