import ArgumentParser
import CommandSupport
import Engine
import SequenceStore

struct Cat: SeqlineCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a dataset's events, the oldest days first.",
    discussion: "  seq-store cat engagements --days 2026-11-20 --format ndjson | head")

  @OptionGroup var dataset: DatasetOptions

  @Option(help: ArgumentHelp("Only these days (default: all).", valueName: "D[..E]"))
  var days = "all"

  @Option(
    help: ArgumentHelp("Only rows that had arrived by then count, and what they took back.", valueName: "time"))
  var knownAt: PointInTime?

  @Option(help: ArgumentHelp("Of the columns beside the system columns only these.", valueName: "a,b,…"))
  var columns: String?

  @Option(help: "What to write: frames, ndjson, arrow or parquet (default: ndjson on a terminal, else frames).")
  var format: OutputFormat?

  @Option(help: "How ndjson writes timestamps: rfc3339, s, ms or us.")
  var timestamps: TimestampFormat = .rfc3339

  func execute() throws -> Outcome {
    let (snapshot, names) = try dataset.open()
    let features = columns.map { $0.split(separator: ",").map(String.init) }
    let range = try DayRange(parsing: days)
    let scans = try names.map { name in
      try DatasetScan(snapshot, dataset: name, range: range, columns: features, knownAtMicros: knownAt?.micros)
    }
    let output = try StageOutput(
      StageOptions(inputs: [], threads: 1, format: format, timestamps: timestamps), schemas: scans.map(\.schema))
    for scan in scans { try scan.forEachBatch { try output.write($0) } }
    try output.finish()
    return .done
  }
}
