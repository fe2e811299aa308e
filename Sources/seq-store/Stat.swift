import ArgumentParser
import CommandSupport
import Definitions
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
    for name in names { try print(name, snapshot, definitions) }
    if dataset.choice.dataset == nil {
      let others = Set(definitions?.datasets.map(\.name) ?? []).subtracting(names)
      for name in others.sorted() { try printIfLive(name, snapshot, definitions) }
      printAnomalies(besides: others.union(names), snapshot, definitions)
    }
    return .done
  }

  /// Prints what is unlike before and of none of the datasets: how requests of tenants go.
  private func printAnomalies(besides names: Set<String>, _ snapshot: StoreSnapshot, _ definitions: DefinitionSet?) {
    let rest = snapshot.store.anomalies.filter { anomaly in
      !names.contains { anomaly.isAbout(dataset: $0, definitions) }
    }
    if json, !rest.isEmpty {
      let members: JSONValue = ["dataset": .null, "anomalies": .array(rest.map(\.json))]
      Swift.print(members.text)
    }
    let open = rest.filter(\.isOpen)
    if !json, !open.isEmpty { Swift.print((["requests"] + open.map { "  \($0)" }).joined(separator: "\n")) }
  }

  /// Prints a dataset without a table, if the live log has rows of it.
  private func printIfLive(_ name: String, _ snapshot: StoreSnapshot, _ definitions: DefinitionSet?) throws {
    do { try print(name, snapshot, definitions) } catch StoreError.noSuchDataset {}
  }

  private func print(_ name: String, _ snapshot: StoreSnapshot, _ definitions: DefinitionSet?) throws {
    var report = try DatasetReport(snapshot, dataset: name, definitions: definitions)
    report.anomalies = snapshot.store.anomalies.filter { $0.isAbout(dataset: name, definitions) }
    Swift.print(json ? report.json.text : report.text)
  }
}
