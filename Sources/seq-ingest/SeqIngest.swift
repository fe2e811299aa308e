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
      """,
    version: seqlineVersion)

  @OptionGroup var stage: StageFlags
  @OptionGroup var definitions: DefinitionOptions
  @OptionGroup var source: SourceOptions

  func execute() throws -> Outcome {
    let definitions = try definitions.load()
    let source = try source.source(of: definitions)
    let inputs = try self.source.inputs(stage.inputs, source: source)
    return try stage.run("seq-ingest", .ingest(source, definitions: definitions), inputs: inputs)
  }
}
