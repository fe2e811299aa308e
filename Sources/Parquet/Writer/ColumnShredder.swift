import Arrow
import ArrowKernels
import Buffers

/// Takes the rows of one column of the table apart into the levels and values of its leaves, a page at a time.
///
/// - Source: Dremel's record shredding, as Parquet's `README.md`, "Nested Encoding", has it.
final class ColumnShredder {
  private let node: ColumnNode
  let leaves: [LeafWriter]
  private var pageSize: PageSize
  private let pageByteCount: Int
  private var rowsInPage = 0
  private var rowsInChunk = 0

  /// How many rows are added before the page's size is looked at, where they may fill it.
  private static let stepRowCount = 128

  init(_ node: ColumnNode, leaves: [LeafWriter], pageSize: PageSize, pageByteCount: Int) {
    self.node = node
    self.leaves = leaves
    self.pageSize = pageSize
    self.pageByteCount = pageByteCount
  }

  /// Adds the rows `range` of `array`.
  func append(_ array: ArrowArray, _ range: Range<Int>, using context: inout ParquetEncoderContext) throws(ParquetError)
  {
    let column = ColumnRows(array, range)
    var start = column.range.lowerBound
    while start < column.range.upperBound {
      var end = min(column.range.upperBound, start + pageSize.rowCount - rowsInChunk % pageSize.rowCount)
      if mayFillPage(column, start..<end) {
        end = min(end, start + Self.stepRowCount - rowsInPage % Self.stepRowCount)
      }
      try shred(column, start..<end)
      rowsInPage += end - start
      rowsInChunk += end - start
      start = end
      if isPageFull { try closePage(&context) }
    }
  }

  /// Whether so many bytes may come that the page must end before it has all its rows.
  private func mayFillPage(_ column: ColumnRows, _ range: Range<Int>) -> Bool {
    guard let byteCount = column.plainByteCount(range) else { return true }
    return leaves.contains { $0.page.values.byteCount + byteCount >= pageByteCount }
  }

  /// At its rows or, looked at where the batches' cuts make no difference, at its bytes.
  private var isPageFull: Bool {
    if rowsInChunk.isMultiple(of: pageSize.rowCount) { return true }
    return rowsInPage % Self.stepRowCount == 0 && leaves.contains { $0.page.values.byteCount >= pageByteCount }
  }

  private func closePage(_ context: inout ParquetEncoderContext) throws(ParquetError) {
    for leaf in leaves { try leaf.closePage(rowCount: rowsInPage, using: &context) }
    let stored = leaves.compactMap(\.lastPageByteCount)
    if stored.count == leaves.count, let largest = stored.max() {
      pageSize.note(rowCount: rowsInPage, byteCount: largest)
    }
    rowsInPage = 0
  }

  /// Ends the unfinished page and the chunks.
  func closeChunks(
    falsePositiveRate: Double, using context: inout ParquetEncoderContext
  ) throws(ParquetError) -> [FinishedChunk] {
    if rowsInPage > 0 { try closePage(&context) }
    rowsInChunk = 0
    var chunks: [FinishedChunk] = []
    for leaf in leaves { chunks.append(try leaf.closeChunk(falsePositiveRate: falsePositiveRate, using: &context)) }
    return chunks
  }

  // MARK: Shredding

  private func shred(_ column: ColumnRows, _ range: Range<Int>) throws(ParquetError) {
    let values = column.values
    if column.hasNulls { try requireNullable(node) }
    do {
      switch (node.kind, values.children.first) {
      case (.leaf, _): try leaves[0].page.append(values, range)
      case (.list(let element), let child?) where element.isLeaf && child.nullCount == 0 && !child.isDictionary:
        try leaves[0].page.append(
          lists: values, of: child, at: column.indices, range, definitionLevel: node.definitionLevel)
      default: try shred(node, column.slice(range), NestedSlots(rows: range.count))
      }
    } catch {
      throw error.located(column: leaves.count == 1 ? leaves[0].column.name : node.field.name)
    }
  }

  /// Any column, a level of nesting at a time.
  private func shred(_ node: ColumnNode, _ array: ArrowArray, _ slots: NestedSlots) throws(ParquetError) {
    let array = array.decoded
    var slots = slots
    if array.nullCount > 0, !slots.dropNulls(of: array) { try requireNullable(node) }
    slots.raise(to: node.definitionLevel)
    switch (node.kind, array.storage) {
    case (.leaf(let index), _): try leaves[index - self.node.leaves.lowerBound].page.append(slots, array)
    case (.structure(let children), .structure(let arrays)) where children.count == arrays.count:
      for (child, array) in zip(children, arrays) { try shred(child, array, slots) }
    case (.list(let element), .list(_, let child)), (.list(let element), .fixedSizeList(let child)):
      try shred(element, child, slots.opened(array, node))
    case (.map(let entries), .list(_, let child)):
      // An entry is never null, whatever its array says; keys and values speak for themselves.
      let present = ArrowArray(child.type, count: child.count, storage: child.storage)
      try shred(entries, present, slots.opened(array, node))
    default: throw ParquetError(.unsupportedType("\(array.type) in a column of \(node.field.type)"))
    }
  }

  private func requireNullable(_ node: ColumnNode) throws(ParquetError) {
    if node.field.isNullable { return }
    throw ParquetError(
      .unsupported("a null in field '\(node.field.name)', which is not nullable,"), column: self.node.field.name)
  }
}

extension ColumnNode {
  fileprivate var isLeaf: Bool { if case .leaf = kind { true } else { false } }
}
