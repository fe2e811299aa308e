import ArgumentParser
import CommandSupport
import SequenceStore

struct Retain: SeqlineCommand {
  static let configuration = CommandConfiguration(
    abstract: "Let events go whose types' retention is over.",
    discussion: """
      The definitions say how long an event type is kept; its events go
      a day, or a merged month, at a time.

        seq-store retain --store store
      """)

  @OptionGroup var choice: DatasetChoice

  @Option(help: ArgumentHelp("Compiled definitions (default: the store's own).", valueName: "file"))
  var definitions: String?

  func execute() throws -> Outcome {
    let directory = try choice.directory()
    let retention = Retention(directory, definitions: try directory.definitions(at: definitions))
    for name in try choice.names(in: directory) { try retention.run(name) { print($0) } }
    return .done
  }
}
