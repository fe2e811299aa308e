import ArgumentParser
import CommandSupport
import SequenceStore

struct Vacuum: SeqlineCommand {
  static let configuration = CommandConfiguration(
    abstract: "Delete data files that no version of the last days refers to.",
    discussion: """
      Versions older than the grace period cannot be read afterwards. Below
      an hour it is safe only while nothing writes to the store.

        seq-store vacuum --store store --grace 7d
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("How long a file is kept after its last use.", valueName: "duration"))
  var grace = TimeSpan(days: 7)

  @Flag(help: "Say what would be deleted.")
  var dryRun = false

  func execute() throws -> Outcome {
    let directory = try DatasetChoice.directory(store)
    try FileVacuum(directory, graceMillis: grace.micros / 1_000).run(deletes: !dryRun) { print($0) }
    return .done
  }
}
