import Arrow
import Buffers
import JSONText
import Parquet
import TestSupport
import Testing

/// What the writer wrote, the reader reads.
@Suite struct ParquetRoundTripTests {
  /// The values of column `name`, read back.
  static func values(_ bytes: Buffer, _ name: String) throws -> [JSONValue] {
    let reader = try ParquetReader(bytes)
    var values: [JSONValue] = []
    try reader.forEachBatch(columns: reader.columns([name]), limit: 777) { values += $0.columns[0].allValues }
    return values
  }

  /// `batch` in pieces of random size.
  static func cut(_ batch: RecordBatch, _ random: inout SeededRandom) -> [RecordBatch] {
    var pieces: [RecordBatch] = []
    var start = 0
    repeat {
      let end = min(batch.rowCount, start + Int.random(in: 0...700, using: &random))
      pieces.append(batch.slice(start..<end))
      start = end
    } while start < batch.rowCount
    return pieces
  }

  @Test(arguments: SeededRandom.allTypes, [0, 2, 9])
  func everyTypeComesBack(type: DataType, nullEvery: Int) throws {
    var random = SeededRandom(seed: UInt64(nullEvery + 1))
    let array = random.array(type, count: 2600, nullEvery: nullEvery)
    let batch = RecordBatch(Schema([Field("x", type)]), [array])
    var options = ParquetWriterOptions()
    options.pageRowCount = 100
    options.rowGroupRowCount = 1250
    let file = try WrittenFile.write(Self.cut(batch, &random), options: options)
    #expect(file.metadata.rowGroups.map(\.rowCount) == [1250, 1250, 100])
    #expect(try Self.values(file.bytes, "x") == array.allValues)
  }

  static let encodings: [(DataType, Encoding)] = [
    (.boolean, .plain), (.boolean, .rle), (.int32, .plain), (.int32, .deltaBinaryPacked), (.int32, .byteStreamSplit),
    (.int32, .rleDictionary), (.int64, .plain), (.int64, .deltaBinaryPacked), (.int64, .byteStreamSplit),
    (.int64, .rleDictionary), (.uint8, .deltaBinaryPacked), (.uint64, .deltaBinaryPacked), (.float32, .byteStreamSplit),
    (.float64, .byteStreamSplit), (.float64, .rleDictionary), (.utf8, .plain), (.utf8, .deltaLengthByteArray),
    (.utf8, .deltaByteArray), (.utf8, .rleDictionary), (.fixedSizeBinary(byteWidth: 5), .byteStreamSplit),
    (.fixedSizeBinary(byteWidth: 5), .deltaByteArray), (.float16, .byteStreamSplit),
    (.list(Field("item", .int32)), .deltaBinaryPacked), (.list(Field("item", .utf8)), .rleDictionary),
  ]

  @Test(arguments: encodings.indices, [1, 31, 128, 129, 1024, 3000])
  func everyEncodingComesBack(index: Int, rowCount: Int) throws {
    let (type, encoding) = Self.encodings[index]
    var random = SeededRandom(seed: UInt64(rowCount))
    let array = Self.extremes(type, rowCount, &random) ?? random.array(type, count: rowCount, nullEvery: 7)
    var options = ParquetWriterOptions()
    options.columns["x", default: .init()].encoding = encoding
    let file = try WrittenFile.write([RecordBatch(Schema([Field("x", type)]), [array])], options: options)
    let used = try #require(file.metadata.rowGroups[0].columns[0].metadata).encodings
    #expect(used.contains(encoding))
    #expect(try Self.values(file.bytes, "x") == array.allValues)
  }

