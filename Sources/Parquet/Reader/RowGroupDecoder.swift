import Arrow
import Buffers

/// Decodes the bytes that a plan asked for, as one batch or several.
package final class RowGroupDecoder {
  private let projection: ReadProjection
  private let plan: ReadPlan
  /// In the order of the projection's.
  private let leaves: [LeafReader]
  private var isAtFirstRow = true
  /// Rows of the plan that were not returned yet.
  package private(set) var rowsLeft: Int

  /// - Parameters:
  ///   - bytes: those of the plan's ranges, in their order.
  ///   - dictionaries: the ones that the plan left out, by leaf.
  package init(
    _ plan: ReadPlan, bytes: [Buffer], dictionaries: [Int: LeafDictionary] = [:]
  ) throws(ParquetError) {
    precondition(bytes.count == plan.ranges.count, "\(bytes.count) buffers for \(plan.ranges.count) ranges")
    let projection = plan.projection
    self.projection = projection
    self.plan = plan
    rowsLeft = plan.rows.count
    var readers: [LeafReader] = []
    readers.reserveCapacity(plan.leaves.count)
    for (source, leaf) in zip(projection.leaves, plan.leaves) {
      let chunk = try projection.file.chunk(rowGroup: plan.rowGroup, leaf: source.index)
      let segments = leaf.ranges.map { PageCursor.Segment(byteOffset: plan.ranges[$0].lowerBound, bytes: bytes[$0]) }
      readers.append(
        LeafReader(
          source, chunk, segments, valueCount: leaf.isWhole ? chunk.valueCount : .max,
          dictionary: dictionaries[source.index], options: projection.options))
    }
    leaves = readers
  }

  /// The next rows, `limit` of them at most; nil when all were returned.
  package func next(_ limit: Int = .max, _ decoder: inout PageDecoder) throws(ParquetError) -> RecordBatch? {
    guard rowsLeft > 0 else { return nil }
    if isAtFirstRow { try skipToFirstRow(&decoder) }
    let count = min(limit, rowsLeft)
    var budget = projection.options.batchByteLimit
    var columns: [ArrowArray] = []
    columns.reserveCapacity(projection.columns.count)
    var first = 0
    for column in projection.columns {
      let node = projection.file.schema.columns[column]
      var slots: [LeafSlots] = []
      for leaf in leaves[first..<first + node.leaves.count] {
        let values = try leaf.read(count, isLast: count == rowsLeft, limit: budget, decoder: &decoder)
        budget = max(0, budget - values.byteCount)
        slots.append(values)
      }
      first += node.leaves.count
      columns.append(try assemble(node, slots, count))
    }
    rowsLeft -= count
    return RecordBatch(projection.schema, columns, rowCount: count)
  }

  private func skipToFirstRow(_ decoder: inout PageDecoder) throws(ParquetError) {
    isAtFirstRow = false
    for (reader, leaf) in zip(leaves, plan.leaves) where plan.rows.lowerBound > leaf.firstRow {
      try reader.skip(
        plan.rows.lowerBound - leaf.firstRow, limit: projection.options.batchByteLimit, decoder: &decoder)
    }
  }

  private func assemble(
    _ node: ColumnNode, _ slots: [LeafSlots], _ count: Int
  ) throws(ParquetError) -> ArrowArray {
    let array =
      node.isNested
      ? try ColumnAssembler(slots, firstLeaf: node.leaves.lowerBound).array(node) : slots[0].values
    guard array.count == count else {
      throw ParquetError(.countMismatch("rows", expected: count, actual: array.count), column: node.field.name)
    }
    return array
  }

  /// The dictionaries of the plan's leaves, as far as their pages were read: to be given to later decoders.
  package var dictionaries: [Int: LeafDictionary] {
    var found: [Int: LeafDictionary] = [:]
    for (reader, source) in zip(leaves, projection.leaves) { found[source.index] = reader.dictionary }
    return found
  }
}
