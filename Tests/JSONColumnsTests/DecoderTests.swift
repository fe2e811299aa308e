import Arrow
import Buffers
import JSONColumns
import Testing

@Suite struct DecoderTests {
  @Test func fieldsBecomeColumns() throws {
    let decoder = try JSONColumnsDecoder([
      JSONFieldSpec(path: "user.id", type: .int64), JSONFieldSpec(path: "name", type: .string),
    ])
    let text = """
      {"user":{"id":12},"name":"Ann"}
      {"name": "Bö\\u0062", "other": [1, {"x": null}], "user": {"id": -7, "id": 8}}

      {"user":{}}
      """
    decoder.decode(Buffer(Array(text.utf8)))
    let batch = decoder.take()
    #expect(batch.rejections == [])
    #expect(batch.batch.rowCount == 3 && batch.blankCount == 1 && batch.lineCount == 4)
    #expect(batch.batch.columns[0].values.load(0, as: Int64.self) == 12)
    #expect(batch.batch.columns[0].values.load(1, as: Int64.self) == 8)
    #expect(batch.batch.columns[0].isNull(2))
    #expect(batch.batch.columns[1].string(0) == "Ann")
    #expect(batch.batch.columns[1].string(1) == "Böb")
  }
}
