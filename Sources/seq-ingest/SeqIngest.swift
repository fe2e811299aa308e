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
      Reads NDJSON, plain or under gzip or zstd, and writes the fields
      that the source declares. A line that is not one JSON object with
      the required fields goes to the dead letters.

        seq-ingest events.ndjson.gz | seq-filter | seq-enrich > out.frames

      With --follow it goes on as the files grow, and says in the stream
      how far it is; with --resume it goes on where the store is.

        seq-ingest --follow 'logs/*.log' --resume store | seq-filter \\
          | seq-enrich | seq-index --store store
      """,
    version: seqlineVersion)

  @OptionGroup var stage: StageFlags
  @OptionGroup var definitions: DefinitionOptions
  @OptionGroup var source: SourceOptions
  @OptionGroup(title: "Options for growing files") var follow: FollowFlags

  func execute() throws -> Outcome {
    let definitions = try definitions.load()
    let source = try source.source(of: definitions)
    let inputs = try self.source.inputs(stage.inputs, source: source)
    let ingest = PipelineStage.ingest(source, definitions: definitions)
    guard follow.isOn else { return try stage.run("seq-ingest", ingest, inputs: inputs) }
    return try stage.run("seq-ingest", ingest, source: follow.source(inputs))
  }
}
