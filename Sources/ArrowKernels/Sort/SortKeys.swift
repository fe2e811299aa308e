import Arrow
import Buffers
import Glibc

/// A column's values as UInt64 in the same order, nulls first, with 0 the least.
struct SortKeys {
  /// UInt64 each.
  var keys: Buffer
  /// How many low bits any key uses.
  var width: Int

  init(_ array: ArrowArray) {
    let ranks = array.order()
    let count = array.count
    var (lowest, highest) = (UInt64.max, UInt64.min)
    let values = ranks.span(of: UInt64.self)
    for row in 0..<count where array.isValid(row) {
      lowest = min(lowest, values[row])
      highest = max(highest, values[row])
    }
    let hasNulls = array.nullCount > 0
    // With nulls, values begin at 1; should that overflow, the range is the full 64 bits and all keys are kept as they
    // are, nulls by their place among them: `sortPermutation` then sorts by validity in a pass of its own.
    let span = lowest > highest ? 0 : highest - lowest
    let shift: UInt64 = hasNulls && span < .max ? 1 : 0
    var output = BufferBuilder(capacity: count * 8)
    unsafe output.appendUnsafely(capacity: count * 8) { memory in
      let keys = unsafe memory.assumingMemoryBound(to: UInt64.self)
      for row in 0..<count {
        unsafe keys[row] = values[unchecked: row] &- lowest &+ shift
      }
      return memory.count
    }
    if hasNulls {
      output.withMutableSpan(of: UInt64.self) { keys in
        for row in 0..<count where array.isNull(row) { keys[row] = 0 }
      }
    }
    keys = output.finish()
    width = 64 - (span &+ shift < span ? UInt64.max : span + shift).leadingZeroBitCount
  }
}

extension ArrowArray {
  /// The permutation that sorts rows by `columns`, the first column deciding first: Int32 each.
  ///
  /// Ascending, nulls first, stable. Integers and times by value, floats by IEEE 754's total order, text and binary by
  /// bytes, false before true, dictionaries by value.
  /// - Precondition: columns of equal length, none nested.
  public static func sortPermutation(_ columns: [ArrowArray]) -> Buffer {
    precondition(!columns.isEmpty, "no column to sort by")
    var words = packedKeys(columns)
    var sort = RadixSort(count: columns[0].count)
    while let word = words.popLast() { sort.sort(by: word) }
    return sort.finish()
  }

  /// The columns' keys packed side by side into as few words as hold them, most significant first.
  private static func packedKeys(_ columns: [ArrowArray]) -> [Buffer] {
    var words: [(keys: Buffer, width: Int)] = []
    for column in columns {
      precondition(column.count == columns[0].count, "columns of several lengths")
      for key in column.sortKeys() {
        if let last = words.last, last.width + key.width <= 64 {
          words[words.count - 1] = (pack(last.keys, key.keys, width: key.width), last.width + key.width)
        } else {
          words.append((key.keys, key.width))
        }
      }
    }
    return words.map(\.keys)
  }

  /// A column's keys; a first key of validity alone where nulls do not fit among 64-bit values.
  private func sortKeys() -> [SortKeys] {
    let keys = SortKeys(self)
    guard nullCount > 0, keys.width == 64, let validity else { return [keys] }
    return [SortKeys(ArrowArray(.boolean, count: count, storage: .boolean(validity))), keys]
  }

  private static func pack(_ high: Buffer, _ low: Buffer, width: Int) -> Buffer {
    var output = BufferBuilder(capacity: high.byteCount)
    unsafe output.appendUnsafely(capacity: high.byteCount) { memory in
      let keys = unsafe memory.assumingMemoryBound(to: UInt64.self)
      for row in 0..<high.byteCount / 8 {
        let upper = unsafe high.load(unchecked: row, as: UInt64.self)
        unsafe keys[row] = (width == 64 ? 0 : upper &<< UInt64(width)) | low.load(unchecked: row, as: UInt64.self)
      }
      return memory.count
    }
    return output.finish()
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
