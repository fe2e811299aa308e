import Definitions
import Engine

extension StoreDirectory {
  /// Keeps the definitions that the tables are made with, so that readers need nothing but the store.
  ///
  /// Each is written once, under its digest; `CURRENT` names the latest.
  package func keep(_ definitions: DefinitionSet) throws {
    try Self.make(self.definitions)
    let name = definitions.digest + ".json"
    try OpenFile.replaceText(of: self.definitions + "/" + name, with: definitions.text)
    try OpenFile.replaceText(of: self.definitions + "/CURRENT", with: name + "\n")
  }

  /// The definitions that the tables were made with last.
  package func currentDefinitions() throws -> DefinitionSet {
    let name = try OpenFile.text(of: definitions + "/CURRENT").split(separator: "\n").first.map(String.init) ?? ""
    return try DefinitionSet.load(definitions + "/" + name)
  }
}
