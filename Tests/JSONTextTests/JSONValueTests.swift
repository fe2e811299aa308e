import JSONText
import Testing

@Suite struct JSONValueTests {
  @Test(arguments: [
    #"{"a":[1,-2.5,true,null,"é\"\\\n"],"b":{}}"#, "[]", "0", "-9223372036854775808", #""𝄞""#, "{\"\":0}",
  ])
  func canonicalTextParsesToItself(text: String) throws {
    let value = try JSONValue(parsing: text)
    #expect(value.text == text)
    #expect(try JSONValue(parsing: value.indentedText) == value)
  }

  @Test(arguments: [
    "", "{", "[1,]", "01", "1.", "+1", "tru", #""\x""#, #""\ud800""#, "{\"a\":1,\"a\":2}", "1 2", "nul", "\"\n\"",
    String(repeating: "[", count: 100_000),
  ])
  func rubbishIsRefused(text: String) {
    #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
  }

  @Test func escapesAndSurrogatePairsAreDecoded() throws {
    #expect(try JSONValue(parsing: #" "\u00e9\ud834\udd1e\/" "#) == "é𝄞/")
  }
}
