import Arrow
import Testing

@Suite struct ArrowArrayTests {
  @Test func aSliceOfAStringColumnReadsItsOwnRows() {
    let array = ArrowArray(["a", nil, "", "wörld", "z"])
    let slice = array.slice(1..<4)
    #expect(slice.count == 3 && slice.nullCount == 1)
    #expect(slice.isNull(0) && slice.string(1) == "" && slice.string(2) == "wörld")
  }

  @Test func nullsOfEveryTypeAreNull() {
    let types: [DataType] = [
      .null, .boolean, .int8, .float16, .utf8, .fixedSizeBinary(byteWidth: 3), .decimal128(precision: 9, scale: 2),
      .list(Field("item", .int32)), .fixedSizeList(Field("item", .float32), count: 4),
      .structure([Field("a", .int8), Field("b", .utf8)]), .dictionary(index: .int8, value: .utf8, isOrdered: false),
    ]
    for type in types {
      let array = ArrowArray(nulls: type, count: 5)
      #expect(array.nullCount == 5 && array.slice(2..<4).nullCount == 2)
    }
  }
}
