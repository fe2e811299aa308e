import Buffers

/// Which bytes of a file hold some rows of some columns of one row group.
///
/// Whoever reads the file fetches `ranges`, in whatever way, and hands their bytes to a `RowGroupDecoder`.
package struct ReadPlan: Sendable {
  package let projection: ReadProjection
  package let rowGroup: Int
  /// Counted from the row group's first.
  package let rows: Range<Int>
  /// Byte ranges of the file, ascending within a column.
  package let ranges: [Range<Int>]
  /// In the order of the projection's.
  let leaves: [Leaf]

  struct Leaf: Sendable {
    /// The first row of the first data page.
    var firstRow = 0
    /// Whether all pages of the chunk are among the ranges.
    var isWhole = true
    /// Into the plan's ranges.
    var ranges: Range<Int>
  }
}

extension ReadProjection {
  /// Plans the reading of `rows` of a row group.
  ///
  /// - Parameters:
  ///   - rows: counted from the row group's first; nil for all.
  ///   - pages: the row group's offset indexes, if they were read: only the pages with those rows are then fetched.
  ///   - dictionaries: those that are known, by leaf: their pages need not be fetched.
  /// - Precondition: row group and rows are the file's.
  package func plan(
    rowGroup: Int, rows: Range<Int>? = nil, pages: RowGroupPageIndex? = nil,
    dictionaries: [Int: LeafDictionary] = [:]
  ) throws(ParquetError) -> ReadPlan {
    let rowCount = file.metadata.rowGroups[rowGroup].rowCount
    let rows = rows ?? 0..<rowCount
    precondition(rows.lowerBound >= 0 && rows.upperBound <= rowCount, "rows \(rows) of \(rowCount)")
    var ranges: [Range<Int>] = []
    var leaves: [ReadPlan.Leaf] = []
    ranges.reserveCapacity(self.leaves.count * 2)
    leaves.reserveCapacity(self.leaves.count)
    for source in self.leaves {
      let chunk = try file.chunk(rowGroup: rowGroup, leaf: source.index).range
      var plan = ReadPlan.Leaf(ranges: ranges.count..<ranges.count + 1)
      if let index = pages?.offsetIndexes[source.index], !rows.isEmpty {
        let isKnown = !dictionaries.isEmpty && dictionaries[source.index] != nil
        plan.firstRow = index.append(rows, of: chunk, withDictionary: !isKnown, to: &ranges)
        plan.isWhole = false
        plan.ranges = plan.ranges.lowerBound..<ranges.count
      } else {
        ranges.append(chunk)
      }
      leaves.append(plan)
    }
    return ReadPlan(projection: self, rowGroup: rowGroup, rows: rows, ranges: ranges, leaves: leaves)
  }
}

extension OffsetIndex {
  /// The page that holds `row`, if there is one; else the last.
  package func page(ofRow row: Int) -> Int {
    var (low, high) = (0, pages.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if pages[middle].firstRow <= row { low = middle } else { high = middle }
    }
    return low
  }

  /// Appends the bytes of the pages with `rows`, adjacent ones as one range; answers the first page's first row.
  func append(_ rows: Range<Int>, of chunk: Range<Int>, withDictionary: Bool, to ranges: inout [Range<Int>]) -> Int {
    let first = page(ofRow: rows.lowerBound)
    let last = page(ofRow: rows.upperBound - 1)
    let start = ranges.count
    if withDictionary, chunk.lowerBound < pages[0].byteOffset { ranges.append(chunk.lowerBound..<pages[0].byteOffset) }
    for page in pages[first...last] {
      if ranges.count > start, ranges[ranges.count - 1].upperBound == page.byteOffset {
        ranges[ranges.count - 1] = ranges[ranges.count - 1].lowerBound..<page.byteOffset + page.byteCount
      } else {
        ranges.append(page.byteOffset..<page.byteOffset + page.byteCount)
      }
    }
    return pages[first].firstRow
  }
}
