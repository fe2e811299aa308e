import ArgumentParser
import CommandSupport
import JSONText
import SequenceStore

struct Profile: SeqlineCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what is not as it was in the weeks before: volume, lag, nulls, values.",
    discussion: """
      Events that are new are counted by type and hour, in STORE/profiles;
      then the last week is compared with the weeks before it.

        seq-store profile --store store
      """)

  @OptionGroup var choice: DatasetChoice

  @Option(help: ArgumentHelp("Compiled definitions (default: the store's own).", valueName: "file"))
  var definitions: String?

  @Flag(help: "One JSON object instead of text.")
  var json = false

  func execute() throws -> Outcome {
    let directory = try choice.directory()
    let profiler = StoreProfiler(directory, definitions: try directory.definitions(at: definitions))
    let names = try choice.names(in: directory)
    let (report, _) = try profiler.run(names) { if !json { print($0) } }
    if json {
      print(report.json.text)
    } else {
      for anomaly in report.anomalies { print(anomaly) }
    }
    return .done
  }
}
