import Arrow
import Buffers
import Definitions
import Engine
import JSONText
import TestSupport

/// Definitions that a test writes in Python, and what becomes of text under them.
struct Pipeline {
  let definitions: DefinitionSet
  var source: SourceDefinition { definitions.sources[0] }

  /// - Parameters:
  ///   - source: arguments of the source besides its name, path and lateness.
  ///   - rest: what follows, with the source as `log`.
  init(source: String = Pipeline.plainSource, _ rest: String) throws {
    let text = """
      from seqline import *
      log = Source("log", path="*.ndjson", lateness="1d", \(source))
      \(rest)
      """
    let directory = TemporaryDirectory()
    directory.write(text, to: "definitions.py")
    let module = AuthoringModule(directory: SharedData.packageRoot + "/python")
    definitions = try module.compile(directory.path + "/definitions.py")
  }

  /// Ids, a revision, an arrival and a type, and three values.
  static let plainSource = """
    user="user", ts="ts", id="id", revision="rev", arrival="seen", type="type",
        fields={"user": "int64", "ts": "timestamp[us]", "id": "string", "rev": "int32", "seen": "timestamp[us]",
                "type": "string", "n": "int64", "text": "string", "x": "float64"}
    """

  /// Two types of one shape.
  static let clickAndSave = """
    for name in ["click", "save"]:
        EventType(name, source=log, owner="t", retention="9d", dataset="d", where=f"type == '{name}' && n > 10",
                  columns={"n": "n", "label": "'kind ' + type"})
    """

  func filter() throws -> EventFilter {
    try EventFilter(definitions.eventTypes(source: source.name), source: source, definitions: definitions)
  }

  /// Raw events of NDJSON lines, all of which must be good.
  func raw(_ lines: [String], fields: [SourceField]? = nil) throws -> RecordBatch {
    let decoder = try RawDecoder(source, fields: fields ?? source.fields, definitions: definitions)
    let text = Buffer(Array(lines.joined(separator: "\n").utf8))
    decoder.decode(text.bytes, byteOffset: 0)
    let (raw, decoded) = decoder.take()
    precondition(decoded.rejections.isEmpty, "\(decoded.rejections)")
    return raw
  }

  /// The events of NDJSON lines, and the account.
  func events(_ lines: [String]) throws -> (batches: [RecordBatch], report: RunReport) {
    var report = RunReport()
    let filter = try filter()
    let batches = try filter.events(of: raw(lines, fields: filter.fields), report: &report)
    return (batches, report)
  }
}

extension [RecordBatch] {
  var rows: [JSONValue] { flatMap(\.allRows) }

  /// The values of one column of all rows.
  func values(_ column: String) -> [JSONValue] { flatMap { $0[column]?.allValues ?? [] } }

  func strings(_ column: String) -> [String?] { values(column).map(\.string) }
  func integers(_ column: String) -> [Int64?] { values(column).map(\.integer) }
}

/// XXH64 of text as an event key.
func key(_ text: String) -> Int64 { Int64(bitPattern: XXHash64.hash(Buffer(Array(text.utf8)).bytes)) }
