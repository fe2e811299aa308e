import Definitions
import Engine
import Synchronization

/// The tables of the look-ups that are used when events are read. A table is loaded anew when its file changes.
package final class ServedTables: Sendable {
  /// Where the look-ups' paths begin; nil: no tables are served.
  private let directory: String?
  private let loaded = Mutex<[LookupDefinition: Loaded]>([:])

  private struct Loaded {
    var stamp: String
    var table: LookupTable
  }

  package init(directory: String?) { self.directory = directory }

  private func lookups(of definitions: DefinitionSet) -> [LookupDefinition] {
    directory == nil ? [] : definitions.lookups(at: .request).compactMap { definitions.lookup($0) }
  }

  /// Differs when tables may have changed.
  func stamp(of definitions: DefinitionSet) -> String {
    lookups(of: definitions).map { " " + stamp($0) }.joined()
  }

  private func stamp(_ lookup: LookupDefinition) -> String {
    WatchedFile(lookup.path(in: directory!)).stamp ?? "gone"
  }

  /// The directories that hold the tables.
  func directories(of definitions: DefinitionSet) -> [String] {
    Set(lookups(of: definitions).map { WatchedFile($0.path(in: directory!)).directory }).sorted()
  }

  /// Makes the next `load` read all tables.
  func forget() { loaded.withLock { $0 = [:] } }

  /// All tables that are used, by the look-ups' names.
  func load(for definitions: DefinitionSet) throws -> [String: LookupTable] {
    var tables: [LookupDefinition: Loaded] = [:]
    for lookup in lookups(of: definitions) {
      let stamp = stamp(lookup)
      if let known = loaded.withLock({ $0[lookup] }), known.stamp == stamp {
        tables[lookup] = known
      } else {
        tables[lookup] = Loaded(stamp: stamp, table: try LookupTable.load(lookup, directory: directory!))
      }
    }
    loaded.withLock { $0 = tables }
    return Dictionary(uniqueKeysWithValues: tables.map { ($0.key.name, $0.value.table) })
  }
}
