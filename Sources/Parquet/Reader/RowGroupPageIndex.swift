import Buffers

/// The page indexes of one row group, by leaf column; nil where the file has none or they were not read.
package struct RowGroupPageIndex: Sendable {
  package var offsetIndexes: [OffsetIndex?]
  package var columnIndexes: [ColumnIndex?]
  /// Of the files' bytes that the bounds are.
  fileprivate var boundByteCount = 0

  /// What it takes in memory, about.
  package var memoryByteCount: Int {
    let perOffset = MemoryLayout<PageLocation>.stride + MemoryLayout<Int>.stride
    let perBound = 1 + 2 * MemoryLayout<Buffer>.stride + 3 * MemoryLayout<Int>.stride
    let locations = offsetIndexes.reduce(0) { $0 + ($1?.pages.count ?? 0) }
    let bounds = columnIndexes.reduce(0) { $0 + ($1?.pageCount ?? 0) }
    let leaves = offsetIndexes.count * (MemoryLayout<OffsetIndex?>.stride + MemoryLayout<ColumnIndex?>.stride + 64)
    return locations * perOffset + bounds * perBound + boundByteCount + leaves
  }
}

extension ParquetFile {
  /// Where the offset index of a column chunk lies, if it has one.
  package func offsetIndexRange(rowGroup: Int, leaf: Int) throws(ParquetError) -> Range<Int>? {
    let chunk = metadata.rowGroups[rowGroup].columns[leaf]
    return try indexRange(chunk.offsetIndexOffset, chunk.offsetIndexByteCount, "offset index", leaf)
  }

  /// Where the column index of a column chunk lies, if it has one.
  package func columnIndexRange(rowGroup: Int, leaf: Int) throws(ParquetError) -> Range<Int>? {
    let chunk = metadata.rowGroups[rowGroup].columns[leaf]
    return try indexRange(chunk.columnIndexOffset, chunk.columnIndexByteCount, "column index", leaf)
  }

  private func indexRange(
    _ offset: Int?, _ size: Int?, _ what: String, _ leaf: Int
  ) throws(ParquetError) -> Range<Int>? {
    guard let offset, let size, size > 0 else { return nil }
    guard offset <= byteCount, size <= byteCount - offset else {
      throw ParquetError(
        .truncated(what, needed: size, available: max(0, byteCount - offset)), column: schema.leaves[leaf].name,
        byteOffset: offset)
    }
    return offset..<offset + size
  }

  /// Decodes the bytes of `offsetIndexRange` and checks that its pages cover the row group, inside the chunk.
  package func offsetIndex(_ bytes: Buffer, rowGroup: Int, leaf: Int) throws(ParquetError) -> OffsetIndex {
    let name = schema.leaves[leaf].name
    let chunk = try chunkRange(rowGroup: rowGroup, leaf: leaf)
    let rowCount = metadata.rowGroups[rowGroup].rowCount
    do throws(ParquetError) {
      let index = try OffsetIndex(decoding: bytes)
      var (row, end) = (-1, chunk.lowerBound)
      for page in index.pages {
        let size = page.byteOffset.addingReportingOverflow(page.byteCount)
        guard page.byteOffset >= end, !size.overflow, size.partialValue <= chunk.upperBound else {
          throw ParquetError(.outOfRange("page offset", value: page.byteOffset, limit: chunk.upperBound))
        }
        guard row < 0 ? page.firstRow == 0 : page.firstRow > row && page.firstRow < rowCount else {
          throw ParquetError(.outOfRange("first row of a page", value: page.firstRow, limit: rowCount))
        }
        (row, end) = (page.firstRow, size.partialValue)
      }
      guard !index.pages.isEmpty || rowCount == 0 else { throw ParquetError(.malformed("offset index: no pages")) }
      return index
    } catch {
      throw error.located(column: name)
    }
  }

  /// Reads a row group's offset indexes, and the bounds of some leaves.
  package func pageIndex(
    _ source: some ByteSource, rowGroup: Int, boundsOf bounded: [Int] = []
  ) throws -> RowGroupPageIndex {
    let none = schema.leaves.count
    var index = RowGroupPageIndex(
      offsetIndexes: Array(repeating: nil, count: none), columnIndexes: Array(repeating: nil, count: none))
    var leaves: [Int] = []
    var ranges: [Range<Int>] = []
    for leaf in schema.leaves.indices {
      guard let range = try offsetIndexRange(rowGroup: rowGroup, leaf: leaf) else { continue }
      leaves.append(leaf)
      ranges.append(range)
    }
    for (leaf, bytes) in zip(leaves, try source.read(ranges)) {
      index.offsetIndexes[leaf] = try offsetIndex(bytes, rowGroup: rowGroup, leaf: leaf)
    }
    for leaf in bounded {
      guard let range = try columnIndexRange(rowGroup: rowGroup, leaf: leaf) else { continue }
      index.columnIndexes[leaf] = try ColumnIndex(decoding: source.read(range))
      index.boundByteCount += range.count
    }
    return index
  }
}
