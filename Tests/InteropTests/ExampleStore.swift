import JSONText
import TestSupport

/// A directory with `definitions.json` of an example and a store made by piping the commands together.
struct ExampleStore {
  let directory = TemporaryDirectory()
  let example: String

  /// The engagement example, over three days of about 1500 events.
  static func engagement() throws -> ExampleStore {
    let made = try ExampleStore("engagement")
    try made.run("python3 $EXAMPLE/generate.py . --events 1500 --users 60 --items 300")
    try made.index("cat raw/*/*.ndjson")
    return made
  }

  init(_ name: String) throws {
    example = "\(SharedData.packageRoot)/examples/\(name)"
    try run("seq-config compile $EXAMPLE/definitions.py -o definitions.json")
  }

  var path: String { directory.path }
  var store: String { path + "/store" }

  func table(_ dataset: String) -> String { "\(store)/datasets/\(dataset)" }

  /// Runs a script in the directory that has to succeed; answers what it prints.
  @discardableResult func run(_ script: String, _ variables: [String: String] = [:]) throws -> String {
    try directory.runStages(script, adding: ["EXAMPLE": example].merging(variables) { $1 })
  }

  /// Replaces days of the store by what a command prints, through all five stages.
  func index(_ raw: String, days: String = "all", _ variables: [String: String] = [:]) throws {
    try run(
      "\(raw) | seq-ingest | seq-filter | seq-enrich --tables . | seq-assemble | seq-index --replace '\(days)'",
      variables)
  }

  /// Count, checksum and columns of the rows that Seqline reads.
  func rows(_ dataset: String) throws -> JSONValue {
    try run("seq-store cat \(dataset) --format ndjson --timestamps us > \(dataset).ndjson")
    return try Peer.run("rows", "ndjson", "\(path)/\(dataset).ndjson")
  }

  /// The users of a dataset, each once.
  func users(_ dataset: String) throws -> [Int64] {
    let text = try run("seq-store cat \(dataset) --columns '' --format ndjson")
    let rows = try text.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    return Set(rows.compactMap { $0["user_id"]?.integer }).sorted()
  }
}
