import Arrow
import ArrowKernels
import Buffers

/// Takes the rows of one column of the table apart into the levels and values of its leaves, a page at a time.
///
/// - Source: Dremel's record shredding, as Parquet's `README.md`, "Nested Encoding", has it.
final class ColumnShredder {
  private let node: ColumnNode
  let leaves: [LeafWriter]
  private let pageRowCount: Int
  private var rowsInPage = 0

  init(_ node: ColumnNode, leaves: [LeafWriter], pageRowCount: Int) {
    self.node = node
    self.leaves = leaves
    self.pageRowCount = pageRowCount
  }

  /// Adds the rows `range` of `array`.
  func append(_ array: ArrowArray, _ range: Range<Int>, using context: inout ParquetEncoderContext) throws(ParquetError)
  {
    var start = range.lowerBound
    while start < range.upperBound {
      let end = min(range.upperBound, start + pageRowCount - rowsInPage)
      try shred(array, start..<end)
      rowsInPage += end - start
      start = end
      if rowsInPage == pageRowCount { try closePage(&context) }
    }
  }

  private func closePage(_ context: inout ParquetEncoderContext) throws(ParquetError) {
    for leaf in leaves { try leaf.closePage(rowCount: rowsInPage, using: &context) }
    rowsInPage = 0
  }

  /// Ends the unfinished page and the chunks.
  func closeChunks(
    falsePositiveRate: Double, using context: inout ParquetEncoderContext
  ) throws(ParquetError) -> [FinishedChunk] {
    if rowsInPage > 0 { try closePage(&context) }
    var chunks: [FinishedChunk] = []
    for leaf in leaves { chunks.append(try leaf.closeChunk(falsePositiveRate: falsePositiveRate, using: &context)) }
    return chunks
  }

  // MARK: Shredding

  private func shred(_ array: ArrowArray, _ range: Range<Int>) throws(ParquetError) {
    switch node.kind {
    case .leaf: try appendFlat(array, range)
    case .list(let element):
      if case .leaf = element.kind { return try appendFlatLists(array, range, element) }
      try shredNested(array, range)
    case .structure, .map: try shredNested(array, range)
    }
  }

  private func shredNested(_ array: ArrowArray, _ range: Range<Int>) throws(ParquetError) {
    try shred(node, array.slice(range).decoded, Slots(rows: range.count))
  }

  /// A column of plain values: a slot per row.
  private func appendFlat(_ array: ArrowArray, _ range: Range<Int>) throws(ParquetError) {
    let leaf = leaves[0]
    let (array, range) = array.isDictionary ? (array.slice(range).decoded, 0..<range.count) : (array, range)
    guard array.nullCount > 0 else {
      leaf.append(definitionLevel: node.definitionLevel, repetitionLevel: 0, count: range.count)
      return try leaf.append(array, range)
    }
    try requireNullable(node)
    var position = range.lowerBound
    while position < range.upperBound {
      let run = array.run(from: position, to: range.upperBound)
      leaf.append(
        definitionLevel: run.isValid ? node.definitionLevel : node.definitionLevel - 1, repetitionLevel: 0,
        count: run.end - position)
      if run.isValid { try leaf.append(array, position..<run.end) }
      position = run.end
    }
  }

  /// A column of lists of plain values without nulls among them; other lists go the general way.
  private func appendFlatLists(_ array: ArrowArray, _ range: Range<Int>, _ element: ColumnNode) throws(ParquetError) {
    let (lists, range) = array.isDictionary ? (array.slice(range).decoded, 0..<range.count) : (array, range)
    guard let child = lists.children.first, child.nullCount == 0, !child.isDictionary else {
      return try shredNested(array, range)
    }
    if lists.nullCount > 0 { try requireNullable(node) }
    let leaf = leaves[0]
    var pending = 0..<0
    for row in range {
      let elements = lists.isNull(row) ? 0..<0 : lists.range(row)
      if elements.isEmpty {
        leaf.append(
          definitionLevel: lists.isNull(row) ? node.definitionLevel - 1 : node.definitionLevel, repetitionLevel: 0)
        continue
      }
      leaf.beginList(length: elements.count)
      leaf.append(definitionLevel: element.definitionLevel, repetitionLevel: 0)
      leaf.append(
        definitionLevel: element.definitionLevel, repetitionLevel: element.repetitionLevel, count: elements.count - 1)
      if elements.lowerBound != pending.upperBound {
        try leaf.append(child, pending)
        pending = elements
      } else {
        pending = pending.lowerBound..<elements.upperBound
      }
    }
    try leaf.append(child, pending)
  }

