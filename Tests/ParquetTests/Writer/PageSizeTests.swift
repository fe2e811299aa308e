import Arrow
import Buffers
import Parquet
import TestSupport
import Testing

/// How many rows pages have, and which columns' pages have bounds.
@Suite struct PageSizeTests {
  /// A file of columns, and the first rows of their pages.
  private struct File {
    let bytes: Buffer
    let metadata: FileMetadata

    init(_ columns: KeyValuePairs<String, ArrowArray>, cutAt cuts: [Int] = [], _ options: ParquetWriterOptions) throws {
      let rowCount = columns[0].value.count
      let batch = RecordBatch(Schema(columns.map { Field($0.key, $0.value.type) }), columns.map(\.value))
      let pieces = zip([0] + cuts, cuts + [rowCount]).map { batch.slice($0..<$1) }
      (bytes, metadata) = try WrittenFile.write(pieces, options: options)
    }

    func pages(_ column: Int, group: Int = 0) throws -> [PageLocation] {
      let chunk = metadata.rowGroups[group].columns[column]
      let (offset, count) = (try #require(chunk.offsetIndexOffset), try #require(chunk.offsetIndexByteCount))
      return try OffsetIndex(decoding: bytes.slice(offset..<offset + count)).pages
    }

    /// The rows of each page but the last.
    func rowCounts(_ column: Int, group: Int = 0) throws -> [Int] {
      let firsts = try pages(column, group: group).map(\.firstRow)
      return zip(firsts, firsts.dropFirst()).map { $1 - $0 }
    }

    func hasBounds(_ column: Int) -> Bool { metadata.rowGroups[0].columns[column].columnIndexOffset != nil }
  }

  private static func numbers(_ count: Int, below limit: Int64 = .max, seed: UInt64) -> ArrowArray {
    var random = SeededRandom(seed: seed)
    return ArrowArray(.int64, (0..<count).map { _ in Optional(Int64.random(in: 0..<limit, using: &random)) })
  }

  private static func texts(_ count: Int, of length: Int, seed: UInt64) -> [String] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in
      String((0..<length).map { _ in "0123456789abcdef".randomElement(using: &random)! })
    }
  }

  private static func column(_ texts: [String]) -> ArrowArray { ArrowArray(texts.map { Optional($0) }) }

  @Test func wideValuesHaveShortPages() throws {
    let count = 10_000
    let ids = Self.column(Self.texts(count, of: 32, seed: 1))
    let file = try File(
      ["id": ids, "number": Self.numbers(count, seed: 2), "small": Self.numbers(count, below: 50, seed: 3)],
      ParquetWriterOptions())
    #expect(try file.rowCounts(0) == [512] + Array(repeating: 64, count: (count - 512) / 64))
    #expect(try file.rowCounts(1).dropFirst().allSatisfy { $0 == 128 })
    #expect(try file.rowCounts(2) == [512, 512] + Array(repeating: 1024, count: 8))
    #expect(try file.pages(1).dropFirst().allSatisfy { $0.byteCount <= 2048 })
    #expect(try ParquetRoundTripTests.values(file.bytes, "id") == ids.allValues)
  }

  @Test func rowsAloneCountWhereTheCallerSaysSo() throws {
    let ids = Self.column(Self.texts(5000, of: 32, seed: 4))
    var options = ParquetWriterOptions()
    options.storedPageByteCount = nil
    #expect(try File(["id": ids], options).rowCounts(0) == [1024, 1024, 1024, 1024])
    options = ParquetWriterOptions()
    options.columns["id", default: .init()].pageRowCount = 2000
    #expect(try File(["id": ids], options).rowCounts(0) == [2000, 2000])
  }

  @Test func firstPageThatEndsByItsBytesTellsToo() throws {
    var options = ParquetWriterOptions()
    options.pageByteCount = 8 << 10
    let rows = try File(["id": Self.column(Self.texts(2000, of: 32, seed: 11))], options).rowCounts(0)
    #expect(rows == [256] + Array(repeating: 64, count: 27))
  }

  /// Each page has every text once, or more than once: short ones would have as many bytes as long ones.
  @Test func textsThatRepeatFarApartHaveLongPages() throws {
    let texts = Self.texts(120, of: 100, seed: 5)
    let rows = Self.column((0..<8000).map { texts[$0 % texts.count] })
    var options = ParquetWriterOptions()
    options.columns["x", default: .init()].usesDictionary = false
    let file = try File(["x": rows], options)
    #expect(try file.rowCounts(0).last == 512)
    #expect(try ParquetRoundTripTests.values(file.bytes, "x") == rows.allValues)
  }

  @Test(arguments: 1...6) func cutsOfBatchesChangeNothing(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let columns: KeyValuePairs = [
      "id": Self.column(Self.texts(6000, of: 36, seed: 6)), "number": Self.numbers(6000, seed: 7),
    ]
    let cuts = (0..<40).map { _ in Int.random(in: 0...6000, using: &random) }.sorted()
    let whole = try File(columns, ParquetWriterOptions())
    #expect(try File(columns, cutAt: cuts, ParquetWriterOptions()).bytes == whole.bytes)
  }

  @Test func rowGroupsEndWithPagesOfAllColumns() throws {
    var options = ParquetWriterOptions()
    options.rowGroupByteCount = 50_000
    let columns: KeyValuePairs = [
      "id": Self.column(Self.texts(20_000, of: 36, seed: 8)), "small": Self.numbers(20_000, below: 50, seed: 9),
    ]
    let file = try File(columns, options)
    let groups = file.metadata.rowGroups
    #expect(groups.count > 3 && groups.dropLast().allSatisfy { $0.rowCount.isMultiple(of: 1024) })
    for group in 1..<groups.count - 1 {
      #expect(try file.rowCounts(0, group: group).count == groups[group].rowCount / 64 - 1)
      #expect(try file.rowCounts(1, group: group).allSatisfy { $0 == 1024 })
    }
  }

  @Test func boundsThatTellNoPagesApartAreLeftOut() throws {
    let ids = Self.texts(4000, of: 32, seed: 10)
    let starts: [Int64] = [1000, 0, 3000, 2000]
    let apart = ArrowArray(.int64, (0..<4000).map { row -> Int64? in starts[row / 1024] + Int64(row % 7) })
    let file = try File(
      ["random": Self.column(ids), "sorted": Self.column(ids.sorted()), "apart": apart],
      ParquetWriterOptions())
    #expect(!file.hasBounds(0) && file.hasBounds(1) && file.hasBounds(2))
    let chunk = try #require(file.metadata.rowGroups[0].columns[0].metadata)
    #expect(chunk.statistics?.minValue == Buffer(Array(ids.min()!.utf8)))
  }
}
