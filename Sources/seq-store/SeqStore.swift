import ArgumentParser
import CommandSupport
import Engine
import Glibc
import JSONText
import SequenceStore

@main
struct SeqStore: SeqlineCommand {
  static let configuration = CommandConfiguration(
    commandName: "seq-store",
    abstract: "Look into a store.",
    discussion: """
      A stored dataset can go through a pipeline again:

        seq-store cat engagements --store store --days 2026-11-20 \\
          | seq-enrich | seq-index --store store --replace 2026-11-20
      """,
    version: seqlineVersion,
    subcommands: [Cat.self, Stat.self, Verify.self])
}

/// The flags that name a dataset of a store, and a version of it.
struct DatasetOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("The dataset (default: all).", valueName: "dataset"))
  var dataset: String?

  @OptionGroup var store: StoreOptions

  @Option(
    name: .customLong("version-number"),
    help: ArgumentHelp("The table's version to read (default: the latest).", valueName: "n"))
  var version: Int64?

  func validate() throws {
    if version != nil, dataset == nil {
      throw ValidationError("--version-number needs a dataset; each counts by itself")
    }
  }

  /// The store as it is now, and the datasets that are meant.
  func open() throws -> (StoreSnapshot, [String]) {
    let directory = StoreDirectory(try store.path())
    guard directory.exists else { throw SystemError("open the store", directory.path, code: ENOENT) }
    let versions = dataset.flatMap { name in version.map { [name: $0] } } ?? [:]
    let snapshot = try StoreSnapshot(directory, datasets: dataset.map { [$0] }, versions: versions)
    return (snapshot, snapshot.datasetNames)
  }
}

struct Cat: SeqlineCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a dataset's events, a day after the other.",
    discussion: "  seq-store cat engagements --days 2026-11-20 --format ndjson | head")

  @OptionGroup var dataset: DatasetOptions

  @Option(help: ArgumentHelp("Only these days (default: all).", valueName: "D[..E]"))
  var days = "all"

  @Option(help: ArgumentHelp("Of the columns beside the system columns only these.", valueName: "a,b,…"))
  var columns: String?

  @Option(help: "What to write: frames, ndjson, arrow or parquet (default: ndjson on a terminal, else frames).")
  var format: OutputFormat?

  @Option(help: "How ndjson writes timestamps: rfc3339, s, ms or us.")
  var timestamps: TimestampFormat = .rfc3339

  func execute() throws -> Outcome {
    let (snapshot, names) = try dataset.open()
    let output = try StageOutput(StageOptions(inputs: [], threads: 1, format: format, timestamps: timestamps))
    let features = columns.map { $0.split(separator: ",").map(String.init) }
    for name in names {
      let scan = try DatasetScan(snapshot, dataset: name, range: try DayRange(parsing: days), columns: features)
      try scan.forEachBatch { try output.write($0) }
    }
    try output.finish()
    return .done
  }
}

struct Stat: SeqlineCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print how large datasets are, and which columns take the room.",
    discussion: "  seq-store stat --store store --json | jq .rows")

  @OptionGroup var dataset: DatasetOptions

  @Flag(help: "A JSON object a line instead of text.")
  var json = false

  func execute() throws -> Outcome {
    let (snapshot, names) = try dataset.open()
    for name in names {
      let report = try DatasetReport(snapshot, dataset: name)
      print(json ? report.json.text : report.text)
    }
    return .done
  }
}

struct Verify: SeqlineCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read every file and check all that readers rely on; exit 1 if anything is wrong.",
    discussion: "  seq-store verify --store store")

  @OptionGroup var dataset: DatasetOptions

  func execute() throws -> Outcome {
    let (snapshot, names) = try dataset.open()
    var isSound = true
    for name in names {
      let found = try DatasetVerification(snapshot, dataset: name)
      for problem in found.problems { print(problem) }
      standardError.line(
        "seq-store: \(name): \(found.fileCount) files, \(found.rowCount) events, \(found.problems.count) problems")
      isSound = isSound && found.problems.isEmpty
    }
    return isSound ? .done : .no
  }
}
