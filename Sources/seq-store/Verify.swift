import ArgumentParser
import CommandSupport
import SequenceStore

struct Verify: SeqlineCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read every file and check all that readers rely on; exit 1 if anything is wrong.",
    discussion: "  seq-store verify --store store")

  @OptionGroup var dataset: DatasetOptions

  func execute() throws -> Outcome {
    let (snapshot, names) = try dataset.open()
    var isSound = true
    for name in names {
      let found = try DatasetVerification(snapshot, dataset: name)
      for problem in found.problems { print(problem) }
      standardError.line(
        "seq-store: \(name): \(found.fileCount) files, \(found.rowCount) events, \(found.problems.count) problems")
      isSound = isSound && found.problems.isEmpty
    }
    return isSound ? .done : .no
  }
}
