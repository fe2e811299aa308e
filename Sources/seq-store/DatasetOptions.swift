import ArgumentParser
import CommandSupport
import Definitions
import Engine
import Glibc
import SequenceStore

/// The flag that names the store, and the dataset that is meant.
struct DatasetChoice: ParsableArguments {
  @Argument(help: ArgumentHelp("The dataset (default: all).", valueName: "dataset"))
  var dataset: String?

  @OptionGroup var store: StoreOptions

  /// The store, which must be there.
  func directory() throws -> StoreDirectory { try Self.directory(store) }

  static func directory(_ store: StoreOptions) throws -> StoreDirectory {
    let directory = StoreDirectory(try store.path())
    guard directory.exists else { throw SystemError("open the store", directory.path, code: ENOENT) }
    return directory
  }

  /// The datasets that are meant, of those that have a table.
  func names(in directory: StoreDirectory) throws -> [String] {
    let known = try directory.datasetNames()
    guard let dataset else { return known }
    guard known.contains(dataset) else { throw StoreError.noSuchDataset(dataset, known: known) }
    return [dataset]
  }
}

/// The flags that name a dataset of a store, and a version of it.
struct DatasetOptions: ParsableArguments {
  @OptionGroup var choice: DatasetChoice

  @Option(help: ArgumentHelp("The table's version to read (default: the latest).", valueName: "n"))
  var version: Int64?

  @Option(help: ArgumentHelp("Read what was the latest version at this time.", valueName: "time"))
  var asOf: PointInTime?

  func validate() throws {
    if version != nil, choice.dataset == nil {
      throw ValidationError("--version needs a dataset; each counts by itself")
    }
    if version != nil, asOf != nil { throw ValidationError("--version and --as-of exclude each other") }
  }

  /// The store as it is or was, and the datasets that are meant.
  func open() throws -> (StoreSnapshot, [String]) {
    let directory = try choice.directory()
    let versions = choice.dataset.flatMap { name in version.map { [name: $0] } } ?? [:]
    let snapshot = try StoreSnapshot(
      directory, datasets: choice.dataset.map { [$0] }, versions: versions,
      asOfMillis: asOf.map { $0.micros / 1_000 })
    return (snapshot, choice.dataset == nil ? snapshot.versions.keys.sorted() : snapshot.datasetNames)
  }
}

extension StoreDirectory {
  /// Those of the file, or else those that the tables were made with last.
  func definitions(at path: String?) throws -> DefinitionSet {
    try path.map { try DefinitionSet.load($0) } ?? currentDefinitions()
  }
}
