import Arrow
import Buffers

extension ArrowArray {
  /// The same values in a dictionary of the distinct ones, in the order of their first appearance.
  ///
  /// - Parameter index: the indices' type; nil when the distinct values are too many for it.
  public func dictionaryEncoded(index: DataType = .int32) -> ArrowArray? {
    if case .dictionary = storage { return self }
    var merger = DictionaryMerger(type)
    let numbers = merger.add(self)
    guard index.holds(merger.count) else { return nil }
    let indices = index.byteWidth == 4 ? numbers : Self.narrow(numbers, as: index)
    return ArrowArray(
      .dictionary(index: index, value: type, isOrdered: false), count: count,
      validity: type == .null ? Bitmap(repeating: false, count: count) : validity,
      storage: .dictionary(indices: indices, values: merger.values()))
  }

  private static func narrow(_ numbers: Buffer, as index: DataType) -> Buffer {
    var output = BufferBuilder(capacity: numbers.byteCount / 4 * index.byteWidth!)
    for row in 0..<numbers.byteCount / 4 {
      output.append(index: numbers.load(row, as: Int32.self), as: index)
    }
    return output.finish()
  }

  /// The same values without a dictionary; a plain array is itself.
  public func decoded() -> ArrowArray {
    guard case .dictionary(_, let values) = storage else { return self }
    return values.take(dictionaryIndices()).decoded()
  }

  /// The same values in a dictionary that holds only those used, in the order of their first use.
  ///
  /// A plain array is itself, and so is a dictionary array that uses all values.
  public func compacted() -> ArrowArray {
    guard case .dictionary(_, let values) = storage, case .dictionary(let index, _, _) = type else { return self }
    let indices = dictionaryIndices()
    var places = BufferBuilder(capacity: values.count * 4)
    places.append(repeating: Int32(-1), count: values.count)
    var used = BufferBuilder()
    var output = BufferBuilder(capacity: count * index.byteWidth!)
    for row in 0..<count {
      let old = Int(indices.load(row, as: Int32.self))
      if old < 0 {
        output.append(index: 0, as: index)
        continue
      }
      var place = unsafe places.bytes.unsafeLoad(fromByteOffset: old * 4, as: Int32.self)
      if place < 0 {
        place = Int32(used.byteCount / 4)
        places.overwrite(place, atByteOffset: old * 4)
        used.append(Int32(old))
      }
      output.append(index: place, as: index)
    }
    if used.byteCount / 4 == values.count { return self }
    return ArrowArray(
      type, count: count, validity: validity,
      storage: .dictionary(indices: output.finish(), values: values.take(used.finish())))
  }
}

extension BufferBuilder {
  /// A dictionary index as an integer of type `index`.
  mutating func append(index number: Int32, as index: DataType) {
    switch index.byteWidth! {
    case 1: append(UInt8(truncatingIfNeeded: number))
    case 2: append(UInt16(truncatingIfNeeded: number))
    case 4: append(number)
    default: append(Int64(number))
    }
  }
}

extension RecordBatch {
  /// The same rows, every dictionary cut down to the values used.
  public func compacted() -> RecordBatch { RecordBatch(schema, columns.map { $0.compacted() }, rowCount: rowCount) }
}
