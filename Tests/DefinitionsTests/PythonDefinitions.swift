import Definitions
import Glibc
import Testing

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

  static func compile(_ source: String) throws -> DefinitionSet {
    let path = try write(source)
    defer { unsafe unlink(path) }
    return try AuthoringModule.find().compile(path)
  }

  /// The messages for `source`, one per error.
  static func errors(_ source: String) throws -> [String] {
    let path = try write(source)
    defer { unsafe unlink(path) }
    do throws(AuthoringError) {
      _ = try AuthoringModule.find().compile(path)
      return []
    } catch {
      guard case .definitions(let errors) = error else { throw error }
      return errors.errors.map { $0.description.replacing(path, with: "definitions.py") }
    }
  }

  private struct CannotWrite: Error {
    var path: String
  }

  private static func write(_ source: String) throws -> String {
    let path = "/tmp/seqline-\(getpid())-\(UInt64.random(in: 0...UInt64.max)).py"
    guard let file = unsafe fopen(path, "w") else { throw CannotWrite(path: path) }
    defer { unsafe fclose(file) }
    unsafe fputs(source, file)
    return path
  }
}
