import Arrow
import Buffers
import Glibc

/// Sort keys of several columns, packed side by side into as few 64-bit words as hold them.
///
/// A column takes as many bits as its range of values; nulls are the least value. So (user, time) mostly is one word.
struct PackedKeys: ~Copyable {
  private let count: Int
  /// The words so far, most significant first, UInt64 per row each, and how many of the last one's bits are used.
  private var words: [Buffer] = []
  private var current: BufferBuilder
  private var usedBits = 0

  init(count: Int) {
    self.count = count
    current = BufferBuilder(capacity: count * 8)
    current.append(zeroes: count * 8)
  }

  /// Adds a less significant column, whose values are those of `chunks` one after the other.
  mutating func append(_ chunks: [ArrowArray]) {
    let hasNulls = chunks.contains { $0.nullCount > 0 }
    var range = KeyRange()
    for chunk in chunks { range.include(chunk) }
    if hasNulls && range.width == 64 {
      // No value is left for nulls: their bit is a key of its own.
      append(chunks.map(\.isValidArray))
      append(chunks, KeyRange(lowest: range.lowest, highest: range.highest, shift: 0))
    } else {
      append(chunks, KeyRange(lowest: range.lowest, highest: range.highest, shift: hasNulls ? 1 : 0))
    }
  }

  private mutating func append(_ chunks: [ArrowArray], _ range: KeyRange) {
    if usedBits + range.width > 64 {
      words.append(current.take())
      current.append(zeroes: count * 8)
      usedBits = 0
    }
    usedBits += range.width
    let count = count
    current.withMutableSpan(of: UInt64.self) { keys in
      var start = 0
      for chunk in chunks {
        chunk.addKeys(range, to: &keys, at: start)
        start += chunk.count
      }
      precondition(start == count, "columns of several lengths")
    }
  }

  /// The words, least significant last.
  consuming func finish() -> [Buffer] {
    words.append(current.take())
    return words
  }
}

/// The range of a column's values in sort order.
private struct KeyRange {
  var lowest = UInt64.max
  var highest = UInt64.min
  /// 1 when 0 stands for null.
  var shift: UInt64 = 0

  /// How many bits a key takes.
  var width: Int {
    if lowest > highest { return shift == 0 ? 0 : 1 }
    let (top, overflow) = (highest - lowest).addingReportingOverflow(shift)
    return overflow ? 64 : 64 - top.leadingZeroBitCount
  }

  mutating func include(_ array: ArrowArray) {
    let order = array.order()
    let values = order.span(of: UInt64.self)
    var (lowest, highest) = (lowest, highest)
    if array.nullCount == 0 {
      for row in 0..<array.count {
        lowest = min(lowest, unsafe values[unchecked: row])
        highest = max(highest, unsafe values[unchecked: row])
      }
    } else {
      for row in 0..<array.count where array.isValid(row) {
        lowest = min(lowest, values[row])
        highest = max(highest, values[row])
      }
    }
    (self.lowest, self.highest) = (lowest, highest)
  }
}

extension ArrowArray {
  /// The permutation that sorts rows by `columns`, the first column deciding first: Int32 each.
  ///
  /// Ascending, nulls first, stable. Integers and times by value, floats by IEEE 754's total order, text and binary by
  /// bytes, false before true, dictionaries by value.
  /// - Precondition: columns of equal length, none nested.
  public static func sortPermutation(_ columns: [ArrowArray]) -> Buffer {
    sortPermutation(chunked: columns.map { [$0] }, rowCount: columns.first?.count ?? 0)
  }

  /// Like `sortPermutation(_:)` for columns that lie in chunks; rows are numbered through all of them.
  /// - Precondition: text and dictionaries in one chunk only.
  public static func sortPermutation(chunked columns: [[ArrowArray]], rowCount: Int) -> Buffer {
    precondition(rowCount <= Int32.max, "\(rowCount) rows to sort")
    var keys = PackedKeys(count: rowCount)
    for column in columns { keys.append(column) }
    var words = keys.finish()
    var sort = RadixSort(count: rowCount)
    while let word = words.popLast() { sort.sort(by: word) }
    return sort.finish()
  }

  /// Whether each value is there, as a boolean column.
  fileprivate var isValidArray: ArrowArray {
    ArrowArray(.boolean, count: count, storage: .boolean(validity ?? Bitmap(repeating: nullCount == 0, count: count)))
  }

