import Arrow
import Buffers
import TestSupport
import Testing

@Suite struct IPCStreamTests {
  @Test(arguments: SeededRandom.allTypes, [0, 1, 7, 64, 100])
  func aStreamReturnsWhatWentIn(type: DataType, count: Int) throws {
    var random = SeededRandom(seed: UInt64(count))
    let schema = Schema([Field("column", type, metadata: ["a": "b"])], metadata: ["seq.kind": "event", "x": "wörld"])
    let batches = [0, 1, 5].map { nulls in
      RecordBatch(schema, [random.array(type, count: count, nullEvery: nulls)])
    }
    let stream = IPCStreamEncoder.encode(schema: schema, batches: batches)
    let (found, copies) = try IPCStreamDecoder.decode(stream, options: IPCDecodingOptions(validatesText: true))
    #expect(found == schema)
    #expect(copies.map(\.allRows) == batches.map(\.allRows))
  }

  @Test func everyTypeOfTheSchemaSurvives() throws {
    let types: [DataType] = [
      .date64, .time32(.second), .time32(.milli), .time64(.micro), .time64(.nano), .duration(.second),
      .duration(.nano), .timestamp(.nano, zone: nil), .timestamp(.second, zone: "Europe/Paris"), .int16, .uint8,
      .uint32, .decimal128(precision: 38, scale: -3), .fixedSizeBinary(byteWidth: 0),
      .fixedSizeList(Field("x", .null), count: 0), .structure([]),
      .dictionary(
        index: .uint64, value: .structure([Field("d", .dictionary(index: .int16, value: .utf8, isOrdered: true))]),
        isOrdered: true),
    ]
    let fields = types.enumerated().map { Field("f\($0)", $1, isNullable: $0 % 2 == 0) }
    let schema = Schema(fields)
    let batch = RecordBatch(schema, types.map { ArrowArray(nulls: $0, count: 3) })
    let stream = IPCStreamEncoder.encode(schema: schema, batches: [batch])
    let (found, batches) = try IPCStreamDecoder.decode(stream)
    #expect(found == schema && batches[0].allRows == batch.allRows)
  }

  @Test func streamsOfManySchemasInTurnKeepTheirOwn() throws {
    let schemas = (0..<24).map { Schema([Field("n\($0 % 12)", .int64)], metadata: ["turn": "\($0)"]) }
    for schema in schemas + schemas.reversed() + schemas {
      let batch = RecordBatch(schema, [ArrowArray(.int64, [1, 2] as [Int64?])])
      let (found, batches) = try IPCStreamDecoder.decode(IPCStreamEncoder.encode(schema: schema, batches: [batch]))
      #expect(found == schema && batches[0].schema == schema && batches[0].rowCount == 2)
    }
  }

  @Test func whatColumnsShareIsWrittenOnce() throws {
    var random = SeededRandom(seed: 3)
    let times = random.array(.int64, count: 1_000)
    let schema = Schema([Field("ts", .int64), Field("seen_at", .int64)])
    let stream = IPCStreamEncoder.encode(
      schema: schema, batches: [RecordBatch(schema, [times, times], rowCount: 1_000)])
    #expect(stream.byteCount < 12_000)
    let found = try IPCStreamDecoder.decode(stream).batches[0]
    #expect(found.columns.map(\.allValues) == [times.allValues, times.allValues])
    #expect(found.columns[0].values.isIdentical(to: found.columns[1].values))
  }

  @Test func aBatchWithoutColumnsKeepsItsRowCount() throws {
    let schema = Schema([])
    let stream = IPCStreamEncoder.encode(schema: schema, batches: [RecordBatch(schema, [], rowCount: 7)])
    #expect(try IPCStreamDecoder.decode(stream).batches.map(\.rowCount) == [7])
  }

  @Test func aStreamWithoutBatchesIsItsSchema() throws {
    let schema = Schema([Field("d", .dictionary(index: .int8, value: .utf8, isOrdered: false))])
    let (found, batches) = try IPCStreamDecoder.decode(IPCStreamEncoder.encode(schema: schema, batches: []))
    #expect(found == schema && batches.isEmpty)
  }

  @Test func bodiesLieAtMultiplesOf64AndAreShared() throws {
    let schema = Schema([Field("n", .int64), Field("s", .utf8)])
    let batch = RecordBatch(schema, [ArrowArray(.int64, [1, nil, 3] as [Int64?]), ArrowArray(["a", "b", nil])])
    let stream = IPCStreamEncoder.encode(schema: schema, batches: [batch])
    let column = try IPCStreamDecoder.decode(stream).batches[0].columns[0]
    #expect(column.values.isAligned(to: 64))
    let options = IPCDecodingOptions(maximumByteCount: 0)
    #expect(throws: Never.self) { try IPCStreamDecoder.decode(stream, options: options) }
  }

