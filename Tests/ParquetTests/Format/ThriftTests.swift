import Arrow
import Buffers
import Parquet
import TestSupport
import Testing

@Suite struct ThriftTests {
  /// A footer with something in every field that the writer sets.
  static func footer() throws -> FileMetadata {
    var random = SeededRandom(seed: 1)
    let fields = SeededRandom.allTypes.enumerated().map { Field("c\($0)", $1) }
    let batch = RecordBatch(Schema(fields, metadata: ["k": "v"]), fields.map { random.array($0.type, count: 50) })
    var options = ParquetWriterOptions()
    options.sortedBy = ["c4"]
    options.columns["c4", default: .init()].hasBloomFilter = true
    return try WrittenFile.write([batch], options: options).metadata
  }

  @Test func footerComesBack() throws {
    let footer = try Self.footer()
    var read = try FileMetadata(decoding: footer.encoded())
    // Readers have no use for the count of pages by encoding.
    for group in footer.rowGroups.indices {
      for column in footer.rowGroups[group].columns.indices {
        read.rowGroups[group].columns[column].metadata?.encodingCounts =
          footer.rowGroups[group].columns[column].metadata!.encodingCounts
      }
    }
    #expect(read == footer)
  }

  @Test func pageHeadersComeBack() throws {
    let kinds: [PageHeader.Kind] = [
      .data(valueCount: 7, encoding: .plain, definitionLevelEncoding: .rle, repetitionLevelEncoding: .rle),
      .dataV2(
        valueCount: 9, nullCount: 2, rowCount: 5, encoding: .byteStreamSplit, definitionLevelByteCount: 3,
        repetitionLevelByteCount: 4, isCompressed: false),
      .dictionary(valueCount: 3, encoding: .plain, isSorted: true),
    ]
    for kind in kinds {
      var header = PageHeader(
        kind: kind, uncompressedByteCount: 100, compressedByteCount: 2_000_000_000, checksum: 0xFFFF_FFFE)
      if case .dictionary = kind {} else { header.statistics = Statistics(minValue: Buffer([UInt8(1)]), nullCount: 3) }
      var reader = ThriftReader(header.encoded())
      #expect(try PageHeader(from: &reader) == header)
    }
  }

  @Test func unknownFieldsArePassedOver() throws {
    var writer = ThriftWriter()
    writer.structure { writer in
      writer.int64(1, 4)
      writer.integers(2, .int32, [1, 2, 3])
      writer.structure(3) { $0.string(40, "unknown") }
      writer.structures(4, [1, 2]) { $1.int32(1, $0) }
      writer.booleans(7, [true, false])
      writer.boolean(9, true)
      writer.int8(30, -1)
      writer.string(1000, "far")
    }
    var reader = ThriftReader(writer.take())
    var fields = try reader.open("Anything")
    var ids: [Int] = []
    while let field = try fields.next(&reader) {
      ids.append(field.id)
      try reader.skip(field)
    }
    #expect(ids == [1, 2, 3, 4, 7, 9, 30, 1000])
  }

  @Test func nestingWithoutEndIsRefused() {
    for byte: UInt8 in [0x1C, 0x19] {
      let bytes = Buffer([UInt8](repeating: byte, count: 100_000))
      #expect(throws: ParquetError.self) { try FileMetadata(decoding: bytes) }
    }
  }

  @Test func listsLongerThanTheInputAreRefused() {
    // schema (field 2), a list of 2^31 structures.
    let bytes = Buffer([0x29, 0xFC, 0x80, 0x80, 0x80, 0x80, 0x08, 0x00] as [UInt8])
    #expect(throws: ParquetError.self) { try FileMetadata(decoding: bytes) }
  }

  @Test(arguments: 0..<20) func mutatedStructuresAreRefusedOrRead(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let original = try Self.footer().encoded()
    let valid = (0..<original.byteCount).map { original.load($0, as: UInt8.self) }
    for _ in 0..<200 {
      var bytes = valid
      for _ in 0...Int.random(in: 0...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
      decodeAll(Buffer(bytes))
    }
    for _ in 0..<500 {
      let count = Int.random(in: 0...200, using: &random)
      decodeAll(Buffer((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }))
    }
  }

  private func decodeAll(_ bytes: Buffer) {
    _ = try? FileMetadata(decoding: bytes)
    _ = try? ColumnIndex(decoding: bytes)
    _ = try? OffsetIndex(decoding: bytes)
    _ = try? SplitBlockBloomFilter(decoding: bytes)
    var reader = ThriftReader(bytes)
    _ = try? PageHeader(from: &reader)
  }
}
