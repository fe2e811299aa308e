import ArgumentParser
import CommandSupport
import DeltaLog
import Engine

/// The flags of warehouse tables.
struct TableFlags: ParsableArguments {
  @Option(help: ArgumentHelp("Read only what was added to a Delta table after this version.", valueName: "version"))
  var since: Int64?

  func validate() throws {
    if let since, since < 0 { throw ValidationError("--since \(since) is below 0") }
  }

  /// The Delta tables, from where the flags say; nil when the inputs are read in another way.
  func source(_ inputs: [String], positions: (() throws -> SourcePositionLookup)?) throws -> DeltaSource? {
    guard since != nil || positions != nil else { return nil }
    let tables = inputs.filter { DeltaTable.isTable($0) }
    guard tables.count == inputs.count else {
      if since == nil, tables.isEmpty { return nil }
      throw ValidationError(
        "'\(inputs.first { !tables.contains($0) }!)' is no Delta table; read it by a run of its own, without --since")
    }
    return try DeltaSource(tables, since: since, positions: positions?())
  }
}