  /// Integers of every width, the smallest and largest beside each other.
  static func extremes(_ type: DataType, _ count: Int, _ random: inout SeededRandom) -> ArrowArray? {
    func values<Value: FixedWidthInteger & BitwiseCopyable>(_: Value.Type) -> [Value?] {
      (0..<count).map { _ in
        let value = Value.random(in: .min ... .max, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return nil
        case 1: return .min
        case 2: return .max
        default: return value >> Value(Int.random(in: 0..<Value.bitWidth, using: &random))
        }
      }
    }
    switch type {
    case .int32: return ArrowArray(type, values(Int32.self))
    case .int64: return ArrowArray(type, values(Int64.self))
    case .uint64: return ArrowArray(type, values(UInt64.self))
    case .uint8: return ArrowArray(type, values(UInt8.self))
    default: return nil
    }
  }

  @Test(arguments: [CompressionCodec.uncompressed, .snappy, .gzip, .zstd, .lz4Raw])
  func everyCodecComesBack(codec: CompressionCodec) throws {
    var random = SeededRandom(seed: 3)
    let type = DataType.list(Field("item", .utf8))
    let array = random.array(type, count: 3000)
    var options = ParquetWriterOptions()
    options.codec = codec
    let file = try WrittenFile.write([RecordBatch(Schema([Field("x", type)]), [array])], options: options)
    #expect(try Self.values(file.bytes, "x") == array.allValues)
  }

  @Test func sameRowsGiveTheSameBytesHoweverTheyAreCut() throws {
    var random = SeededRandom(seed: 11)
    let fields = SeededRandom.allTypes.enumerated().map { Field("c\($0)", $1) }
    let batch = RecordBatch(Schema(fields), fields.map { random.array($0.type, count: 4000) })
    var options = ParquetWriterOptions()
    options.rowGroupRowCount = 3000
    let whole = try WrittenFile.write([batch], options: options)
    var context = ParquetEncoderContext()
    for _ in 0..<3 {
      let cut = try WrittenFile.write(Self.cut(batch, &random), options: options, using: &context)
      #expect(cut.bytes == whole.bytes)
    }
  }

  @Test func dictionaryArraysGiveTheBytesOfTheirValues() throws {
    let words = ArrowArray(["a", "bb", nil, "dddd"])
    let indices = (0..<3000).map { Int32($0 * 7 % 4) }
    let validity = Bitmap((0..<3000).map { $0 % 5 != 0 })
    let type = DataType.dictionary(index: .int32, value: .utf8, isOrdered: false)
    let encoded = ArrowArray(
      type, count: 3000, validity: validity, storage: .dictionary(indices: Buffer(indices), values: words))
    let plain = ArrowArray(
      (0..<3000).map { $0 % 5 != 0 && indices[$0] != 2 ? words.string(Int(indices[$0])) : nil })
    let first = try WrittenFile.write([RecordBatch(Schema([Field("x", type)]), [encoded])])
    let second = try WrittenFile.write([RecordBatch(Schema([Field("x", .utf8)]), [plain])])
    #expect(first.bytes == second.bytes)
    #expect(try Self.values(first.bytes, "x") == plain.allValues)
  }

