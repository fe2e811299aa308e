import Arrow
import Buffers
import JSONColumns
import Testing

@Suite struct EncoderTests {
  private func line(_ type: DataType, _ array: ArrowArray, _ options: JSONEncodingOptions = JSONEncodingOptions())
    -> String
  {
    lines(RecordBatch(Schema([Field("x", type)]), [array]), options).joined(separator: " ")
  }

  @Test func stringsAreEscapedAndStayUTF8() {
    let text = "a\"b\\c/\u{01}\u{08}\t\n\u{0C}\r\u{1F}\u{7F}é漢😀 and more than sixteen plain bytes"
    let array = ArrowArray([text, nil, ""])
    #expect(
      line(.utf8, array)
        == #"{"x":"a\"b\\c/\u0001\b\t\n\f\r\u001f\#u{7F}é漢😀 and more than sixteen plain bytes"} {} {"x":""}"#)
    #expect(line(.utf8, array.slice(1..<3), JSONEncodingOptions(writesNulls: true)) == #"{"x":null} {"x":""}"#)
  }

  @Test func badUTF8IsRepaired() {
    var builder = VariableWidthBuilder()
    for bytes in [[0x61, 0xFF, 0x62], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF0, 0x9F, 0x98, 0x80]]
      as [[UInt8]]
    {
      builder.append(Buffer(bytes).bytes)
    }
    let fffd = "\u{FFFD}"
    let expected = ["a\(fffd)b", "\(fffd)\(fffd)", "\(fffd)\(fffd)\(fffd)", "\(fffd)\(fffd)", "😀"]
    #expect(line(.utf8, builder.take()) == expected.map { #"{"x":"\#($0)"}"# }.joined(separator: " "))
  }

  @Test func numbersReadBackAsTheSame() {
    #expect(
      line(.int64, ArrowArray(.int64, [Int64.min, -1, 0, 9, 10, 99, 100, .max]))
        == [Int64.min, -1, 0, 9, 10, 99, 100, .max].map { #"{"x":\#($0)}"# }.joined(separator: " "))
    #expect(
      line(.uint64, ArrowArray(.uint64, [UInt64.max, 10_000_000_000_000_000_000])).contains("18446744073709551615"))
    #expect(
      line(.float64, ArrowArray(.float64, [0.1, -0.0, 1e300, Double.leastNonzeroMagnitude, .nan, .infinity]))
        == #"{"x":0.1} {"x":-0.0} {"x":1e+300} {"x":5e-324} {"x":null} {"x":null}"#)
    #expect(line(.float32, ArrowArray(.float32, [Float(0.1)])) == #"{"x":0.1}"#)
    let halves: [UInt16] = [0x3C00, 0xC000, 0x0001, 0x7BFF, 0x7C00]
    #expect(
      line(.float16, ArrowArray(.float16, halves.map(Optional.some)))
        == #"{"x":1.0} {"x":-2.0} {"x":5.9604645e-08} {"x":65504.0} {"x":null}"#)
    let decimals: [Int128] = [12_345, -5, 0, 100]
    #expect(
      line(
        .decimal128(precision: 9, scale: 3),
        ArrowArray(.decimal128(precision: 9, scale: 3), decimals.map(Optional.some)))
        == #"{"x":12.345} {"x":-0.005} {"x":0.000} {"x":0.100}"#)
  }

  @Test func timesAreRFC3339() {
    let micros: [Int64] = [0, 1_764_547_200_125_000, -1, -62_135_596_800_000_000, 951_782_400_000_001]
    let array = ArrowArray(.timestampMicrosUTC, micros.map(Optional.some))
    #expect(
      line(.timestampMicrosUTC, array)
        == [
          "1970-01-01T00:00:00Z", "2025-12-01T00:00:00.125Z", "1969-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z",
          "2000-02-29T00:00:00.000001Z",
        ].map { #"{"x":"\#($0)"}"# }.joined(separator: " "))
    #expect(
      line(.timestampMicrosUTC, array.slice(1..<3), JSONEncodingOptions(timestamps: .millis))
        == #"{"x":1764547200125} {"x":-1}"#)
    #expect(line(.date32, ArrowArray(.date32, [Int32(-1), 19_782])) == #"{"x":"1969-12-31"} {"x":"2024-02-29"}"#)
    #expect(line(.time32(.milli), ArrowArray(.time32(.milli), [Int32(3_723_004)])) == #"{"x":"01:02:03.004"}"#)
    #expect(
      line(.duration(.milli), ArrowArray(.duration(.milli), [Int64(-1_500), 2_000])) == #"{"x":"-1.500s"} {"x":"2s"}"#)
  }

  @Test func nestedValuesKeepTheirShape() {
    let item = Field("item", .utf8)
    let list = ArrowArray(
      .list(item), count: 3, validity: Bitmap([true, false, true]),
      storage: .list(offsets: Buffer([0, 2, 2, 2] as [Int32]), child: ArrowArray(["a", nil])))
    #expect(line(.list(item), list) == #"{"x":["a",null]} {} {"x":[]}"#)
    #expect(line(.list(item), list.slice(2..<3)) == #"{"x":[]}"#)
    let type = DataType.structure([Field("a", .int32), Field("b", .boolean)])
    let structure = ArrowArray(
      type, count: 2, storage: .structure(children: [ArrowArray(.int32, [Int32(1), nil]), ArrowArray([nil, true])]))
    #expect(line(type, structure) == #"{"x":{"a":1}} {"x":{"b":true}}"#)
    let entries = Field("entries", .structure([Field("key", .utf8), Field("value", .int32)]))
    let map = ArrowArray(
      .map(entries: entries, keysSorted: false), count: 1,
      storage: .list(
        offsets: Buffer([0, 2] as [Int32]),
        child: ArrowArray(
          entries.type, count: 2,
          storage: .structure(children: [ArrowArray(["k", "l"]), ArrowArray(.int32, [Int32(1), nil])]))))
    #expect(line(map.type, map) == #"{"x":{"k":1,"l":null}}"#)
    let dictionary = ArrowArray(
      .dictionary(index: .int8, value: .utf8, isOrdered: false), count: 2,
      storage: .dictionary(indices: Buffer([1, 0] as [Int8]), values: ArrowArray(["p", "q"])))
    #expect(line(dictionary.type, dictionary) == #"{"x":"q"} {"x":"p"}"#)
    var binary = VariableWidthBuilder()
    for count in 0..<4 { binary.append(Buffer([UInt8](repeating: 0xFB, count: count)).bytes) }
    #expect(line(.binary, binary.take(as: .binary)) == #"{"x":""} {"x":"+w=="} {"x":"+/s="} {"x":"+/v7"}"#)
  }

  @Test func aColumnBecomesAnArray() {
    let batch = RecordBatch(
      Schema([Field("a", .int32), Field("b\"", .utf8)]),
      [ArrowArray(.int32, [Int32(1), nil]), ArrowArray(["x", "y"])])
    let encoder = JSONRowEncoder(batch)
    var output = JSONOutput()
    encoder.appendColumn(0, to: &output)
    encoder.appendArray(1..<2, to: &output)
    #expect(String(decoding: bytes(output.take()), as: UTF8.self) == #"[1,null][{"b\"":"y"}]"#)
  }
}
