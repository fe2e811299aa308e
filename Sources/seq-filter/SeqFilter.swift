import ArgumentParser
import CommandSupport
import Definitions
import Engine

@main
struct SeqFilter: SeqlineCommand {
  static let configuration = CommandConfiguration(
    commandName: "seq-filter",
    abstract: "Keep the events that the definitions select.",
    discussion: """
      Reads raw events (frames or NDJSON) and writes the events of each
      type with their columns. A row that fails its filter although it
      corrects an earlier one is passed on as a retraction.

        tail -F events.log | seq-filter | seq-enrich | seq-index
      """,
    version: seqlineVersion)

  @OptionGroup var stage: StageFlags
  @OptionGroup var output: OutputFlags
  @OptionGroup var rejection: RejectionFlags
  @OptionGroup var definitions: DefinitionOptions
  @OptionGroup var source: SourceOptions

  @Option(help: ArgumentHelp("Only this event type; may be repeated (default: all).", valueName: "name"))
  var eventType: [String] = []

  @Option(help: ArgumentHelp("Only the event types of this sequence.", valueName: "name"))
  var sequence: String?

  @Flag(help: "Leave retractions out: for people and for logs without corrections.")
  var dropRetractions = false

  @Flag(help: "Give each frame the events of one shard, of as many as the definitions say.")
  var shards = false

  func execute() throws -> Outcome {
    let definitions = try definitions.load()
    let source = try source.source(of: definitions)
    let types = try EventTypeSelection(names: eventType, sequence: sequence).select(definitions, source: source)
    var filter = try PipelineStage.filter(
      types, source: source, definitions: definitions, keepsRetractions: !dropRetractions)
    if shards { filter = filter.routed(to: ShardRouter(count: definitions.shardCount)) }
    var options = stage.options(output, rejection)
    try self.source.choose(stage.inputs, of: source, in: &options)
    return try stage.run("seq-filter", filter, options)
  }
}
