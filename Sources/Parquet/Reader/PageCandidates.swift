import Buffers

// A value that a page might hold is sought in this order: bloom filter (not in the chunk at all?), statistics (outside
// the chunk's bounds?), column index (outside the page's bounds?), and only then in the page. All values and bounds
// are PLAIN-encoded without a length.

extension ColumnIndex {
  /// Runs of consecutive pages whose bounds admit a value from `least` through `greatest`.
  ///
  /// Bounds that are no values of the column's type admit any. In a column index whose bounds ascend the pages are
  /// found by bisection.
  /// - Precondition: `least` and `greatest` are values of the leaf's type.
  package func candidatePages(_ leaf: LeafColumn, least: Buffer, greatest: Buffer) -> [Range<Int>] {
    guard let order = ValueOrder(leaf) else { return pageCount > 0 ? [0..<pageCount] : [] }
    precondition(order.admits(least) && order.admits(greatest), "bounds of \(leaf.name) that are no \(leaf.arrowType)")
    if boundaryOrder == .ascending, !isNullPage.contains(true) {
      let first = partition { order.admits(maxValues[$0]) && order.isLess(maxValues[$0], least) }
      let end = partition { !(order.admits(minValues[$0]) && order.isLess(greatest, minValues[$0])) }
      return first < end ? [first..<end] : []
    }
    var runs: [Range<Int>] = []
    for page in 0..<pageCount where admits(page, order, least, greatest) {
      if let last = runs.last, last.upperBound == page {
        runs[runs.count - 1] = last.lowerBound..<page + 1
      } else {
        runs.append(page..<page + 1)
      }
    }
    return runs
  }

  /// Pages that may hold an int64.
  package func candidatePages(_ leaf: LeafColumn, holding value: Int64) -> [Range<Int>] {
    let bytes = Buffer([value])
    return candidatePages(leaf, least: bytes, greatest: bytes)
  }

  /// Pages that may hold a string.
  package func candidatePages(_ leaf: LeafColumn, holding value: String) -> [Range<Int>] {
    let bytes = Buffer(Array(value.utf8))
    return candidatePages(leaf, least: bytes, greatest: bytes)
  }

  private func admits(_ page: Int, _ order: ValueOrder, _ least: Buffer, _ greatest: Buffer) -> Bool {
    if isNullPage[page] { return false }
    let (low, high) = (minValues[page], maxValues[page])
    guard order.admits(low), order.admits(high) else { return true }
    return !order.isLess(high, least) && !order.isLess(greatest, low)
  }

  /// The first page that does not satisfy `isBefore`, which those before it do.
  private func partition(_ isBefore: (Int) -> Bool) -> Int {
    var (low, high) = (0, pageCount)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(middle) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension OffsetIndex {
  /// The rows of a run of pages.
  /// - Parameter rowCount: of the row group.
  package func rows(ofPages run: Range<Int>, rowCount: Int) -> Range<Int> {
    guard !run.isEmpty else { return 0..<0 }
    let end = run.upperBound < pages.count ? pages[run.upperBound].firstRow : rowCount
    return pages[run.lowerBound].firstRow..<end
  }
}

extension ParquetFile {
  /// Whether a chunk may hold a value from `least` through `greatest`, by its statistics.
  /// - Precondition: `least` and `greatest` are values of the leaf's type.
  package func mayHold(rowGroup: Int, leaf: Int, least: Buffer, greatest: Buffer) -> Bool {
    let column = schema.leaves[leaf]
    guard let order = ValueOrder(column),
      let statistics = metadata.rowGroups[rowGroup].columns[leaf].metadata?.statistics,
      let low = statistics.minValue, let high = statistics.maxValue, order.admits(low), order.admits(high)
    else { return true }
    return !order.isLess(high, least) && !order.isLess(greatest, low)
  }

  /// Where the bloom filter of a column chunk lies, if it has one; where the footer leaves its length out, up to the
  /// largest that the format allows.
  package func bloomFilterRange(rowGroup: Int, leaf: Int) -> Range<Int>? {
    let chunk = metadata.rowGroups[rowGroup].columns[leaf].metadata
    guard let offset = chunk?.bloomFilterOffset, offset > 0, offset < byteCount else { return nil }
    let size = chunk?.bloomFilterByteCount ?? (128 << 20) + 64
    return offset..<offset + min(size, byteCount - offset)
  }

  /// Reads the bloom filter of a column chunk, if it has one.
  package func bloomFilter(
    _ source: some ByteSource, rowGroup: Int, leaf: Int
  ) throws -> SplitBlockBloomFilter? {
    guard var range = bloomFilterRange(rowGroup: rowGroup, leaf: leaf) else { return nil }
    if metadata.rowGroups[rowGroup].columns[leaf].metadata?.bloomFilterByteCount == nil {
      let header = try source.read(range.prefix(SplitBlockBloomFilter.headerByteCount))
      range = range.prefix(try SplitBlockBloomFilter.byteCount(header: header))
    }
    return try SplitBlockBloomFilter(decoding: source.read(range))
  }
}

extension ValueOrder {
  /// Whether `bound` is a value of this order, as far as its length says.
  func admits(_ bound: Buffer) -> Bool {
    switch self {
    case .boolean: bound.byteCount == 1
    case .float16: bound.byteCount == 2
    case .int32, .uint32, .float: bound.byteCount == 4
    case .int64, .uint64, .double: bound.byteCount == 8
    case .decimal128: bound.byteCount == 16
    case .byteArrays, .fixedBytes: true
    }
  }
}
