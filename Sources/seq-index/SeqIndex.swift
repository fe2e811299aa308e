import ArgumentParser
import CommandSupport
import Engine
import JSONText
import SequenceStore

@main
struct SeqIndex: SeqlineCommand {
  static let configuration = CommandConfiguration(
    commandName: "seq-index",
    abstract: "Store enriched events as Parquet under a Delta log.",
    discussion: """
      Replaces whole days in one commit. An input that was cut short, by
      the death of a stage before this one, changes nothing.

        seq-enrich in.frames | seq-assemble | seq-index --replace all
      """,
    version: seqlineVersion)

  @OptionGroup var stage: StageFlags
  @OptionGroup var definitions: DefinitionOptions
  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("The days to replace.", valueName: "D[..E]|all"))
  var replace: String

  @Option(
    help: ArgumentHelp(
      "Old rows that arrived after it stay (default: the input's latest arrival).", valueName: "time"))
  var horizon: PointInTime?

  @Option(help: "Memory for events that come unordered, such as 512M or 4G.")
  var memory = ByteCount(1 << 30)

  @Flag(help: "Commit what came although the input was cut short.")
  var partial = false

  @Option(name: .customLong("parquet-level"), help: "zstd level of the Parquet files.")
  var parquetLevel = 3

  func validate() throws {
    if !(1...22).contains(parquetLevel) { throw ValidationError("--parquet-level \(parquetLevel) is outside 1...22") }
  }

  func execute() throws -> Outcome {
    let summary = Summary(command: "seq-index", format: stage.logFormat)
    let store = StoreDirectory(try store.path())
    let run = IndexRun(
      store, definitions: try definitions.load(), replacing: try DayRange(parsing: replace), acceptsPartial: partial)
    var indexing = StoreIndexer.Options()
    indexing.level = parquetLevel
    indexing.parameters = ["replace": replace]
    indexing.horizonMicros = horizon?.micros
    if let threads = stage.threads { indexing.threads = threads }
    let assembly = AssemblyOptions(memoryLimit: memory.bytes, temporaryDirectory: environment("TMPDIR") ?? "/tmp")
    var (report, counts) = try run.run(stage.options, assembly: assembly, indexing: indexing)
    report.rowsOut = counts.values.reduce(0) { $0 + $1.rows }
    summary.print(report, Self.facts(counts))
    return .done
  }

  private static func facts(_ counts: [String: IndexCounts]) -> [(String, JSONValue)] {
    counts.sorted { $0.key < $1.key }.flatMap { name, counts in
      var facts: [(String, JSONValue)] = [
        ("files in \(name)", .integer(Int64(counts.files))), ("bytes", .integer(Int64(counts.byteCount))),
        ("rows replaced", .integer(Int64(counts.rowsReplaced))),
      ]
      if counts.retractions > 0 { facts.append(("retractions kept", .integer(Int64(counts.retractions)))) }
      if counts.rowsCarriedOver > 0 { facts.append(("rows carried over", .integer(Int64(counts.rowsCarriedOver)))) }
      if counts.rowsOutside > 0 { facts.append(("rows of other days added", .integer(Int64(counts.rowsOutside)))) }
      if let version = counts.version { facts.append(("is the table's version", .integer(version))) }
      return facts
    }
  }
}
