import Arrow
import DeltaLog
import JSONText
import Testing

@Suite struct ActionTests {
  static let samples: [Action] = [
    .add(
      AddFile(
        path: "k=A%2520B/x.parquet", partitionValues: ["k": "A B", "n": nil], byteCount: 12, modificationMillis: 34,
        statistics: #"{"numRecords":3}"#, tags: ["t": "1"])),
    .remove(RemoveFile(path: "x.parquet", deletionMillis: 5, partitionValues: ["k": "A"], byteCount: 9)),
    .metadata(
      TableMetadata(
        id: "id", name: "n", summary: "s", schemaString: #"{"type":"struct","fields":[]}"#, partitionColumns: ["k"],
        configuration: ["a": "b"], createdMillis: 7)),
    .tableProtocol(
      TableProtocol(minReaderVersion: 3, minWriterVersion: 7, readerFeatures: ["x"], writerFeatures: ["x", "y"])),
    .transaction(AppTransaction(appID: "app", version: 8, lastUpdatedMillis: 9)),
    .commitInfo(CommitInfo(["operation": "WRITE", "timestamp": 10])),
    .domainMetadata(DomainMetadata(domain: "d", configuration: "{}", removed: false)),
  ]

  @Test(arguments: samples) func anActionReadsAsItWasWritten(_ action: Action) throws {
    let line = try #require(action.line)
    #expect(try Action.parse(commit: line + "\n") == [action])
  }

  @Test func membersAndActionsOfLaterVersionsAreLeftOut() throws {
    let text = """
      {"add":{"path":"p","partitionValues":{},"size":1,"modificationTime":2,"dataChange":false,"baseRowId":4}}

      {"cdc":{"path":"c"}}
      {"brandNew":{"a":[]}}
      """
    let file = AddFile(path: "p", byteCount: 1, modificationMillis: 2, dataChange: false)
    #expect(try Action.parse(commit: text) == [.add(file), .other("cdc"), .other("brandNew")])
  }

  @Test(arguments: [
    "{", "[]", #"{"add":1}"#, #"{"add":{}}"#, #"{"add":{"path":1}}"#, #"{"add":{"path":"p","size":"x"}}"#,
    #"{"protocol":{"minReaderVersion":1}}"#, #"{"txn":{"appId":"a"}}"#, #"{"metaData":{"schemaString":1}}"#,
    #"{"metaData":{"schemaString":"","partitionColumns":[1]}}"#,
  ])
  func aMalformedActionIsAnErrorWithItsLine(_ line: String) {
    let error = #expect(throws: DeltaError.self) { try Action.parse(commit: "\n" + line) }
    #expect(error?.place.hasPrefix("line 2") == true)
  }

  @Test func schemasAreTheSameThereAndBack() throws {
    let entry = DataType.structure([
      Field("key", .utf8, isNullable: false), Field("value", .list(Field("element", .int16))),
    ])
    let schema = Schema([
      Field("a", .int64, isNullable: false, metadata: ["comment": "x"]), Field("b", .utf8), Field("c", .boolean),
      Field("d", .timestamp(.micro, zone: "UTC")), Field("e", .timestamp(.micro, zone: nil)), Field("f", .date32),
      Field("g", .decimal128(precision: 38, scale: 18)), Field("h", .binary), Field("i", .float32),
      Field("j", .list(Field("element", .float64, isNullable: false))), Field("k", .int8),
      Field("l", .map(entries: Field("key_value", entry, isNullable: false), keysSorted: false)),
      Field("m", .structure([Field("n", .int32)])),
    ])
    #expect(try DeltaSchema.parse(DeltaSchema.text(schema)) == schema)
  }

  @Test(arguments: [
    #"{"type":"struct"}"#, #"{"type":"struct","fields":[{"name":"a"}]}"#,
    #"{"type":"struct","fields":[{"name":"a","type":"interval"}]}"#,
    #"{"type":"struct","fields":[{"name":"a","type":"decimal(39,0)"}]}"#,
    #"{"type":"struct","fields":[{"name":"a","type":"decimal()"}]}"#,
    #"{"type":"struct","fields":[{"name":"a","type":{"type":"array"}}]}"#, "x",
  ])
  func aMalformedSchemaIsAnError(_ text: String) {
    #expect(throws: DeltaError.self) { try DeltaSchema.parse(text) }
  }

  @Test func additionsKeepTheRestOfTheSchema() throws {
    let text = #"{"type":"struct","fields":[{"name":"a","type":"long","nullable":true,"metadata":{"n":1}}]}"#
    let added = try DeltaSchema.adding([Field("b", .utf8)], to: text)
    #expect(try JSONValue(parsing: added)["fields"]?.array?.first == JSONValue(parsing: text)["fields"]?.array?.first)
    #expect(try DeltaSchema.parse(added).fields.map(\.name) == ["a", "b"])
  }

  @Test func typesThatDeltaHasNotGotAreStoredWider() {
    #expect(DeltaSchema.stored(as: .fixedSizeList(Field("item", .float16), count: 4)) == .list(Field("item", .float32)))
    #expect(DeltaSchema.stored(as: .uint32) == .int64)
    #expect(DeltaSchema.stored(as: .timestamp(.nano, zone: "Europe/Berlin")) == .timestamp(.micro, zone: "UTC"))
    #expect(DeltaSchema.stored(as: .uint64) == nil)
  }
}
