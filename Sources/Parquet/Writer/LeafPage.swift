import Arrow
import ArrowKernels
import Buffers

/// The unfinished page of a leaf column: its levels as runs and its values as PLAIN has them.
struct LeafPage: ~Copyable {
  private let column: LeafColumn
  private(set) var values: LeafValues
  private var definitionRuns: RunLengthEncoder
  private var repetitionRuns: RunLengthEncoder
  /// Values, nulls and empty lists.
  private(set) var slotCount = 0
  /// Both levels as the page has them, once it is closed.
  private(set) var levels = BufferBuilder()

  init(_ column: LeafColumn, type: DataType, options: LeafOptions) throws(ParquetError) {
    self.column = column
    definitionRuns = RunLengthEncoder(width: RunLengthEncoder.width(for: column.maxDefinitionLevel))
    repetitionRuns = RunLengthEncoder(width: RunLengthEncoder.width(for: column.maxRepetitionLevel))
    values = try LeafValues(
      type, storesMilliseconds: options.storesMilliseconds, keepsListsOnce: options.keepsListsOnce)
  }

  mutating func closeLevels() {
    levels.truncate(to: 0)
    if column.maxRepetitionLevel > 0 { repetitionRuns.finish(into: &levels, hasByteCount: true) }
    if column.maxDefinitionLevel > 0 { definitionRuns.finish(into: &levels, hasByteCount: true) }
  }

  mutating func removeAll() {
    values.removeAll()
    slotCount = 0
  }

  // MARK: Rows

  /// Adds `count` slots of these levels; values follow for those at the column's own definition level.
  private mutating func append(definitionLevel: Int, repetitionLevel: Int, count: Int = 1) {
    slotCount &+= count
    if column.maxDefinitionLevel > 0 { definitionRuns.append(UInt32(definitionLevel), count: count) }
    if column.maxRepetitionLevel > 0 { repetitionRuns.append(UInt32(repetitionLevel), count: count) }
  }

  /// Adds rows of a column of plain values: a slot each.
  mutating func append(_ array: ArrowArray, _ range: Range<Int>) throws(ParquetError) {
    let level = column.maxDefinitionLevel
    guard array.nullCount > 0 else {
      append(definitionLevel: level, repetitionLevel: 0, count: range.count)
      return try values.append(array, range)
    }
    var position = range.lowerBound
    while position < range.upperBound {
      let run = array.run(from: position, to: range.upperBound)
      append(definitionLevel: run.isValid ? level : level - 1, repetitionLevel: 0, count: run.end - position)
      if run.isValid { try values.append(array, position..<run.end) }
      position = run.end
    }
  }

  /// Adds rows of a column of lists; their elements are plain values, none of them null.
  /// - Parameters:
  ///   - indices: where each row's list lies in `lists`, Int32, negative for null; nil when row by row.
  ///   - definitionLevel: of an empty list.
  mutating func append(
    lists: ArrowArray, of child: ArrowArray, at indices: Buffer?, _ range: Range<Int>, definitionLevel: Int
  ) throws(ParquetError) {
    var pending = 0..<0
    let ahead = PrefetchedLists(lists, of: child, at: indices)
    for row in range {
      ahead?.prefetch(min(row + 8, range.upperBound - 1))
      let index = indices.map { Int($0.load(row, as: Int32.self)) } ?? row
      let isNull = index < 0 || lists.isNull(index)
      let elements = isNull ? 0..<0 : lists.range(index)
      if elements.isEmpty {
        append(definitionLevel: isNull ? definitionLevel - 1 : definitionLevel, repetitionLevel: 0)
        continue
      }
      append(definitionLevel: column.maxDefinitionLevel, repetitionLevel: 0)
      append(definitionLevel: column.maxDefinitionLevel, repetitionLevel: 1, count: elements.count - 1)
      if pending.isEmpty, values.append(list: elements, of: child) { continue }
      if elements.lowerBound == pending.upperBound {
        pending = pending.lowerBound..<elements.upperBound
      } else {
        try append(values: child, pending)
        pending = elements
      }
    }
    try append(values: child, pending)
  }

  /// Adds slots of any nesting.
  mutating func append(_ slots: NestedSlots, _ array: ArrowArray) throws(ParquetError) {
    var pending = 0..<0
    for slot in slots.elements {
      append(definitionLevel: Int(slot.definitionLevel), repetitionLevel: Int(slot.repetitionLevel))
      guard slot.index >= 0 else { continue }
      if slot.index == pending.upperBound {
        pending = pending.lowerBound..<slot.index + 1
      } else {
        try append(values: array, pending)
        pending = slot.index..<slot.index + 1
      }
    }
    try append(values: array, pending)
  }

  private mutating func append(values array: ArrowArray, _ range: Range<Int>) throws(ParquetError) {
    if !range.isEmpty { try values.append(array, range) }
  }
}

/// Wide lists that are taken out of a dictionary, and so from everywhere in memory.
private struct PrefetchedLists {
  private let indices: Buffer
  private let values: Buffer
  private let width: Int

  init?(_ lists: ArrowArray, of child: ArrowArray, at indices: Buffer?) {
    guard let indices, case .fixedSizeList(_, let length) = lists.type, case .fixed(let values) = child.storage,
      let width = child.type.byteWidth, length * width >= 64
    else { return nil }
    (self.indices, self.values, self.width) = (indices, values, length * width)
  }

  @inline(__always) func prefetch(_ row: Int) {
    let index = max(0, Int(indices.load(row, as: Int32.self)))
    values.prefetch(byteOffset: index * width, byteCount: width)
  }
}

/// The slots of a nested column at one level of nesting.
struct NestedSlots {
  struct Element {
    /// Into the array of that level; -1 where an ancestor is null or empty.
    var index: Int
    var definitionLevel: UInt8
    var repetitionLevel: UInt8
  }

  private(set) var elements: [Element] = []

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
  func opened(_ lists: ArrowArray, _ node: ColumnNode) -> NestedSlots {
    var opened = NestedSlots()
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
