import Arrow
import Buffers
import Parquet
import TestSupport
import Testing

/// Files written here are read by other tools to the values of an Arrow stream of the same rows.
@Suite struct ParquetWriterInteropTests {
  static let types: [DataType] =
    SeededRandom.allTypes.filter { if case .map = $0 { false } else { true } } + [
      .int8, .int16, .uint8, .uint32, .date64, .time32(.second), .time32(.milli), .time64(.micro), .time64(.nano),
      .timestamp(.second, zone: "UTC"), .timestamp(.milli, zone: nil), .timestamp(.micro, zone: nil),
      .timestamp(.nano, zone: "UTC"), .duration(.micro), .fixedSizeBinary(byteWidth: 16),
      .decimal128(precision: 7, scale: 2), .decimal128(precision: 15, scale: 3),
      .dictionary(index: .int8, value: .binary, isOrdered: false),
      .list(Field("item", .dictionary(index: .int16, value: .utf8, isOrdered: false))),
      .map(
        entries: Field(
          "entries",
          .structure([Field("key", .utf8, isNullable: false), Field("value", .list(Field("item", .int64)))]),
          isNullable: false), keysSorted: false),
      .list(Field("item", .structure([Field("x", .int32), Field("y", .list(Field("item", .utf8)))]))),
      .structure([
        Field("p", .structure([Field("q", .float64), Field("r", .boolean)])), Field("s", .list(Field("item", .int64))),
      ]),
      .list(Field("item", .list(Field("item", .list(Field("item", .utf8)))))),
    ]

  @Test(.enabled(if: ReadingPeers.isPresent)) func otherToolsReadEveryType() throws {
    var peers = ReadingPeers()
    for rowCount in [0, 1, 1023, 1024, 1025, 5000] {
      for nullEvery in [0, 2, 5] {
        var random = SeededRandom(seed: UInt64(rowCount * 10 + nullEvery))
        let fields = Self.types.enumerated().map { Field("c\($0)", $1) }
        let columns = fields.map { random.array($0.type, count: rowCount, nullEvery: nullEvery) }
        var options = ParquetWriterOptions()
        options.rowGroupRowCount = 2500
        try peers.add(RecordBatch(Schema(fields), columns, rowCount: rowCount), options: options)
      }
    }
    try peers.expectEqualRows()
  }

  @Test(.enabled(if: ReadingPeers.isPresent)) func otherToolsReadEmbeddingsAndBloomFilters() throws {
    var peers = ReadingPeers()
    for rowCount in [1, 2047, 2048, 6000] {
      var random = SeededRandom(seed: UInt64(rowCount))
      let users = ArrowArray(.int64, (0..<rowCount).map { Optional(Int64($0 / 7)) })
      let vectorType = DataType.fixedSizeList(Field("item", .float32), count: 64)
      let vectors = random.array(vectorType, count: 300, nullEvery: 0)
      let indices = Buffer((0..<rowCount).map { _ in Int32.random(in: 0..<300, using: &random) })
      let validity = Bitmap((0..<rowCount).map { _ in Int.random(in: 0..<9, using: &random) > 0 })
      let type = DataType.dictionary(index: .int32, value: vectorType, isOrdered: false)
      let embedding = ArrowArray(
        type, count: rowCount, validity: validity, storage: .dictionary(indices: indices, values: vectors))
      let schema = Schema([Field("bloom", .int64, isNullable: false), Field("embedding", type)])
      var options = ParquetWriterOptions()
      options.sortedBy = ["bloom"]
      options.columns["bloom", default: .init()].hasBloomFilter = true
      options.columns["embedding", default: .init()].pageRowCount = 2048
      try peers.add(RecordBatch(schema, [users, embedding]), options: options)
    }
    try peers.expectEqualRows()
  }
}
