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
  static let rowCounts = [0, 1, 1023, 1024, 1025, 5000]

  @Test(.enabled(if: PythonPeer.isPresent), arguments: rowCounts, [0, 2, 5])
  func otherToolsReadEveryType(rowCount: Int, nullEvery: Int) throws {
    var random = SeededRandom(seed: UInt64(rowCount * 10 + nullEvery))
    var fields: [Field] = []
    var columns: [ArrowArray] = []
    for (index, type) in Self.types.enumerated() {
      fields.append(Field("c\(index)", type))
      columns.append(random.array(type, count: rowCount, nullEvery: nullEvery))
    }
    let batch = RecordBatch(Schema(fields), columns, rowCount: rowCount)
    var options = ParquetWriterOptions()
    options.rowGroupRowCount = 2500
    let file = try WrittenFile.write([batch], options: options)
    try PythonPeer.expectEqual(parquet: file.bytes, stream: batch)
  }

  @Test(.enabled(if: PythonPeer.isPresent))
  func embeddingsAndSortedKeysAreReadBack() throws {
    var random = SeededRandom(seed: 7)
    let rowCount = 3000
    let users = ArrowArray(.int64, (0..<rowCount).map { Optional(Int64($0 / 7)) })
    let vectors = random.array(
      .fixedSizeList(Field("item", .float32), count: 64), count: 40, nullEvery: 0)
    let indices = Buffer((0..<rowCount).map { _ in Int32.random(in: 0..<40, using: &random) })
    let type = DataType.dictionary(index: .int32, value: vectors.type, isOrdered: false)
    let embedding = ArrowArray(type, count: rowCount, storage: .dictionary(indices: indices, values: vectors))
    let batch = RecordBatch(
      Schema([Field("user_id", .int64, isNullable: false), Field("embedding", type)], metadata: ["seq.kind": "event"]),
      [users, embedding])
    var options = ParquetWriterOptions()
    options.sortedBy = ["user_id"]
    options.columns["user_id", default: .init()].hasBloomFilter = true
    options.columns["embedding", default: .init()].pageRowCount = 2048
    let file = try WrittenFile.write([batch], options: options)
    try PythonPeer.expectEqual(parquet: file.bytes, stream: batch)
  }
}
