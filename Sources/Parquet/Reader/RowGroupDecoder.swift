import Arrow
import Buffers

/// Decodes the bytes that a plan asked for, as one batch or several.
package final class RowGroupDecoder {
  private let file: ParquetFile
  private let plan: ReadPlan
  private let options: ReadOptions
  private let schema: Schema
  /// In the order of the plan's leaves.
  private let leaves: [LeafReader]
  private var isAtFirstRow = true
  /// Rows of the plan that were not returned yet.
  package private(set) var rowsLeft: Int

  /// - Parameters:
  ///   - bytes: those of the plan's ranges, in their order.
  ///   - dictionaries: the ones that the plan left out, by leaf.
  package init(
    _ file: ParquetFile, _ plan: ReadPlan, bytes: [Buffer], dictionaries: [Int: LeafDictionary] = [:],
    options: ReadOptions = ReadOptions()
  ) throws(ParquetError) {
    precondition(bytes.count == plan.ranges.count, "\(bytes.count) buffers for \(plan.ranges.count) ranges")
    self.file = file
    self.plan = plan
    self.options = options
    schema = file.arrowSchema(columns: plan.columns, options: options)
    rowsLeft = plan.rows.count
    var readers: [LeafReader] = []
    var next = 0
    for column in plan.columns {
      let node = file.schema.columns[column]
      for _ in node.leaves {
        let leaf = plan.leaves[next]
        let segments = leaf.ranges.map {
          PageCursor.Segment(byteOffset: plan.ranges[$0].lowerBound, bytes: bytes[$0])
        }
        let chunk = try file.chunk(rowGroup: plan.rowGroup, leaf: leaf.leaf)
        readers.append(
          LeafReader(
            file.schema.leaves[leaf.leaf], isNested: node.isNested, asDictionary: file.isDictionary(column, options),
            codec: chunk.codec, pages: PageCursor(segments), valueCount: leaf.isWhole ? chunk.valueCount : .max,
            dictionary: dictionaries[leaf.leaf], options: options))
        next += 1
      }
    }
    leaves = readers
  }

  /// The next rows, `limit` of them at most; nil when all were returned.
  package func next(_ limit: Int = .max, _ decoder: inout PageDecoder) throws(ParquetError) -> RecordBatch? {
    guard rowsLeft > 0 else { return nil }
    if isAtFirstRow { try skipToFirstRow(&decoder) }
    let count = min(limit, rowsLeft)
    var budget = options.batchByteLimit
    var columns: [ArrowArray] = []
    var first = 0
    for column in plan.columns {
      let node = file.schema.columns[column]
      var slots: [LeafSlots] = []
      for leaf in leaves[first..<first + node.leaves.count] {
        let values = try leaf.read(count, limit: budget, decoder: &decoder)
        budget = max(0, budget - values.byteCount)
        slots.append(values)
      }
      first += node.leaves.count
      columns.append(try assemble(node, slots, count))
    }
    rowsLeft -= count
    return RecordBatch(schema, columns, rowCount: count)
  }

  private func skipToFirstRow(_ decoder: inout PageDecoder) throws(ParquetError) {
    isAtFirstRow = false
    for (reader, leaf) in zip(leaves, plan.leaves) {
      try reader.skip(
        plan.rows.lowerBound - leaf.firstRow, limit: options.batchByteLimit, decoder: &decoder)
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
    for (reader, leaf) in zip(leaves, plan.leaves) { found[leaf.leaf] = reader.dictionary }
    return found
  }
}

extension ColumnNode {
  /// Whether the column is more than a leaf.
  var isNested: Bool { if case .leaf = kind { false } else { true } }
}