  /// Any column, a level of nesting at a time.
  private func shred(_ node: ColumnNode, _ array: ArrowArray, _ slots: Slots) throws(ParquetError) {
    let array = array.decoded
    var slots = slots
    if array.nullCount > 0 || node.field.type == .null {
      guard slots.dropNulls(of: array) || node.field.isNullable else { throw notNullable(node) }
    }
    slots.raise(to: node.definitionLevel)
    switch (node.kind, array.storage) {
    case (.leaf(let index), _): try append(slots, array, to: leaves[index - self.node.leaves.lowerBound])
    case (.structure(let children), .structure(let arrays)):
      for (child, array) in zip(children, arrays) { try shred(child, array, slots) }
    case (.list(let element), .list(_, let child)), (.list(let element), .fixedSizeList(let child)):
      try shred(element, child, slots.opened(array, node))
    case (.map(let entries), .list(_, let child)):
      // An entry is never null, whatever its array says; keys and values speak for themselves.
      let entriesArray = ArrowArray(child.type, count: child.count, storage: child.storage)
      try shred(entries, entriesArray, slots.opened(array, node))
    default: throw ParquetError(.unsupportedType("\(array.type) in a column of \(node.field.type)"))
    }
  }

  private func append(_ slots: Slots, _ array: ArrowArray, to leaf: LeafWriter) throws(ParquetError) {
    var pending = 0..<0
    for slot in slots.elements {
      leaf.append(definitionLevel: Int(slot.definitionLevel), repetitionLevel: Int(slot.repetitionLevel))
      guard slot.index >= 0 else { continue }
      if slot.index == pending.upperBound {
        pending = pending.lowerBound..<slot.index + 1
      } else {
        try leaf.append(array, pending)
        pending = slot.index..<slot.index + 1
      }
    }
    try leaf.append(array, pending)
  }

  private func requireNullable(_ node: ColumnNode) throws(ParquetError) {
    if !node.field.isNullable { throw notNullable(node) }
  }

  private func notNullable(_ node: ColumnNode) -> ParquetError {
    ParquetError(
      .unsupported("a null in field '\(node.field.name)', which is not nullable,"), column: self.node.field.name)
  }
}

/// The slots of a nested column at one level of nesting.
private struct Slots {
  struct Element {
    /// Into the array of that level; -1 where an ancestor is null or empty.
    var index: Int
    var definitionLevel: UInt8
    var repetitionLevel: UInt8
  }

  var elements: [Element] = []

  private init() {}

  init(rows: Int) {
    elements = (0..<rows).map { Element(index: $0, definitionLevel: 0, repetitionLevel: 0) }
  }

  /// Ends the slots whose value is null; answers whether there was none.
  mutating func dropNulls(of array: ArrowArray) -> Bool {
    var isNone = true
    for position in elements.indices where elements[position].index >= 0 && array.isNull(elements[position].index) {
      elements[position].index = -1
      isNone = false
    }
    return isNone
  }

  mutating func raise(to definitionLevel: Int) {
    for position in elements.indices where elements[position].index >= 0 {
      elements[position].definitionLevel = UInt8(definitionLevel)
    }
  }

  /// The slots of the lists' elements; an empty list keeps its own.
  func opened(_ lists: ArrowArray, _ node: ColumnNode) -> Slots {
    var opened = Slots()
    opened.elements.reserveCapacity(elements.count)
    for slot in elements {
      let range = slot.index < 0 ? 0..<0 : lists.range(slot.index)
      if range.isEmpty {
        opened.elements.append(
          Element(index: -1, definitionLevel: slot.definitionLevel, repetitionLevel: slot.repetitionLevel))
      }
      for index in range {
        opened.elements.append(
          Element(
            index: index, definitionLevel: UInt8(node.definitionLevel + 1),
            repetitionLevel: index == range.lowerBound ? slot.repetitionLevel : UInt8(node.repetitionLevel + 1)))
      }
    }
    return opened
  }
}

extension ArrowArray {
  var isDictionary: Bool { if case .dictionary = storage { true } else { false } }

  /// A dictionary array's values row by row; any other array itself.
  var decoded: ArrowArray {
    guard case .dictionary(_, let values) = storage else { return self }
    return values.take(dictionaryIndices()).decoded
  }

  /// Where the run of equal validity that begins at `start` ends, at `limit` at the latest.
  fileprivate func run(from start: Int, to limit: Int) -> (isValid: Bool, end: Int) {
    guard let validity else { return (nullCount == 0, limit) }
    let isValid = validity[start]
    var position = start
    while position < limit {
      let word = isValid ? ~validity.word(at: position) : validity.word(at: position)
      if word != 0 { return (isValid, min(limit, position + word.trailingZeroBitCount)) }
      position += 64
    }
    return (isValid, limit)
  }
}
