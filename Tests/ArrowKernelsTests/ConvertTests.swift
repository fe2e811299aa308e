import Arrow
import ArrowKernels
import Buffers
import JSONText
import TestSupport
import Testing

@Suite struct ConvertTests {
  static let integers: [DataType] = [.int8, .uint8, .int16, .uint16, .int32, .uint32, .int64, .uint64]

  @Test(arguments: integers, integers)
  func integersThatFitKeepTheirValueAndOthersAreNull(from: DataType, to: DataType) throws {
    let values: [Int64] = [
      0, 1, -1, 127, 128, -128, -129, 255, 256, 32_767, 32_768, -32_768, 65_535, 65_536, 1 << 31, (1 << 31) - 1,
      1 << 32,
    ]
    let wide = ArrowArray(.int64, values.map { Optional($0) } + [nil, .max, .min])
    let source = try wide.cast(to: from, overflow: .null)
    let target = try source.cast(to: to, overflow: .null)
    for row in 0..<source.count where target.isValid(row) { #expect(target.value(at: row) == source.value(at: row)) }
    let direct = try wide.cast(to: to, overflow: .null)
    for row in 0..<source.count where source.isValid(row) { #expect(target.value(at: row) == direct.value(at: row)) }
    if target.nullCount > source.nullCount {
      #expect(throws: CastError.self) { try source.cast(to: to) }
    }
  }

  @Test func anOverflowNamesItsRow() {
    let array = ArrowArray(.int32, [1, nil, Int32(300)])
    #expect(throws: CastError.outOfRange(row: 2, to: .uint8)) { try array.cast(to: .uint8) }
    #expect(throws: CastError.unsupported(from: .int32, to: .utf8)) { try array.cast(to: .utf8) }
  }

  @Test func timesChangeTheirUnitRoundingDown() throws {
    let millis = ArrowArray(.timestamp(.milli, zone: nil), [Int64(1_500), -1, nil, .max])
    let seconds = try millis.cast(to: .timestamp(.second, zone: nil))
    #expect(seconds.allValues == [1, -1, .null, .integer(.max / 1000)])
    let micros = try millis.cast(to: .timestampMicrosUTC, overflow: .null)
    #expect(micros.allValues == [1_500_000, -1_000, .null, .null])
    let days = try ArrowArray(.timestampMicrosUTC, [Int64(-1), 86_400_000_000]).cast(to: .date32)
    #expect(days.type == .date32 && days.allValues == [-1, 1])
    #expect(try days.cast(to: .timestampMicrosUTC).allValues == [-86_400_000_000, 86_400_000_000])
  }

  @Test func floatsRound() throws {
    let floats = ArrowArray(.float32, [Float(1.5), 65_504, 1e6, nil, 0.1])
    #expect(try floats.cast(to: .float16).allValues == [1.5, 65_504.0, "inf", .null, .number(Double(Float16(0.1)))])
    #expect(try ArrowArray(.int64, [(Int64(1) << 53) + 1, 3]).cast(to: .float64).allValues == [.number(0x1p53), 3.0])
    let vectors = ArrowArray(
      .fixedSizeList(Field("item", .float32), count: 2), count: 2,
      storage: .fixedSizeList(child: ArrowArray(.float32, [Float(1), 2, 3, 4])))
    let halves = try vectors.cast(to: .fixedSizeList(Field("item", .float16), count: 2))
    #expect(halves.allValues == [[1.0, 2.0], [3.0, 4.0]])
  }

  @Test(arguments: SeededRandom.allTypes, [0, 1, 64, 200])
  func dictionariesHoldWhatWasEncoded(type: DataType, count: Int) throws {
    var random = SeededRandom(seed: UInt64(count))
    for nullEvery in [0, 4] {
      let array = random.array(type, count: count, nullEvery: nullEvery)
      let encoded = try #require(array.dictionaryEncoded())
      #expect(encoded.allValues == array.allValues)
      #expect(encoded.decoded().allValues == array.allValues)
      let slice = encoded.slice(0..<count / 2).compacted()
      #expect(slice.allValues == Array(array.allValues.prefix(count / 2)))
      if type.valueType == type {
        #expect(slice.children[0].count == Set(slice.allValues.filter { !$0.isNull }).count)
      }
    }
  }

  @Test func tooManyValuesForTheIndicesAreRefused() {
    let array = ArrowArray((0..<129).map { "\($0)" })
    #expect(array.dictionaryEncoded(index: .int8) == nil)
    #expect(array.slice(0..<128).dictionaryEncoded(index: .int8)?.allValues == array.slice(0..<128).allValues)
  }

  @Test func nullsInADictionaryStayNull() {
    let values = ArrowArray(["a", nil, "b"])
    let type = DataType.dictionary(index: .int8, value: .utf8, isOrdered: false)
    let array = ArrowArray(
      type, count: 4, validity: Bitmap([true, true, false, true]),
      storage: .dictionary(indices: Buffer([Int8(0), 1, 99, 2]), values: values))
    let other = ArrowArray(
      type, count: 1, storage: .dictionary(indices: Buffer([Int8(0)]), values: ArrowArray(["b"])))
    #expect(ArrowArray.concatenate([array, other]).allValues == ["a", .null, .null, "b", "b"])
    #expect(array.decoded().allValues == ["a", .null, .null, "b"])
    let rows = Buffer([
      RowReference(source: 0, row: 1), RowReference(source: 1, row: 0), RowReference(source: 0, row: 3),
    ])
    #expect(ArrowArray.interleave([array, other], rows).allValues == [.null, "b", "b"])
  }

  @Test(
    arguments: [
      DataType.list(Field("item", .utf8)), .fixedSizeList(Field("item", .float32), count: 4),
      .list(Field("item", .list(Field("item", .int8)))),
    ], [0, 1, 100])
  func explodingGivesARowPerElement(type: DataType, count: Int) {
    var random = SeededRandom(seed: UInt64(count))
    for (nullEvery, keepingEmpty) in [(0, false), (0, true), (4, false), (4, true)] {
      let array = random.array(type, count: count, nullEvery: nullEvery)
      let exploded = array.exploded(keepingEmpty: keepingEmpty)
      var expected: [(Int32, JSONValue)] = []
      for row in 0..<count {
        let elements = array.value(at: row).array ?? []
        if elements.isEmpty && keepingEmpty { expected.append((Int32(row), .null)) }
        expected += elements.map { (Int32(row), $0) }
      }
      #expect(exploded.elements.allValues == expected.map(\.1))
      #expect(exploded.rows == Buffer(expected.map(\.0)))
    }
  }

  @Test func repeatingRows() {
    #expect(Buffer.repeatIndices(Buffer([Int32(2), 0, 3])) == Buffer([Int32(0), 0, 2, 2, 2]))
  }
}
