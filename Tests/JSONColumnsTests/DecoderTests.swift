import Arrow
import Buffers
import JSONColumns
import TestSupport
import Testing

/// Decodes `text` at once.
func decode(
  _ text: [UInt8], _ fields: [JSONFieldSpec], byteOffset: Int = 0, firstLine: Int = 1
) throws -> JSONBatch {
  let decoder = try JSONColumnsDecoder(fields)
  decoder.decode(Buffer(text), byteOffset: byteOffset, firstLine: firstLine)
  return decoder.take()
}

func decode(_ text: String, _ fields: [JSONFieldSpec]) throws -> JSONBatch { try decode(Array(text.utf8), fields) }

/// A batch's rows as NDJSON lines.
func lines(_ batch: RecordBatch, _ options: JSONEncodingOptions = JSONEncodingOptions()) -> [String] {
  let encoder = JSONRowEncoder(batch, options: options)
  var output = JSONOutput()
  encoder.appendLines(to: &output)
  return String(decoding: bytes(output.take()), as: UTF8.self).split(separator: "\n").map(String.init)
}

func bytes(_ buffer: Buffer) -> [UInt8] { unsafe buffer.withUnsafeBytes { unsafe Array($0) } }

@Suite struct DecoderTests {
  @Test func fieldsBecomeColumns() throws {
    let result = try decode(
      #"""
      {"user":{"id":12},"name":"Ann"}
      {"name" : "Bö\u0062", "other": [1, {"x": null}], "user": {"id": -7, "id": 8}}

      {"user":{}}
      """#, [JSONFieldSpec(path: "user.id", type: .int64), JSONFieldSpec(path: "name", type: .string)])
    #expect(result.rejections == [])
    #expect(result.blankCount == 1 && result.lineCount == 4)
    #expect(lines(result.batch) == [#"{"user.id":12,"name":"Ann"}"#, #"{"user.id":8,"name":"Böb"}"#, "{}"])
  }

  @Test func theLastOfARepeatedKeyCounts() throws {
    let fields = [
      JSONFieldSpec(path: "a.x", type: .int32), JSONFieldSpec(path: "a.y", type: .string),
      JSONFieldSpec(path: "s", type: .string), JSONFieldSpec(path: "l[]", type: .string),
      JSONFieldSpec(path: "j", type: .json),
    ]
    let text = #"""
      {"a":{"x":1,"y":"u"},"a":{"y":"w"},"s":"one","s":"two","l":["p","q"],"l":["r"],"j":1,"j":{"k":2}}
      {"a":{"x":1},"a":null,"s":"one","s":null,"l":["p"],"l":null,"j":[],"j":null}
      {"a":{"x":1},"a":3,"s":"one","s":4,"l":["p"],"l":"q","j":[],"\u006a":"t"}
      {"s":"s","s":"","a":{"x":5}}
      """#
    let result = try decode(text, fields)
    #expect(
      lines(result.batch) == [
        #"{"a.y":"w","s":"two","l[]":["r"],"j":"{\"k\":2}"}"#, "{}", #"{"j":"\"t\""}"#, #"{"a.x":5,"s":""}"#,
      ])
    #expect(result.mismatches == [1, 1, 1, 1, 0])
  }

  @Test func listsOfOneArrayStandSideBySide() throws {
    let fields = [
      JSONFieldSpec(path: "a.items[].id", type: .int64), JSONFieldSpec(path: "a.items[].name", type: .string),
      JSONFieldSpec(path: "tags", type: .list(.string)), JSONFieldSpec(path: "grid[][]", type: .int8),
      JSONFieldSpec(path: "v", type: .fixedSizeList(.float32, count: 3)),
    ]
    let text = #"""
      {"a":{"items":[{"id":1,"name":"x"},{"name":"y"},null,{"id":4},7]},"tags":["t",null],"grid":[[1,2],[],null],"v":[1,2.5,-3e2]}
      {"a":{"items":[]},"tags":[],"grid":[],"v":[1,2]}
      {"a":{},"v":[1,2,null]}
      {"a":{"items":{}},"tags":"t","grid":[[1],[2,"x"]],"v":[1,2,3,4]}
      """#
    let result = try decode(text, fields)
    #expect(result.rejections == [])
    #expect(
      lines(result.batch) == [
        #"{"a.items[].id":[1,null,null,4,null],"a.items[].name":["x","y",null,null,null],"tags":["t",null],"grid[][]":[[1,2],[],null],"v":[1.0,2.5,-300.0]}"#,
        #"{"a.items[].id":[],"a.items[].name":[],"tags":[],"grid[][]":[]}"#, "{}", #"{"grid[][]":[[1],[2,null]]}"#,
      ])
    #expect(result.mismatches == [2, 2, 1, 1, 3])
  }

  @Test func jsonKeepsTheTextOfAValue() throws {
    let fields = [
      JSONFieldSpec(path: "p", type: .json), JSONFieldSpec(path: "p.id", type: .int64),
      JSONFieldSpec(path: "l[]", type: .json),
    ]
    let text = #"""
      {"p" : {"id": 5, "é": [ "\n" ] } ,"l":[ 1.50 , "x" , null,{}]}
      {"p":"text"  ,"l":[]}
      {"p": -0.5e3 }
      {"p":null}
      """#
    let result = try decode(text, fields)
    #expect(
      lines(result.batch) == [
        ##"{"p":"{\"id\": 5, \"é\": [ \"\\n\" ] }","p.id":5,"l[]":["1.50","\"x\"",null,"{}"]}"##,
        #"{"p":"\"text\"","l[]":[]}"#, #"{"p":"-0.5e3"}"#, "{}",
      ])
    #expect(result.mismatches == [0, 2, 0])
  }

  @Test func aRequiredFieldWithoutItsValueRejectsTheLine() throws {
    let fields = [
      JSONFieldSpec(path: "user.id", type: .int64, isRequired: true), JSONFieldSpec(path: "n", type: .int8),
    ]
    let result = try decode(
      #"""
      {"user":{"id":1},"n":1}
      {"user":{"id":null},"n":2}
      {"user":{},"n":3}
      {"user":{"id":"4"},"n":4}
      {"user":5,"n":"x"}
      {"user":{"id":6},"n":"x"}
      {"n":7}
      """#, fields)
    #expect(lines(result.batch) == [#"{"user.id":1,"n":1}"#, #"{"user.id":6}"#])
    #expect(
      result.rejections.map(\.reason) == [
        "field 'user.id' is null", "field 'user.id' is missing", "field 'user.id' is not an integer of int64",
        "field 'user.id' is not an integer of int64", "field 'user.id' is missing",
      ])
    #expect(result.rejections.map(\.line) == [2, 3, 4, 5, 7])
    #expect(result.mismatches == [0, 1])
  }

  @Test func batchesOfOneDecoderStandAlone() throws {
    let fields = [
      JSONFieldSpec(path: "a", type: .int64), JSONFieldSpec(path: "b", type: .bool),
      JSONFieldSpec(path: "s", type: .string), JSONFieldSpec(path: "l[].x", type: .string),
    ]
    let decoder = try JSONColumnsDecoder(fields)
    for count in [0, 3, 20_000, 0, 1, 5_000, 100, 70_000, 2] {
      let full = (0..<count).map { #"{"a":\#($0),"b":true,"s":"\#($0)","l":[{"x":"y"},{}]}"# }
      let empty = Array(repeating: "{}", count: count / 2)
      decoder.decode(Buffer(Array((full + empty).joined(separator: "\n").utf8)))
      let batch = decoder.take().batch
      #expect(lines(batch) == full.indices.map { #"{"a":\#($0),"b":true,"s":"\#($0)","l[].x":["y",null]}"# } + empty)
    }
  }

  @Test func keysOfAnyShapeAreFound() throws {
    let keys = [
      "a", "ab", "abc", "abcdefg", "abcdefgh", "abcdefgi", "abcdefghijklmno", "abcdefghijklmnop", "abcdefghijklmnoq",
      "abcdefghijklmnop_and_more", "é", "id", "ts", "a b", "x.y", "q\"q", "q\\q", "[]",
    ]
    let paths = keys.map { key in key.map { ".[\\".contains($0) ? "\\\($0)" : "\($0)" }.joined() }
    let fields = paths.map { JSONFieldSpec(path: $0, type: .int32) }
    func quoted(_ text: String) -> String { text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") }
    let line = "{" + keys.enumerated().map { "\"\(quoted($1))\":\($0)" }.joined(separator: ",") + "}"
    let near = "{" + keys.map { "\"\(quoted($0))x\":1,\"x\(quoted($0))\":2" }.joined(separator: ",") + ",\"\":3}"
    let result = try decode(line + "\n" + near + "\n" + line.replacing("\":", with: "\" :"), fields)
    for column in result.batch.columns.indices {
      let array = result.batch.columns[column]
      #expect(array.values.load(0, as: Int32.self) == Int32(column) && array.isNull(1))
      #expect(array.values.load(2, as: Int32.self) == Int32(column))
    }
  }

  @Test func pathsThatCannotBeReadTogetherAreRefused() {
    func reason(_ specs: (String, JSONFieldType)...) -> JSONFieldError.Reason? {
      do throws(JSONFieldError) {
        _ = try JSONColumnsDecoder(specs.map { JSONFieldSpec(path: $0.0, type: $0.1) })
        return nil
      } catch { return error.reason }
    }
    #expect(reason(("a", .int8), ("a", .int8)) == .repeatedPath)
    #expect(reason(("a", .int8), ("a.b", .int8)) == .conflict(with: "a"))
    #expect(reason(("a.b", .int8), ("a", .string)) == .conflict(with: "a.b"))
    #expect(reason(("a[]", .int8), ("a.b", .int8)) == .conflict(with: "a[]"))
    #expect(reason(("a", .json), ("a.b", .int8)) == nil)
    #expect(reason(("a.b", .json), ("a.b", .int8)) == nil)
    for path in ["", ".", "a.", ".a", "a..b", "a[].", "[]"] { #expect(reason((path, .int8)) != nil, "\(path)") }
    for path in ["a[", "a[0]", "a[]b", "[]a"] { #expect(reason((path, .int8)) == .misplacedBracket, "\(path)") }
    #expect(reason(("a\\", .int8)) == .unfinishedEscape)
    #expect(reason(("a", .fixedSizeList(.string, count: 2))) != nil)
  }

  @Test func typesHaveNames() {
    for name in [
      "bool", "uint16", "float64", "json", "timestamp[ms]", "timestamp[rfc3339]", "float32[64]", "list<list<string>>",
    ] {
      #expect(JSONFieldType(name)?.description == name)
    }
    for name in ["", "int", "float32[0]", "string[3]", "float32[-1]", "list<>", "timestamp[ns]", "float32[99999999]"] {
      #expect(JSONFieldType(name) == nil, "\(name)")
    }
  }
}
