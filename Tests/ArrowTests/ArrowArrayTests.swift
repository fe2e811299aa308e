import Arrow
import Buffers
import TestSupport
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

  @Test func arraysAreTheSameInOtherMemory() {
    let types: [DataType] = [
      .null, .boolean, .int16, .utf8, .list(Field("item", .int32)), .fixedSizeList(Field("item", .float32), count: 4),
      .structure([Field("a", .int8), Field("b", .utf8)]), .dictionary(index: .int8, value: .utf8, isOrdered: false),
    ]
    var random = SeededRandom(seed: 5)
    let schema = Schema(types.enumerated().map { Field("column \($0)", $1) })
    let batch = RecordBatch(schema, types.map { random.array($0, count: 90) })
    var places: [Buffer] = []
    let copy = batch.replacingBuffers { buffer in
      places.append(Buffer(copying: buffer.bytes))
      return places[places.count - 1]
    }
    #expect(copy.allRows == batch.allRows && copy.columns.map(\.nullCount) == batch.columns.map(\.nullCount))
    #expect(places.contains { $0.isIdentical(to: copy.columns[2].values) })
    #expect(!copy.columns[2].values.isIdentical(to: batch.columns[2].values))
  }
}