  /// Lists of one length, many of them repeated: the pages whose matches the writer finds itself.
  @Test(arguments: [1, 5, 100, 5000], [Encoding.plain, .byteStreamSplit])
  func repeatedListsComeBack(distinctCount: Int, encoding: Encoding) throws {
    var random = SeededRandom(seed: UInt64(distinctCount))
    let (rowCount, length) = (5000, 64)
    let lists = (0..<distinctCount).map { _ in (0..<length).map { _ in Float.random(in: -1...1, using: &random) } }
    var child: [Float] = []
    var list = ListBuilder()
    for row in 0..<rowCount {
      if row % 11 == 0 {
        list.close(childCount: child.count, isValid: row % 2 == 0)
      } else {
        child += lists.randomElement(using: &random)!
        list.close(childCount: child.count)
      }
    }
    let type = DataType.list(Field("item", .float32))
    let floats = ArrowArray(.float32, count: child.count, storage: .fixed(Buffer(child)))
    let array = list.take(as: type, child: floats)
    var options = ParquetWriterOptions()
    options.columns["x", default: .init()].encoding = encoding
    options.columns["x", default: .init()].pageRowCount = 4096
    let file = try WrittenFile.write([RecordBatch(Schema([Field("x", type)]), [array])], options: options)
    #expect(try Self.values(file.bytes, "x") == array.allValues)
    if distinctCount <= 100 { #expect(file.bytes.byteCount < distinctCount * length * 4 * 2 + rowCount * 12 + 2000) }
  }

  @Test func listsOfADictionaryGiveTheBytesOfTheirValues() throws {
    var random = SeededRandom(seed: 21)
    let valueType = DataType.fixedSizeList(Field("item", .float32), count: 64)
    let values = random.array(valueType, count: 50, nullEvery: 0)
    let indices = (0..<3000).map { _ in Int32.random(in: 0..<50, using: &random) }
    let validity = Bitmap((0..<3000).map { $0 % 7 != 0 })
    let type = DataType.dictionary(index: .int32, value: valueType, isOrdered: false)
    let encoded = ArrowArray(
      type, count: 3000, validity: validity, storage: .dictionary(indices: Buffer(indices), values: values))
    let plain = values.take(encoded.dictionaryIndices())
    let first = try WrittenFile.write([RecordBatch(Schema([Field("x", type)]), [encoded])])
    let second = try WrittenFile.write([RecordBatch(Schema([Field("x", valueType)]), [plain])])
    #expect(first.bytes == second.bytes)
    #expect(try Self.values(first.bytes, "x") == plain.allValues)
  }

  @Test func pagesWhoseListsCeaseToBeOfOneLengthComeBack() throws {
    var random = SeededRandom(seed: 22)
    var child: [Float] = []
    var list = ListBuilder()
    for row in 0..<3000 {
      let length = row % 1024 < 300 ? 64 : [64, 32, 3][row % 3]
      child += (0..<length).map { _ in Float.random(in: -1...1, using: &random) }
      list.close(childCount: child.count)
    }
    let floats = ArrowArray(.float32, count: child.count, storage: .fixed(Buffer(child)))
    let array = list.take(as: .list(Field("item", .float32)), child: floats)
    var options = ParquetWriterOptions()
    options.vectorPageRowCount = 1024
    let batch = RecordBatch(Schema([Field("x", array.type)]), [array])
    #expect(try Self.values(WrittenFile.write([batch], options: options).bytes, "x") == array.allValues)
  }

  @Test func laterRowGroupsAreEncodedAsTheFirst() throws {
    var random = SeededRandom(seed: 23)
    let texts = ArrowArray((0..<9000).map { "word \(Int.random(in: 0..<($0 < 3000 ? 7 : 1000), using: &random))" })
    let batch = RecordBatch(Schema([Field("x", .utf8)]), [texts])
    var options = ParquetWriterOptions()
    options.rowGroupRowCount = 3000
    var context = ParquetEncoderContext()
    let file = try WrittenFile.write([batch], options: options, using: &context)
    #expect(try Self.values(file.bytes, "x") == texts.allValues)
    let groups = file.metadata.rowGroups
    #expect(groups.count == 3)
    #expect(groups.allSatisfy { $0.columns[0].metadata?.encodings.contains(.rleDictionary) == true })
  }

  @Test func timestampsAreStoredInMillisecondsOnRequest() throws {
    let micros = (0..<2000).map { Optional(Int64($0 - 1000) * 1000) }
    var options = ParquetWriterOptions()
    options.columns["ts", default: .init()].storesMilliseconds = true
    let schema = Schema([Field("ts", .timestampMicrosUTC)])
    let file = try WrittenFile.write(
      [RecordBatch(schema, [ArrowArray(.timestampMicrosUTC, micros)])], options: options)
    #expect(try Self.values(file.bytes, "ts") == micros.map { .integer($0! / 1000) })
    let odd = RecordBatch(schema, [ArrowArray(.timestampMicrosUTC, [Int64?.some(1001)])])
    #expect(throws: ParquetError.self) { try WrittenFile.write([odd], options: options) }
  }

  @Test func whatTheSchemaForbidsIsRefused() throws {
    let schema = Schema([Field("x", .int64, isNullable: false)])
    let batch = RecordBatch(schema, [ArrowArray(.int64, [Int64?.none])])
    #expect(throws: ParquetError.self) { try WrittenFile.write([batch]) }
    var options = ParquetWriterOptions()
    options.columns["x", default: .init()].encoding = .deltaByteArray
    #expect(throws: ParquetError(.unsupportedEncoding(7), column: "x")) {
      try WrittenFile.write([RecordBatch(schema, [ArrowArray(.int64, [Int64?.some(1)])])], options: options)
    }
  }

