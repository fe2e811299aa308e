import Buffers

extension IPCBatchReader {
  /// The runs that come next, as a dictionary array.
  mutating func runs(
    _ column: IPCColumn, _ endType: DataType, _ count: Int, _ cursor: inout IPCBatchCursor
  ) throws(IPCError) -> ArrowArray {
    let ends = try array(IPCColumn(field: Field(column.field.name, endType)), count: nil, &cursor)
    let values = try array(column.children[0], count: nil, &cursor)
    guard ends.nullCount == 0, values.count >= ends.count else {
      throw cursor.error(.childCount(expected: ends.count, found: values.count), column)
    }
    try allocate(count * 4, byteOffset: cursor.bufferOffset)
    guard let runs = RunEnds(ends).numbers(count: count) else {
      throw cursor.error(.runEnds(valueCount: count), column)
    }
    return Self.dictionary(runs, values, type: column.field.type)
  }

  /// Values by the number of their run, Int32 each.
  private static func dictionary(_ runs: Buffer, _ values: ArrowArray, type: DataType) -> ArrowArray {
    let count = runs.byteCount / 4
    let numbers = runs.span(of: Int32.self)
    var validity: Bitmap?
    if values.nullCount > 0 {
      var bits = BitmapBuilder(capacity: count)
      for row in 0..<count { bits.append(values.isValid(Int(numbers[row]))) }
      validity = bits.finish()
    }
    guard case .dictionary(_, let inner) = values.storage else {
      return ArrowArray(type, count: count, validity: validity, storage: .dictionary(indices: runs, values: values))
    }
    var indices = BufferBuilder(capacity: count * 4)
    for row in 0..<count { indices.append(Int32(truncatingIfNeeded: values.dictionaryIndex(Int(numbers[row])))) }
    return ArrowArray(
      type, count: count, validity: validity, storage: .dictionary(indices: indices.finish(), values: inner))
  }
}

/// Where runs of equal values end: Int16, Int32 or Int64 each.
private struct RunEnds {
  private let ends: ArrowArray

  init(_ ends: ArrowArray) { self.ends = ends }

  private subscript(run: Int) -> Int64 {
    switch ends.type.byteWidth {
    case 2: Int64(ends.values.load(run, as: Int16.self))
    case 4: Int64(ends.values.load(run, as: Int32.self))
    default: ends.values.load(run, as: Int64.self)
    }
  }

  /// The number of each of the first `count` values' run, Int32 each; nil when the ends do not ascend to that.
  func numbers(count: Int) -> Buffer? {
    var numbers = BufferBuilder(capacity: count * 4)
    var row = 0
    for run in 0..<ends.count {
      if row == count { break }
      guard self[run] > Int64(row) else { return nil }
      let end = Int(min(self[run], Int64(count)))
      numbers.append(repeating: Int32(truncatingIfNeeded: run), count: end - row)
      row = end
    }
    return row == count ? numbers.finish() : nil
  }
}
