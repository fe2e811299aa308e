import Arrow
import Buffers
import Glibc
import Parquet
import TestSupport
import Testing

/// Statistics, page indexes, bloom filters and checksums that the writer leaves.
@Suite struct ParquetIndexTests {
  struct Column {
    let bytes: Buffer
    let chunk: ColumnChunkMetadata
    var metadata: ColumnMetadata { chunk.metadata! }

    init(_ array: ArrowArray, isNullable: Bool = true, options: ParquetWriterOptions = ParquetWriterOptions()) throws {
      let schema = Schema([Field("x", array.type, isNullable: isNullable)])
      let file = try WrittenFile.write([RecordBatch(schema, [array])], options: options)
      bytes = file.bytes
      chunk = file.metadata.rowGroups[0].columns[0]
    }

    func columnIndex() throws -> ColumnIndex? {
      guard let offset = chunk.columnIndexOffset, let count = chunk.columnIndexByteCount else { return nil }
      return try ColumnIndex(decoding: bytes.slice(offset..<offset + count))
    }

    func offsetIndex() throws -> OffsetIndex {
      let offset = try #require(chunk.offsetIndexOffset)
      return try OffsetIndex(decoding: bytes.slice(offset..<offset + #require(chunk.offsetIndexByteCount)))
    }
  }

  @Test func pageBoundsHoldTheirRowsAndNoMore() throws {
    let values = (0..<5000).map { row in row % 10 == 3 || (2048..<3072).contains(row) ? nil : Int64(row * 3) }
    let column = try Column(ArrowArray(.int64, values))
    let index = try #require(try column.columnIndex())
    let pages = try column.offsetIndex().pages
    #expect(pages.map(\.firstRow) == [0, 512, 1024, 2048, 3072, 4096])
    #expect(index.isNullPage == [false, false, false, true, false, false])
    #expect(index.boundaryOrder == .ascending)
    for page in pages.indices where !index.isNullPage[page] {
      let rows = pages[page].firstRow..<(page + 1 < pages.count ? pages[page + 1].firstRow : values.count)
      let present = values[rows].compactMap { $0 }
      #expect(index.minValues[page].load(0, as: Int64.self) == present.min())
      #expect(index.maxValues[page].load(0, as: Int64.self) == present.max())
      #expect(index.nullCounts?[page] == rows.count - present.count)
    }
    let statistics = try #require(column.metadata.statistics)
    #expect(statistics.nullCount == values.count { $0 == nil })
    #expect(statistics.minValue?.load(0, as: Int64.self) == 0)
    #expect(statistics.maxValue?.load(0, as: Int64.self) == values.compactMap { $0 }.max())
  }

  @Test func pagesLieWhereTheOffsetIndexSays() throws {
    var random = SeededRandom(seed: 2)
    let column = try Column(ArrowArray((0..<3000).map { _ in "value \(Int.random(in: 0..<50, using: &random))" }))
    for page in try column.offsetIndex().pages {
      var reader = ThriftReader(column.bytes, position: page.byteOffset)
      let header = try PageHeader(from: &reader)
      #expect(reader.position + header.compressedByteCount == page.byteOffset + page.byteCount)
      #expect(header.checksum != nil)
    }
    #expect(column.metadata.dictionaryPageOffset == 4)
  }

  @Test func nanIsNoBoundAndZeroesHaveBothSigns() throws {
    func bounds(_ values: [Float]) throws -> [Float]? {
      let statistics = try Column(ArrowArray(.float32, values.map(Optional.init))).metadata.statistics
      guard let least = statistics?.minValue, let greatest = statistics?.maxValue else { return nil }
      return [least.load(0, as: Float.self), greatest.load(0, as: Float.self)]
    }
    #expect(try bounds([3, .nan, -2]) == [-2, 3])
    #expect(try bounds([.nan, .nan]) == nil)
    let zeroes = try #require(try bounds([0, 0]))
    #expect(zeroes[0].sign == .minus && zeroes[1].sign == .plus)
    let negative = try #require(try bounds([-0.0, -5]))
    #expect(negative[0] == -5 && negative[1].sign == .plus)
    #expect(try Column(ArrowArray(.float64, [Double.nan])).columnIndex() == nil)
    #expect(try bounds([.infinity, -.infinity]) == [-.infinity, .infinity])
  }

  @Test func unsignedNumbersAndDecimalsHaveTheirOwnOrder() throws {
    let unsigned = try Column(ArrowArray(.uint32, [UInt32?.some(1), .max, 7])).metadata.statistics
    #expect(unsigned?.minValue?.load(0, as: UInt32.self) == 1)
    #expect(unsigned?.maxValue?.load(0, as: UInt32.self) == .max)
    let type = DataType.decimal128(precision: 30, scale: 0)
    let decimal = try Column(ArrowArray(type, [Int128?.some(-5), 9, 3])).metadata.statistics
    #expect(decimal?.minValue?.load(0, as: Int128.self).byteSwapped == -5)
    #expect(decimal?.maxValue?.load(0, as: Int128.self).byteSwapped == 9)
  }

  @Test(arguments: ["z", "é", "\u{D7FF}", "\u{10FFFF}"])
  func longTextIsBoundedByShortText(last: String) throws {
    let long = String(repeating: last, count: 100)
    let statistics = try #require(try Column(ArrowArray([long, long + "x"])).metadata.statistics)
    let (least, greatest) = (try #require(statistics.minValue), try #require(statistics.maxValue))
    func text(_ bytes: Buffer) -> String? {
      String(validating: (0..<bytes.byteCount).map { bytes.load($0, as: UInt8.self) }, as: UTF8.self)
    }
    let low = try #require(text(least))
    let high = try #require(text(greatest))
    #expect(least.byteCount <= 64 && long.hasPrefix(low) && statistics.isMinExact == false)
    #expect(Array(high.utf8).lexicographicallyPrecedes(Array((long + "x").utf8)) == false)
    #expect(greatest.byteCount <= 64 || statistics.isMaxExact == true)
  }

  @Test func bloomFilterHoldsEveryValueAndFewOthers() throws {
    var options = ParquetWriterOptions()
    options.columns["x", default: .init()].hasBloomFilter = true
    let keys = (0..<20_000).map { Int64($0 / 4 * 11) }
    let column = try Column(ArrowArray(.int64, keys.map(Optional.init)), options: options)
    let offset = try #require(column.metadata.bloomFilterOffset)
    let filter = try SplitBlockBloomFilter(decoding: column.bytes.slice(offset..<column.bytes.byteCount))
    #expect(filter.byteCount <= 8192)
    let header = column.bytes.slice(offset..<offset + 64)
    #expect(try SplitBlockBloomFilter.byteCount(header: header) == filter.encoded().byteCount)
    func mayContain(_ key: Int64) -> Bool { filter.mayContain(SplitBlockBloomFilter.hash(Buffer([key]).bytes)) }
    #expect(keys.allSatisfy(mayContain))
    #expect((0..<10_000).count { mayContain(Int64($0 * 11 + 5)) } < 300)
  }

  @Test func flippedByteIsNoticed() throws {
    let column = try Column(ArrowArray(.int64, (0..<2000).map { Optional(Int64($0 * $0)) }))
    let page = try column.offsetIndex().pages[1]
    var bytes = BufferBuilder()
    bytes.append(column.bytes)
    let last = page.byteOffset + page.byteCount - 1
    bytes.overwrite(column.bytes.load(last, as: UInt8.self) ^ 1, atByteOffset: last)
    let reader = try ParquetReader(bytes.finish())
    #expect(throws: ParquetError.self) { try reader.read(rowGroup: 0) }
  }

  @Test func footerSaysWhatTheCallerPromised() throws {
    let schema = Schema([Field("a", .int64), Field("b", .utf8)], metadata: ["seq.kind": "event", "k": "v"])
    let batch = RecordBatch(schema, [ArrowArray(.int64, [Int64?.some(1)]), ArrowArray(["x"])])
    var options = ParquetWriterOptions()
    options.sortedBy = ["b", "a"]
    options.createdBy = "tester 1"
    options.metadata = ["k": "w"]
    let metadata = try WrittenFile.write([batch], options: options).metadata
    #expect(metadata.createdBy == "tester 1")
    #expect(metadata.rowGroups[0].sortingColumns.map(\.column) == [1, 0])
    #expect(metadata.keyValues == [KeyValue(key: "k", value: "w"), KeyValue(key: "seq.kind", value: "event")])
    options.sortedBy = ["c"]
    #expect(throws: ParquetError.self) { try WrittenFile.write([batch], options: options) }
  }
}