  /// Shifts each key up and puts this column's below.
  fileprivate func addKeys(_ range: KeyRange, to keys: inout MutableSpan<UInt64>, at start: Int) {
    if range.width == 0 { return }
    let order = order()
    let values = order.span(of: UInt64.self)
    // A key of 64 bits has its word to itself, which is zero.
    let width = UInt64(range.width & 63)
    if nullCount == 0 {
      for row in 0..<count {
        let value = unsafe values[unchecked: row] &- range.lowest &+ range.shift
        keys[start &+ row] = keys[start &+ row] &<< width | value
      }
    } else {
      for row in 0..<count {
        let value = isValid(row) ? unsafe values[unchecked: row] &- range.lowest &+ range.shift : 0
        keys[start &+ row] = keys[start &+ row] &<< width | value
      }
    }
  }
}

// MARK: The order of a column's values

extension ArrowArray {
  /// UInt64 per value, ascending as the values do; nulls have any.
  fileprivate func order() -> Buffer {
    switch storage {
    case .boolean(let bits): mapOrder { bits[$0] ? 1 : 0 }
    case .fixed(let values): fixedOrder(values)
    case .variable: distinctOrder(self)
    case .dictionary(_, let values): dictionaryOrder(values)
    case .null: mapOrder { _ in 0 }
    case .list, .fixedSizeList, .structure: preconditionFailure("\(type) has no order")
    }
  }

  @inline(__always) private func mapOrder(_ body: (Int) -> UInt64) -> Buffer {
    var output = BufferBuilder(capacity: count * 8)
    unsafe output.appendUnsafely(capacity: count * 8) { memory in
      let keys = unsafe memory.assumingMemoryBound(to: UInt64.self)
      for row in 0..<count { unsafe keys[row] = body(row) }
      return memory.count
    }
    return output.finish()
  }

  private func fixedOrder(_ values: Buffer) -> Buffer {
    precondition(values.byteCount >= count * type.byteWidth!, "\(values.byteCount) bytes for \(count) values")
    let sign = UInt64(1) << 63
    func signed(_ value: Int64) -> UInt64 { UInt64(bitPattern: value) ^ sign }
    // A negative float's bits descend: flip them all; a positive one's ascend after the negatives.
    func float(_ bits: Int64) -> UInt64 { signed(bits ^ ((bits &>> 63) & .max)) }
    switch type {
    case .int8: return mapOrder { unsafe signed(Int64(values.load(unchecked: $0, as: Int8.self))) }
    case .uint8: return mapOrder { unsafe UInt64(values.load(unchecked: $0, as: UInt8.self)) }
    case .int16: return mapOrder { unsafe signed(Int64(values.load(unchecked: $0, as: Int16.self))) }
    case .uint16: return mapOrder { unsafe UInt64(values.load(unchecked: $0, as: UInt16.self)) }
    case .uint32: return mapOrder { unsafe UInt64(values.load(unchecked: $0, as: UInt32.self)) }
    case .uint64: return mapOrder { unsafe values.load(unchecked: $0, as: UInt64.self) }
    case .int32, .date32, .time32: return mapOrder { unsafe signed(Int64(values.load(unchecked: $0, as: Int32.self))) }
    case .float16: return mapOrder { unsafe float(Int64(values.load(unchecked: $0, as: Int16.self)) &<< 48) }
    case .float32: return mapOrder { unsafe float(Int64(values.load(unchecked: $0, as: Int32.self)) &<< 32) }
    case .float64: return mapOrder { unsafe float(values.load(unchecked: $0, as: Int64.self)) }
    case .decimal128, .fixedSizeBinary: return distinctOrder(self)
    default: return mapOrder { unsafe signed(values.load(unchecked: $0, as: Int64.self)) }
    }
  }

  /// Ranks among the distinct values, which alone are compared.
  private func distinctOrder(_ array: ArrowArray) -> Buffer {
    var merger = DictionaryMerger(type)
    let numbers = merger.add(array)
    let ranks = Self.ranks(merger.values())
    return mapOrder { row in
      let number = Int(numbers.load(row, as: Int32.self))
      return number < 0 ? 0 : ranks[number]
    }
  }

  private func dictionaryOrder(_ values: ArrowArray) -> Buffer {
    // Equal values may occur twice in a dictionary, so their ranks come from the distinct ones.
    var merger = DictionaryMerger(values.type)
    let numbers = merger.add(values)
    let ranks = Self.ranks(merger.values())
    let indices = dictionaryIndices()
    return mapOrder { row in
      let index = Int(indices.load(row, as: Int32.self))
      let number = index < 0 ? -1 : Int(numbers.load(index, as: Int32.self))
      return number < 0 ? 0 : ranks[number]
    }
  }

  /// The rank of each of some distinct values without nulls.
  private static func ranks(_ values: ArrowArray) -> [UInt64] {
    let order = (0..<values.count).sorted { values.precedes($0, values, $1) }
    var ranks = [UInt64](repeating: 0, count: values.count)
    for (rank, row) in order.enumerated() { ranks[row] = UInt64(rank) }
    return ranks
  }
}
