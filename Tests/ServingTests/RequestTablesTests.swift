import Glibc
import JSONText
import TestSupport
import Testing

/// Columns that are looked up when events are read, from tables that change.
@Suite struct RequestTablesTests {
  private static let definitions = """
    from seqline import *
    log = Source("log", path="raw/*.ndjson", user="user", ts="ts", id="id", lateness="3d",
                 fields={"user": "int64", "ts": "timestamp[ms]", "id": "string", "item": "int64"})
    item = Lookup("item", table="items.csv", key="item_id", columns={"category": "string"})
    EventType("click", source=log, owner="team", retention="90d", columns={"item_id": "item"},
              enrich=[item.on("item_id", at="request"), Derive("shout", "category + '!'", at="request")])
    Sequence("s", owner="team", events=["click"], max_length=9, columns=["item_id", "category", "shout"])
    """
  private let directory = TemporaryDirectory()

  init() throws {
    directory.write(Self.definitions, to: "definitions.py")
    let events = (1...3).map {
      #"{"user": 1, "ts": \#(1_795_000_000_000 + $0), "id": "\#($0)", "item": \#($0)}"# + "\n"
    }
    directory.write(events.joined(), to: "raw.ndjson")
    try run("seq-config compile definitions.py -o definitions.json")
    try run("seq-filter raw.ndjson | seq-enrich | seq-assemble | seq-index --replace all")
  }

  @discardableResult private func run(_ script: String) throws -> String {
    try directory.runStages(script)
  }

  /// Puts a table in the place of the one that is there, whole.
  private func replaceTable(_ text: String) throws {
    directory.write(text, to: "next.csv")
    try run("mv next.csv items.csv")
  }

  private func server(_ more: String...) throws -> RunningServer {
    try RunningServer(
      ["--store", directory.path + "/store", "--definitions", directory.path + "/definitions.json"] + more,
      in: directory.path)
  }

  private func waitUntil(_ condition: () throws -> Bool) throws -> Bool {
    for _ in 0..<600 {
      if try condition() { return true }
      usleep(50_000)
    }
    return false
  }

  @Test func aTableThatChangesIsReadAnewAndOneThatIsDamagedIsNot() throws {
    try replaceTable("item_id,category\n1,cups\n2,pots\n")
    let server = try server("--tables", directory.path)
    let client = try HTTPClient(port: server.port)
    func shouts(_ query: String = "") throws -> [JSONValue] {
      try client.get("/v1/sequences/s/users/1?until=2027-01-01T00:00:00Z\(query)").json["events"]?.array?
        .map { $0["shout"] ?? .null } ?? []
    }
    #expect(try shouts() == ["cups!", "pots!", .null])
    #expect(try shouts("&columns=shout&last=2") == ["pots!", .null])
    try replaceTable("item_id,category\n1,mugs\n3,pans\n")
    #expect(try waitUntil { try shouts() == ["mugs!", .null, "pans!"] })
    try replaceTable("item_id,kind\n1,jars\n")
    #expect(try waitUntil { server.messages.contains("there is no column 'category'") })
    #expect(try shouts() == ["mugs!", .null, "pans!"])
    try replaceTable("item_id,category\n2,jars\n")
    #expect(try waitUntil { try shouts() == [.null, "jars!", .null] })
    #expect(server.messages.split(separator: "\n").count { $0.contains("no column 'category'") } == 1)
    #expect(server.stop() == 0)
  }

  @Test func withoutTheTablesNothingStarts() throws {
    let failure = #expect(throws: ProgramFailure.self) { try server() }
    #expect(failure?.description.contains("sequence 's' shows columns of lookup 'item'") == true)
    let result = try Shell.run(
      "seq-store cat | seq-assemble --sequence s --format ndjson", in: directory.path,
      environment: [
        "SEQ_DEFINITIONS": directory.path + "/definitions.json", "SEQ_STORE": directory.path + "/store",
      ])
    #expect(!result.hasSucceeded && "\(result)".contains("with --tables"))
  }

  @Test func coverageIsCountedPerLookUp() throws {
    try replaceTable("item_id,category\n1,cups\n")
    let summary = try run(
      "seq-store cat | seq-assemble --sequence s --tables . --format ndjson --log-format json 2>&1 >/dev/null")
    #expect(summary.contains(#""coverage":{"item":{"hits":1,"misses":2}}"#), "\(summary)")
  }
}
