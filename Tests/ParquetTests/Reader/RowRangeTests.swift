import Arrow
import ArrowKernels
import Buffers
import Parquet
import TestSupport
import Testing

/// Reads of some rows, of some columns, through page indexes: the same values as a read of all, from fewer bytes.
@Suite struct RowRangeTests {
  @Test(arguments: PeerFiles.names) func rowRangeHoldsTheRowsOfTheWholeGroup(name: String) throws {
    let reader = try PeerFileTests.open(name)
    var random = SeededRandom(seed: 3)
    for group in 0..<reader.file.rowGroupCount {
      let all = try reader.read(rowGroup: group)
      let pages = try reader.file.pageIndex(reader.source, rowGroup: group)
      for _ in 0..<3 {
        let start = Int.random(in: 0..<all.rowCount, using: &random)
        let rows = start..<Int.random(in: start...all.rowCount, using: &random)
        let expected = all.slice(rows)
        #expect(try reader.read(rowGroup: group, rows: rows).isEqual(to: expected), "\(rows) of \(group)")
        #expect(try reader.read(rowGroup: group, rows: rows, pages: pages).isEqual(to: expected), "\(rows) of \(group)")
      }
    }
  }

  @Test(arguments: PeerFiles.names, [17, 500]) func batchesJoinToTheWholeFile(name: String, limit: Int) throws {
    let reader = try PeerFileTests.open(name)
    guard reader.file.rowCount < 5_000 || limit == 500 else { return }
    for group in 0..<reader.file.rowGroupCount {
      let all = try reader.read(rowGroup: group)
      let projection = ReadProjection(reader.file)
      let plan = try projection.plan(rowGroup: group)
      let decoder = try RowGroupDecoder(plan, bytes: plan.ranges.map { reader.source.slice($0) })
      var context = PageDecoder()
      var row = 0
      while let batch = try decoder.next(limit, &context) {
        #expect(batch.isEqual(to: all.slice(row..<row + batch.rowCount)))
        row += batch.rowCount
      }
      #expect(row == all.rowCount)
    }
  }

  @Test(arguments: PeerFiles.names) func stringsAsDictionariesHaveTheSameValues(name: String) throws {
    let plain = try PeerFileTests.open(name)
    var options = ReadOptions()
    options.dictionaryColumns = ["string", "category", "prefix", "binary", "tag"]
    let reader = try ParquetReader(plain.source, options: options)
    for group in 0..<reader.file.rowGroupCount {
      let rows = reader.file.metadata.rowGroups[group].rowCount / 3..<reader.file.metadata.rowGroups[group].rowCount
      let expected = try plain.read(rowGroup: group, rows: rows)
      let batch = try reader.read(rowGroup: group, rows: rows)
      for (column, other) in zip(batch.columns, expected.columns) {
        guard case .dictionary = column.type else { continue }
        #expect((0..<batch.rowCount).allSatisfy { column.value(at: $0) == other.value(at: $0) })
      }
    }
  }

  // MARK: A file of our own

  /// Sorted users with some rows each, strings of few values, times, and lists of 8 floats.
  private static func table(rowCount: Int) -> RecordBatch {
    var random = SeededRandom(seed: 5)
    let users = (0..<rowCount).map { Int64($0 / 20) * 3 as Int64? }
    let times = (0..<rowCount).map { Int64($0) * 1_000 + Int64.random(in: 0..<1_000, using: &random) as Int64? }
    let kinds = (0..<rowCount).map { _ in ["view", "click", "save"][Int.random(in: 0..<3, using: &random)] as String? }
    let names = (0..<rowCount).map { _ in "item-\(UInt64.random(in: 0 ... .max, using: &random))" as String? }
    var lists = ListBuilder()
    for row in 0..<rowCount { lists.close(childCount: (row + 1) * 8) }
    let floats = ArrowArray(.float32, (0..<rowCount * 8).map { _ in Float.random(in: 0..<1, using: &random) as Float? })
    let listType = DataType.list(Field("element", .float32))
    return RecordBatch(
      Schema([
        Field("user_id", .int64), Field("ts", .timestampMicrosUTC), Field("type", .utf8), Field("name", .utf8),
        Field("embedding", listType),
      ]),
      [
        ArrowArray(.int64, users), ArrowArray(.timestampMicrosUTC, times), ArrowArray(kinds), ArrowArray(names),
        lists.take(as: listType, child: floats),
      ])
  }

  private static func write(_ batch: RecordBatch) throws -> ParquetReader<Buffer> {
    var options = ParquetWriterOptions()
    options.rowGroupRowCount = 6_000
    options.sortedBy = ["user_id"]
    var user = ParquetWriterOptions.Column()
    user.hasBloomFilter = true
    options.columns["user_id"] = user
    options.columns["embedding"] = ParquetWriterOptions.Column()
    options.columns["embedding"]?.pageRowCount = 1_024
    return try ParquetReader(WrittenFile.write([batch], options: options).bytes)
  }

