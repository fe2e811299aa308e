import Definitions
import TestSupport

/// Compiles definitions that a test writes in Python, as the author's file `definitions.py`.
enum PythonDefinitions {
  /// What most tests begin with: 12 lines.
  static let prelude = """
    from seqline import *

    log = Source("log", path="raw/*.ndjson", user="user.id", ts="ts", id="id", revision="rev", lateness="3d",
                 fields={"user.id": "int64", "ts": "timestamp[ms]", "id": "string", "rev": "int32", "kind": "string",
                         "dwell": "int32", "item": "int64", "text": "string", "tags[].name": "string",
                         "tags[].weight": "float32"})

    item = Lookup("item", table="items.parquet", key="item_id",
                  columns={"category": "string", "embedding": "float32[4]", "maker_id": "int64"})

    click = EventType("click", source=log, owner="team", retention="90d", dataset="events", where="kind == 'click'",
                      columns={"item_id": "item", "dwell": "dwell", "weight": "1.5"}, enrich=[item.on("item_id")])

    """

  private static let module = AuthoringModule(directory: SharedData.packageRoot + "/python")

  static func compile(_ source: String) throws -> DefinitionSet { try withFile(source) { try module.compile($0) } }

  static func compile(file: String) throws -> DefinitionSet {
    try module.compile("\(SharedData.packageRoot)/\(file)")
  }

  /// What Python hands over for `source`.
  static func declarations(_ source: String) throws -> String {
    try withFile(source) { try module.declarations(of: $0) }
  }

  /// The messages for `source`, one per error.
  static func errors(_ source: String) throws -> [String] {
    try withFile(source) { file in
      do throws(AuthoringError) {
        _ = try module.compile(file)
        return []
      } catch {
        guard case .definitions(let errors) = error else { throw error }
        return errors.errors.map { $0.description.replacing(file, with: "definitions.py") }
      }
    }
  }

  private static func withFile<Result>(_ source: String, _ body: (String) throws -> Result) throws -> Result {
    let directory = TemporaryDirectory()
    directory.write(source, to: "definitions.py")
    return try body(directory.path + "/definitions.py")
  }
}