  /// parquet-mr finds the split of a row group by the offset of its first column.
  @Test func chunksStandInTheSchemasOrder() throws {
    var random = SeededRandom(seed: 5)
    let floats = Buffer((0..<64 * 10_000).map { _ in Float.random(in: -1...1, using: &random) })
    let type = DataType.fixedSizeList(Field("item", .float32, isNullable: false), count: 64)
    let vectors = ArrowArray(
      type, count: 10_000,
      storage: .fixedSizeList(child: ArrowArray(.float32, count: 640_000, storage: .fixed(floats))))
    let keys = ArrowArray(.int64, (0..<10_000).map { Optional(Int64($0)) })
    let batch = RecordBatch(Schema([Field("key", .int64), Field("vector", type)]), [keys, vectors])
    var context = ParquetEncoderContext()
    var writer = try ParquetWriter(schema: batch.schema)
    try writer.append(batch, using: &context)
    let summary = try writer.finish(using: &context)
    let offsets = summary.metadata.rowGroups[0].columns.compactMap { $0.metadata?.dataPageOffset }
    #expect(offsets.count == 2 && offsets[0] == 4 && offsets[1] > 4)
  }
}

/// Pages of large values.
@Suite struct LargeValueTests {
  @Test func pageEndsAtItsBytesWhateverTheBatches() throws {
    var random = SeededRandom(seed: 9)
    let texts = (0..<1500).map { row in row % 3 == 0 ? nil : String(repeating: "\(row)-", count: 800) }
    let batch = RecordBatch(Schema([Field("x", .utf8)]), [ArrowArray(texts)])
    var options = ParquetWriterOptions()
    options.pageByteCount = 1 << 20
    let whole = try WrittenFile.write([batch], options: options)
    let cut = try WrittenFile.write(ParquetRoundTripTests.cut(batch, &random), options: options)
    #expect(whole.bytes == cut.bytes)
    #expect(try ParquetRoundTripTests.values(whole.bytes, "x") == batch.columns[0].allValues)
    let chunk = whole.metadata.rowGroups[0].columns[0]
    let start = try #require(chunk.offsetIndexOffset)
    let index = try OffsetIndex(decoding: whole.bytes.slice(start..<start + #require(chunk.offsetIndexByteCount)))
    #expect(index.pages.count > 2 && index.pages.allSatisfy { $0.firstRow % 128 == 0 })
  }

  @Test func avoidedEncodingsAreNotUsed() throws {
    var random = SeededRandom(seed: 4)
    let values = (0..<5000).map { _ in Optional(Float.random(in: 0...1, using: &random)) }
    let batch = RecordBatch(Schema([Field("x", .float32)]), [ArrowArray(.float32, values)])
    var options = ParquetWriterOptions()
    func encodings() throws -> [Encoding] {
      try WrittenFile.write([batch], options: options).metadata.rowGroups[0].columns[0].metadata!.encodings
    }
    #expect(try encodings().contains(.byteStreamSplit))
    options.avoidedEncodings = [.byteStreamSplit]
    #expect(try encodings() == [.plain, .rle])
  }
}