  /// The rows lie in one page of each column, of 64 rows at least.
  @Test func pointReadFetchesThePagesOfItsRowsAlone() throws {
    let table = Self.table(rowCount: 10_000)
    let reader = try Self.write(table)
    let projection = ReadProjection(reader.file)
    let pages = try reader.file.pageIndex(reader.source, rowGroup: 1)
    let rows = 2_114..<2_144
    let plan = try projection.plan(rowGroup: 1, rows: rows, pages: pages)
    var expected: [Range<Int>] = []
    for (leaf, index) in pages.offsetIndexes.enumerated() {
      let page = try #require(index?.pages.last { $0.firstRow <= rows.lowerBound })
      let chunk = try reader.file.chunkRange(rowGroup: 1, leaf: leaf)
      let first = try #require(index?.pages[0].byteOffset)
      if first > chunk.lowerBound { expected.append(chunk.lowerBound..<first) }
      expected.append(page.byteOffset..<page.byteOffset + page.byteCount)
    }
    #expect(plan.ranges == expected)
    var context = PageDecoder()
    let group = try RowGroupDecoder(plan, bytes: plan.ranges.map { reader.source.slice($0) })
    let batch = try #require(try group.next(.max, &context))
    #expect(batch.isEqual(to: table.slice(8_114..<8_144)))

    let known = group.dictionaries
    #expect(!known.isEmpty)
    let again = try projection.plan(rowGroup: 1, rows: rows, pages: pages, dictionaries: known)
    #expect(again.ranges.count == pages.offsetIndexes.count)
    let second = try RowGroupDecoder(again, bytes: again.ranges.map { reader.source.slice($0) }, dictionaries: known)
    #expect(try #require(try second.next(.max, &context)).isEqual(to: batch))
  }

  @Test func rowsAcrossPagesComeFromBoth() throws {
    let table = Self.table(rowCount: 5_000)
    let reader = try Self.write(table)
    let pages = try reader.file.pageIndex(reader.source, rowGroup: 0)
    for rows in [1_020..<1_030, 0..<1, 4_999..<5_000, 1_024..<2_048, 1_023..<3_073, 7..<7] {
      #expect(try reader.read(rowGroup: 0, rows: rows, pages: pages).isEqual(to: table.slice(rows)), "\(rows)")
    }
  }

  @Test func userIsFoundThroughFilterBoundsAndPages() throws {
    let table = Self.table(rowCount: 10_000)
    let reader = try Self.write(table)
    let leaf = reader.file.schema.leaves[0]
    let pages = try reader.file.pageIndex(reader.source, rowGroup: 0, boundsOf: [0])
    let filter = try #require(try reader.file.bloomFilter(reader.source, rowGroup: 0, leaf: 0))
    let bounds = try #require(pages.columnIndexes[0])
    let offsets = try #require(pages.offsetIndexes[0])
    for user in stride(from: Int64(0), to: 900, by: 3) {
      let value = Buffer([user])
      let first = Int(user) / 3 * 20
      #expect(filter.mayContain(SplitBlockBloomFilter.hash(value.bytes)))
      #expect(reader.file.mayHold(rowGroup: 0, leaf: 0, least: value, greatest: value))
      let runs = bounds.candidatePages(leaf, holding: user)
      #expect(runs.count == 1)
      let rows = offsets.rows(ofPages: try #require(runs.first), rowCount: 6_000)
      #expect(rows.contains(first) && rows.contains(first + 19) && rows.count <= 2_048)
    }
    let absent = Buffer([Int64(5_000)])
    #expect(!reader.file.mayHold(rowGroup: 0, leaf: 0, least: absent, greatest: absent))
    #expect(bounds.candidatePages(leaf, holding: 5_000).isEmpty)
    let misses = (0..<1_000).filter { filter.mayContain(SplitBlockBloomFilter.hash(Buffer([Int64($0) * 3 + 1]).bytes)) }
    #expect(misses.count < 60)
  }

  @Test func listsOfOneLengthAreViewedAsFixedSizeLists() throws {
    let table = Self.table(rowCount: 100)
    let embedding = try Self.write(table).read(rowGroup: 0, rows: 10..<20).columns[4]
    let view = try #require(embedding.fixedSizeList(length: 8))
    #expect(view.count == 10 && view.children[0].count == 80)
    for row in 0..<10 { #expect(view.value(at: row) == embedding.value(at: row)) }
    #expect(embedding.fixedSizeList(length: 7) == nil)
  }
}
