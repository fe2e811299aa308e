import ArgumentParser
import CommandSupport
import Definitions
import Engine

@main
struct SeqIngest: SeqlineCommand {
  static let configuration = CommandConfiguration(
    commandName: "seq-ingest",
    abstract: "Read raw events into frames of typed columns.",
    discussion: """
      Reads NDJSON and CSV, plain or under gzip or zstd, Parquet files,
      Delta tables and directories of Parquet files, and writes the fields
      that the source declares. A line or row without the required fields goes
      to the dead letters.

        seq-ingest events.ndjson.gz | seq-filter | seq-enrich > out.frames

      With --follow it goes on as the files grow, and says in the stream
      how far it is; with --resume it goes on where the store is.

        seq-ingest --follow 'logs/*.log' --resume store | seq-filter \\
          | seq-enrich | seq-index --store store

      With --kafka it reads a topic instead of files.

        seq-ingest --kafka broker:9092 --topic events --group seqline
      """,
    version: seqlineVersion)

  @OptionGroup var stage: StageFlags
  @OptionGroup var output: OutputFlags
  @OptionGroup var rejection: RejectionFlags
  @OptionGroup var definitions: DefinitionOptions
  @OptionGroup var source: SourceOptions
  @OptionGroup(title: "Options for growing files") var follow: FollowFlags
  @OptionGroup(title: "Options for tables") var table: TableFlags
  @OptionGroup(title: "Options for Kafka") var kafka: KafkaFlags

  func validate() throws {
    guard kafka.kafka != nil else { return }
    if !stage.inputs.isEmpty || source.date != nil {
      throw ValidationError("--kafka and files cannot be given together; choose one")
    }
    if follow.follow {
      throw ValidationError("--follow is for files; --kafka goes on by itself, unless --until ends it")
    }
  }

  func execute() throws -> Outcome {
    let definitions = try definitions.load()
    let source = try source.source(of: definitions)
    var options = stage.options(output, rejection)
    let ingest = try PipelineStage.ingest(source, definitions: definitions)
    if let topic = try kafka.source(source, positions: follow.positions) {
      defer { topic.close() }
      return try stage.run("seq-ingest", ingest, options, source: topic)
    }
    try self.source.choose(stage.inputs, of: source, in: &options)
    if let tables = try table.source(options.inputs, positions: follow.positions) {
      return try stage.run("seq-ingest", ingest, options, source: tables)
    }
    let followed = follow.isOn ? try follow.source(options) : nil
    return try stage.run("seq-ingest", ingest, options, source: followed)
  }
}