  @Test func aMisalignedStreamIsCopiedIntoPlace() throws {
    let schema = Schema([Field("n", .int64)])
    let batch = RecordBatch(schema, [ArrowArray(.int64, [1, nil, 3] as [Int64?])])
    var builder = BufferBuilder()
    builder.append(UInt8(0))
    builder.append(IPCStreamEncoder.encode(schema: schema, batches: [batch]))
    let bytes = builder.finish()
    let column = try IPCStreamDecoder.decode(bytes.slice(1..<bytes.byteCount)).batches[0].columns[0]
    #expect(column.values.isAligned(to: 8) && column.allValues == [1, .null, 3])
  }

  @Test func aDictionaryIsSentAgainOnlyWhenItChanges() throws {
    let type = DataType.dictionary(index: .int32, value: .utf8, isOrdered: false)
    let schema = Schema([Field("d", type)])
    func batch(_ indices: [Int32], _ values: ArrowArray) -> RecordBatch {
      let storage = ArrowArray.Storage.dictionary(indices: Buffer(indices), values: values)
      return RecordBatch(schema, [ArrowArray(type, count: indices.count, storage: storage)])
    }
    let long = ArrowArray([String(repeating: "long", count: 1_000)])
    let other = ArrowArray(["x", "y"])
    let batches = [batch([0, 0], long), batch([0], long), batch([1, 0], other)]
    let stream = IPCStreamEncoder.encode(schema: schema, batches: batches)
    #expect(stream.byteCount < 8_000)
    #expect(try IPCStreamDecoder.decode(stream).batches.map(\.allRows) == batches.map(\.allRows))
  }

  @Test func aDictionaryWithinADictionaryMayChange() throws {
    let inner = DataType.dictionary(index: .int8, value: .utf8, isOrdered: false)
    let outer = DataType.dictionary(index: .int16, value: .list(Field("item", inner)), isOrdered: false)
    let schema = Schema([Field("d", outer), Field("s", .structure([Field("d", inner)]))])
    func batch(_ words: [String?]) -> RecordBatch {
      let items = ArrowArray(
        inner, count: 3, storage: .dictionary(indices: Buffer([1, 0, 1] as [Int8]), values: ArrowArray(words)))
      let lists = ArrowArray(
        .list(Field("item", inner)), count: 2, storage: .list(offsets: Buffer([0, 2, 3] as [Int32]), child: items))
      let column = ArrowArray(
        outer, count: 3, storage: .dictionary(indices: Buffer([1, 0, 0] as [Int16]), values: lists))
      return RecordBatch(
        schema, [column, ArrowArray(schema.fields[1].type, count: 3, storage: .structure(children: [items]))])
    }
    let batches = [batch(["a", "b"]), batch(["c", nil]), batch(["a", "b", "unused"])]
    let stream = IPCStreamEncoder.encode(schema: schema, batches: batches)
    #expect(try IPCStreamDecoder.decode(stream).batches.map(\.allRows) == batches.map(\.allRows))
  }

  @Test func textIsCheckedOnRequest() throws {
    let schema = Schema([Field("s", .utf8)])
    for bytes: [UInt8] in [[0xFF, 0x41], [0xC3, 0xB6]] {
      let storage = ArrowArray.Storage.variable(offsets: Buffer([0, 1, 2] as [Int32]), data: Buffer(bytes))
      let batch = RecordBatch(schema, [ArrowArray(.utf8, count: 2, storage: storage)])
      let stream = IPCStreamEncoder.encode(schema: schema, batches: [batch])
      #expect(throws: Never.self) { try IPCStreamDecoder.decode(stream) }
      let error = #expect(throws: IPCError.self) {
        try IPCStreamDecoder.decode(stream, options: IPCDecodingOptions(validatesText: true))
      }
      #expect(error?.reason == .notUTF8)
    }
  }

  @Test func indicesOfNullsNeedNotBeWithinTheDictionary() throws {
    let type = DataType.dictionary(index: .int8, value: .utf8, isOrdered: false)
    let storage = ArrowArray.Storage.dictionary(indices: Buffer([1, 99, 0] as [Int8]), values: ArrowArray(["a", "b"]))
    let schema = Schema([Field("d", type)])
    for (validity, isFine) in [(Bitmap([true, false, true]), true), (Bitmap([false, true, true]), false)] {
      let array = ArrowArray(type, count: 3, validity: validity, storage: storage)
      let stream = IPCStreamEncoder.encode(schema: schema, batches: [RecordBatch(schema, [array])])
      let found = try? IPCStreamDecoder.decode(stream).batches[0].columns[0]
      #expect((found != nil) == isFine)
      #expect(found?.allValues ?? ["b", .null, "a"] == ["b", .null, "a"])
      #expect(found?.dictionaryIndex(1) ?? 0 == 0)
    }
  }
}
