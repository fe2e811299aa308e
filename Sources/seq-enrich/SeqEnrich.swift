import ArgumentParser
import CommandSupport
import Definitions
import Engine

@main
struct SeqEnrich: SeqlineCommand {
  static let configuration = CommandConfiguration(
    commandName: "seq-enrich",
    abstract: "Add the definitions' look-ups and derived columns to events.",
    discussion: """
      Reads events as seq-filter writes them. A key that a table lacks
      gives nulls and is counted.

        seq-filter events.ndjson | seq-enrich --tables tables > out.frames
      """,
    version: seqlineVersion)

  @OptionGroup var stage: StageFlags
  @OptionGroup var output: OutputFlags
  @OptionGroup var definitions: DefinitionOptions

  @Option(help: ArgumentHelp("Where the look-ups' tables are.", valueName: "dir"))
  var tables = "."

  func execute() throws -> Outcome {
    let definitions = try definitions.load()
    let tables = try LookupTable.loadAll(of: definitions, directory: tables)
    return try stage.run("seq-enrich", .enrich(definitions: definitions, tables: tables), stage.options(output))
  }
}
