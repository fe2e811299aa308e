import ArgumentParser
import CommandSupport
import JSONText
import SequenceStore

struct Stat: SeqlineCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print how large datasets are, and which columns take the room.",
    discussion: "  seq-store stat --store store --json | jq .rows")

  @OptionGroup var dataset: DatasetOptions

  @Flag(help: "A JSON object a line instead of text.")
  var json = false

  func execute() throws -> Outcome {
    let (snapshot, names) = try dataset.open()
    let definitions = try? snapshot.store.currentDefinitions()
    for name in names {
      let report = try DatasetReport(snapshot, dataset: name, definitions: definitions)
      print(json ? report.json.text : report.text)
    }
    return .done
  }
}
