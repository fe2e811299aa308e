import Arrow
import Definitions
import Testing

@Suite struct TypeTextTests {
  @Test(arguments: [
    "bool", "int8", "uint64", "float16", "string", "binary", "timestamp[us, UTC]", "float32[64]", "list<string>",
    "list<float32[2]>", "list<int64>[3]",
  ])
  func typesAreReadAsTheyAreWritten(text: String) {
    #expect(DataType(text: text)?.description == text)
  }

  @Test(arguments: [
    "", "int", "int128", "float32[0]", "float32[-1]", "float32[99999999]", "float32[]", "list<>", "list<int64",
    "timestamp", "timestamp[ms]",
    String(repeating: "list<", count: 10_000) + "int64" + String(repeating: ">", count: 10_000),
  ])
  func otherTypesAreRefused(text: String) {
    #expect(DataType(text: text) == nil)
  }

  @Test(arguments: ["int32", "timestamp[s]", "timestamp[rfc3339]", "json", "list<timestamp[ms]>", "float32[16]"])
  func fieldTypesAreReadAsTheyAreWritten(text: String) {
    #expect(FieldType(text: text)?.description == text)
  }

  @Test func momentsBecomeMicroseconds() {
    #expect(FieldType(text: "list<timestamp[ms]>")?.arrowType.description == "list<timestamp[us, UTC]>")
  }
}
