import ArgumentParser
import CommandSupport
import SequenceStore

struct Compact: SeqlineCommand {
  static let configuration = CommandConfiguration(
    abstract: "Merge the files of each day, and the days of old months, into one file.",
    discussion: """
      Of each event the row that holds is left. Safe beside writers and
      readers; each bucket is a commit of its own.

        seq-store compact engagements --store store
      """)

  @OptionGroup var choice: DatasetChoice
  @OptionGroup var compaction: CompactionFlags

  func execute() throws -> Outcome {
    let directory = try choice.directory()
    let compaction = Compaction(
      directory, definitions: try directory.currentDefinitions(), compaction.options(isFull: true))
    for name in try choice.names(in: directory) { try compaction.run(name) { print($0) } }
    return .done
  }
}
