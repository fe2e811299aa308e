import Arrow
import Buffers
import Glibc

extension ArrowArray {
  /// Whether value `index` equals value `otherIndex` of `other`: both null, or the same value bit for bit.
  ///
  /// So NaN equals the same NaN and 0.0 differs from -0.0. A dictionary's value equals the plain one. One row at a time:
  /// for loops over rows there are kernels.
  public func isEqual(_ index: Int, to other: ArrowArray, _ otherIndex: Int) -> Bool {
    if case .dictionary(_, let values) = storage, isValid(index) {
      return values.isEqual(dictionaryIndex(index), to: other, otherIndex)
    }
    if case .dictionary(_, let values) = other.storage, other.isValid(otherIndex) {
      return isEqual(index, to: values, other.dictionaryIndex(otherIndex))
    }
    if isNull(index) || other.isNull(otherIndex) { return isNull(index) && other.isNull(otherIndex) }
    switch (storage, other.storage) {
    case (.boolean(let bits), .boolean(let others)): return bits[index] == others[otherIndex]
    case (.fixed, .fixed), (.variable, .variable): return bytes(index) == other.bytes(otherIndex)
    case (.list(_, let child), .list(_, let others)), (.fixedSizeList(let child), .fixedSizeList(let others)):
      let (range, otherRange) = (range(index), other.range(otherIndex))
      return range.count == otherRange.count
        && zip(range, otherRange).allSatisfy { child.isEqual($0, to: others, $1) }
    case (.structure(let children), .structure(let others)):
      return children.count == others.count
        && zip(children, others).allSatisfy { $0.isEqual(index, to: $1, otherIndex) }
    default: return false
    }
  }

  /// Whether both hold equal values in the same order; types may differ in dictionaries only.
  public func isEqual(to other: ArrowArray) -> Bool {
    guard count == other.count, type.valueType == other.type.valueType || type == other.type else { return false }
    if isIdentical(to: other) { return true }
    return hasEqualBytes(as: other) ?? (0..<count).allSatisfy { isEqual($0, to: other, $0) }
  }

  /// Whether the values are the same bytes; nil unless both are of fixed width without nulls.
  private func hasEqualBytes(as other: ArrowArray) -> Bool? {
    guard case .fixed(let values) = storage, case .fixed(let others) = other.storage, nullCount + other.nullCount == 0,
      let width = type.byteWidth
    else { return nil }
    return values.slice(0..<count * width) == others.slice(0..<count * width)
  }

  /// Whether both are the same memory, so that they are equal without a look at the values.
  public func isIdentical(to other: ArrowArray) -> Bool {
    guard type == other.type, count == other.count, nullCount == other.nullCount else { return false }
    if let validity {
      guard let others = other.validity, validity.buffer.isIdentical(to: others.buffer),
        validity.bitOffset == others.bitOffset
      else { return false }
    }
    switch (storage, other.storage) {
    case (.null, .null): return true
    case (.boolean(let bits), .boolean(let others)):
      return bits.buffer.isIdentical(to: others.buffer) && bits.bitOffset == others.bitOffset
    case (.fixed(let values), .fixed(let others)): return values.isIdentical(to: others)
    case (.variable(let offsets, let data), .variable(let otherOffsets, let others)):
      return offsets.isIdentical(to: otherOffsets) && data.isIdentical(to: others)
    case (.list(let offsets, let child), .list(let otherOffsets, let others)):
      return offsets.isIdentical(to: otherOffsets) && child.isIdentical(to: others)
    case (.fixedSizeList(let child), .fixedSizeList(let others)): return child.isIdentical(to: others)
    case (.structure(let children), .structure(let others)):
      return zip(children, others).allSatisfy { $0.isIdentical(to: $1) }
    case (.dictionary(let indices, let values), .dictionary(let otherIndices, let others)):
      return indices.isIdentical(to: otherIndices) && values.isIdentical(to: others)
    default: return false
    }
  }
}

extension RecordBatch {
  /// Whether both have equal rows in the same order, under columns of the same names.
  public func isEqual(to other: RecordBatch) -> Bool {
    rowCount == other.rowCount && schema.fields.map(\.name) == other.schema.fields.map(\.name)
      && zip(columns, other.columns).allSatisfy { $0.isEqual(to: $1) }
  }
}
