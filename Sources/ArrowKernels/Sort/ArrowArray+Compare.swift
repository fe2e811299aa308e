import Arrow
import Buffers
import Glibc

extension ArrowArray {
  /// How value `index` stands to value `otherIndex` of `other`, of the same type: negative before, 0 equal, positive
  /// after. Nulls first; the order is `sortPermutation`'s.
  public func compare(_ index: Int, _ other: ArrowArray, _ otherIndex: Int) -> Int {
    if case .dictionary(_, let values) = storage, isValid(index) {
      return values.compare(dictionaryIndex(index), other, otherIndex)
    }
    if case .dictionary(_, let values) = other.storage, other.isValid(otherIndex) {
      return compare(index, values, other.dictionaryIndex(otherIndex))
    }
    let (isNull, otherIsNull) = (isNull(index), other.isNull(otherIndex))
    if isNull || otherIsNull { return (isNull ? 0 : 1) - (otherIsNull ? 0 : 1) }
    switch (storage, other.storage) {
    case (.boolean(let bits), .boolean(let others)): return (bits[index] ? 1 : 0) - (others[otherIndex] ? 1 : 0)
    case (.variable, .variable): return bytes(index).compare(other.bytes(otherIndex))
    case (.fixed(let values), .fixed(let others)): return compareFixed(values, index, others, otherIndex)
    default: preconditionFailure("\(type) has no order")
    }
  }

  func precedes(_ index: Int, _ other: ArrowArray, _ otherIndex: Int) -> Bool { compare(index, other, otherIndex) < 0 }

  private func compareFixed(_ values: Buffer, _ index: Int, _ others: Buffer, _ otherIndex: Int) -> Int {
    func order<Value: Comparable & BitwiseCopyable>(_ type: Value.Type) -> Int {
      let (left, right) = (values.load(index, as: Value.self), others.load(otherIndex, as: Value.self))
      return left < right ? -1 : left == right ? 0 : 1
    }
    func totalOrder<Value: BinaryFloatingPoint & BitwiseCopyable>(_ type: Value.Type) -> Int {
      let (left, right) = (values.load(index, as: Value.self), others.load(otherIndex, as: Value.self))
      return !right.isTotallyOrdered(belowOrEqualTo: left) ? -1 : !left.isTotallyOrdered(belowOrEqualTo: right) ? 1 : 0
    }
    switch type {
    case .int8: return order(Int8.self)
    case .uint8: return order(UInt8.self)
    case .int16: return order(Int16.self)
    case .uint16: return order(UInt16.self)
    case .uint32: return order(UInt32.self)
    case .uint64: return order(UInt64.self)
    case .int32, .date32, .time32: return order(Int32.self)
    case .float16: return totalOrder(Float16.self)
    case .float32: return totalOrder(Float.self)
    case .float64: return totalOrder(Double.self)
    case .decimal128: return order(Int128.self)
    case .fixedSizeBinary: return bytes(index).compare(bytes(otherIndex, of: others))
    default: return order(Int64.self)
    }
  }

  private func bytes(_ index: Int, of values: Buffer) -> Buffer {
    let width = type.byteWidth!
    return values.slice(index * width..<(index + 1) * width)
  }
}

extension Buffer {
  /// As memcmp orders; of two that begin alike the shorter is first.
  fileprivate func compare(_ other: Buffer) -> Int {
    unsafe withUnsafeBytes { left in
      unsafe other.withUnsafeBytes { right in
        let order = unsafe memcmp(left.baseAddress!, right.baseAddress!, min(left.count, right.count))
        return order != 0 ? Int(order) : left.count - right.count
      }
    }
  }
}

extension RecordBatch {
  /// How row `row` stands to row `otherRow` of `other` by the columns at `keys`, the first deciding first.
  public func compare(_ row: Int, _ other: RecordBatch, _ otherRow: Int, by keys: [Int]) -> Int {
    for key in keys {
      let order = columns[key].compare(row, other.columns[key], otherRow)
      if order != 0 { return order }
    }
    return 0
  }

  /// The permutation that sorts the rows by the columns at `keys`: Int32 each, stable.
  public func sortPermutation(by keys: [Int]) -> Buffer { ArrowArray.sortPermutation(keys.map { columns[$0] }) }
}
