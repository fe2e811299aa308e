import ArgumentParser
import CommandSupport
import Definitions
import Engine
import Glibc
import JSONText
import SequenceStore

@main
struct SeqIndex: SeqlineCommand {
  static let configuration = CommandConfiguration(
    commandName: "seq-index",
    abstract: "Store enriched events as Parquet under a Delta log.",
    discussion: """
      Adds events as they come: each frame goes to the store's live log,
      synced at once, and in the background into sorted Parquet files.
      Of several writers one has the log; it says who.

        tail -F events.log | seq-filter | seq-enrich | seq-index

      With --replace, puts whole days in the place of what they were, in
      one commit. An input that was cut short, by the death of a stage
      before this one, then changes nothing.

        seq-enrich in.frames | seq-assemble | seq-index --replace all
      """,
    version: seqlineVersion)

  @OptionGroup var stage: StageFlags
  @OptionGroup var definitions: DefinitionOptions
  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("Replace these days; the rest stays.", valueName: "D[..E]|all"))
  var replace: String?

  @Option(
    help: ArgumentHelp(
      "Old rows that arrived after it stay (default: the input's latest arrival).", valueName: "time"))
  var horizon: PointInTime?

  @Option(
    help: ArgumentHelp("Take one shard's events: 3/8 is the fourth of eight, counted from 0.", valueName: "k/n"))
  var shard: ShardPart?

  @Flag(help: "Write positions and watermarks to standard output once what precedes them is durable.")
  var acknowledge = false

  @Flag(help: "At the input's end, bring all of the live log into the tables.")
  var settle = false

  @Option(help: "A segment of the live log ends at this size.")
  var segmentSize = ByteCount(256 << 20)

  @Option(help: ArgumentHelp("Or this long after its first frame.", valueName: "span"))
  var segmentAge = TimeSpan(micros: 60_000_000)

  @Option(help: "Memory for events that come unordered, such as 512M or 4G.")
  var memory = ByteCount(1 << 30)

  @Flag(help: "Commit what came although the input was cut short.")
  var partial = false

  @Option(name: .customLong("parquet-level"), help: "zstd level of the Parquet files.")
  var parquetLevel = 1

  func validate() throws {
    if !(1...22).contains(parquetLevel) { throw ValidationError("--parquet-level \(parquetLevel) is outside 1...22") }
    if memory.bytes == 0 { throw ValidationError("--memory is not above 0") }
    if segmentSize.bytes == 0 { throw ValidationError("--segment-size is not above 0") }
    if segmentAge.micros == 0 { throw ValidationError("--segment-age is not above 0") }
    if replace == nil {
      if partial { throw ValidationError("--partial belongs to --replace: what streams in is kept anyway") }
      if horizon != nil { throw ValidationError("--horizon belongs to --replace") }
    } else {
      if acknowledge { throw ValidationError("--acknowledge and --replace cannot be given together; choose one") }
      if shard != nil { throw ValidationError("--shard and --replace cannot be given together; choose one") }
      if settle { throw ValidationError("--settle and --replace cannot be given together; choose one") }
    }
  }

  func execute() throws -> Outcome {
    let summary = Summary(command: "seq-index", format: stage.logFormat)
    if let replace { try index(replacing: replace, summary) } else { try stream(summary) }
    return .done
  }

  private func index(replacing days: String, _ summary: Summary) throws {
    let definitions = try definitions.load()
    let run = IndexRun(
      StoreDirectory(try store.path()), definitions: definitions, replacing: try DayRange(parsing: days),
      acceptsPartial: partial)
    var indexing = indexing
    indexing.parameters = ["replace": days]
    indexing.horizonMicros = horizon?.micros
    var counts: [String: IndexCounts] = [:]
    let report = try observing(definitions) { stage in
      var report: RunReport
      (report, counts) = try run.run(stage, assembly: assembly, indexing: indexing)
      report.rowsOut = counts.values.reduce(0) { $0 + $1.rows + $1.rowsOutside }
      let replaced = counts
      stage.metrics?.include { replaced.write(to: &$0) }
      return report
    }
    summary.print(report, Self.facts(counts), details: Self.details(counts))
  }

  private func stream(_ summary: Summary) throws {
    var options = LiveRun.Options()
    options.log.segmentByteCount = segmentSize.bytes
    options.log.segmentSeconds = segmentAge.seconds
    options.roll.assembly = assembly
    options.roll.indexing = indexing
    options.acknowledgements = acknowledge ? STDOUT_FILENO : nil
    options.settles = settle
    options.report = { standardError.line("seq-index: \($0)") }
    let definitions = try definitions.load()
    let run = LiveRun(
      StoreDirectory(try store.path()), definitions: definitions, shard: try shard(of: definitions), options: options)
    var rolled = LiveRollCounts()
    let report = try observing(definitions) { stage in
      var report: RunReport
      (report, rolled) = try run.run(stage)
      report.rowsOut = report.rowsIn
      return report
    }
    summary.print(report, Self.facts(rolled.datasets))
  }

  private func shard(of definitions: DefinitionSet) throws -> Shard {
    let count = definitions.shardCount
    if let shard {
      guard shard.count == count else {
        throw ValidationError("--shard \(shard.shard.number)/\(shard.count): the definitions say \(count); give that")
      }
      return shard.shard
    }
    guard count == 1 else {
      throw ValidationError("--shard is missing: the definitions deal users to \(count); give one writer 0/\(count), …")
    }
    return .first
  }

  /// Runs `body` with how to read: SIGTERM and SIGINT stop it, and the metrics are told.
  private func observing(_ definitions: DefinitionSet, _ body: (StageOptions) throws -> RunReport) throws -> RunReport {
    var options = stage.options()
    options.stop = .onTermination()
    return try stage.metrics.observing("seq-index", definitions) { metrics in
      options.metrics = metrics
      return try body(options)
    }
  }

  private var indexing: StoreIndexer.Options {
    var options = StoreIndexer.Options()
    options.level = parquetLevel
    if let threads = stage.threads { options.threads = threads }
    return options
  }

  private var assembly: AssemblyOptions {
    AssemblyOptions(memoryLimit: memory.bytes, temporaryDirectory: environment("TMPDIR") ?? "/tmp")
  }

  private static func facts(_ counts: [String: IndexCounts]) -> [(String, JSONValue)] {
    counts.sorted { $0.key < $1.key }.flatMap { name, counts in
      var facts: [(String, JSONValue)] = [
        ("files in \(name)", .integer(Int64(counts.files))), ("bytes", .integer(Int64(counts.byteCount))),
        ("rows replaced", .integer(Int64(counts.rowsReplaced))),
      ]
      if let drift = counts.drift {
        facts += [
          ("dropped", .integer(Int64(drift.total.dropped))), ("added", .integer(Int64(drift.total.added))),
          ("changed", .integer(Int64(drift.total.changed))),
        ]
        if drift.unreadableBuckets > 0 {
          facts.append(("buckets could not be compared", .integer(Int64(drift.unreadableBuckets))))
        }
      }
      if counts.retractions > 0 { facts.append(("retractions kept", .integer(Int64(counts.retractions)))) }
      if counts.rowsCarriedOver > 0 { facts.append(("rows carried over", .integer(Int64(counts.rowsCarriedOver)))) }
      if counts.rowsOutside > 0 { facts.append(("rows of other days added", .integer(Int64(counts.rowsOutside)))) }
      if let version = counts.version { facts.append(("is the table's version", .integer(version))) }
      return facts
    }
  }

  /// By dataset and event type, how the events differ from those that they replaced.
  private static func details(_ counts: [String: IndexCounts]) -> [(String, JSONValue)] {
    [("drift", .object(counts.compactMapValues { $0.drift?.json }))]
  }
}

/// One of the shards that the definitions deal users to.
struct ShardPart: ExpressibleByArgument {
  let shard: Shard
  let count: Int

  init?(argument: String) {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let number = parts[0], let count = parts[1], (0..<max(0, count)).contains(number) else {
      return nil
    }
    (shard, self.count) = (Shard(number), count)
  }
}
