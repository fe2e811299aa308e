import Definitions
import Engine
import SequenceStore

/// Where the definitions come from that are served.
package enum DefinitionsOrigin: Sendable {
  /// Those that the store's tables were made with last.
  case store(StoreDirectory)
  case file(String)

  package func load() throws -> DefinitionSet {
    switch self {
    case .store(let store): try store.currentDefinitions()
    case .file(let path): try DefinitionSet.load(path)
    }
  }

  /// Differs when there may be others; nil when that cannot be said now.
  var stamp: String? {
    switch self {
    case .store(let store): return try? OpenFile.text(of: store.definitions + "/CURRENT")
    case .file(let path): return WatchedFile(path).stamp
    }
  }

  /// The directory whose changes call for a look.
  var directory: String {
    switch self {
    case .store(let store): store.definitions
    case .file(let path): WatchedFile(path).directory
    }
  }
}
