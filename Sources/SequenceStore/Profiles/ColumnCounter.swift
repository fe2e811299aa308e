import Arrow
import ArrowKernels
import Buffers

/// Counts a column's values, for several groups of rows at once.
struct ColumnCounter {
  let bins: ValueBins
  /// For each group a count for each bin, then one for nulls.
  private var counts: [UInt32]
  private var width: Int { bins.count + 1 }

  init(_ type: DataType, groupCount: Int) {
    bins = ValueBins(type)
    counts = [UInt32](repeating: 0, count: groupCount * (bins.count + 1))
  }

  /// Makes room for more groups.
  mutating func grow(to groupCount: Int) {
    counts.append(contentsOf: repeatElement(0, count: max(0, groupCount * width - counts.count)))
  }

  /// The groups' counts.
  func profile(group: Int) -> ColumnProfile {
    let own = counts[group * width..<(group + 1) * width]
    let found = own.dropLast().enumerated().compactMap { bin, count in
      count > 0 ? ColumnProfile.BinCount(bin: bin, count: Int(count)) : nil
    }
    return ColumnProfile(bins, nullCount: Int(own.last!), counts: found)
  }

  // MARK: Counting

  /// - Parameters:
  ///   - column: of the type that this was made for, or a dictionary of it.
  ///   - groups: the group of each row.
  mutating func add(_ column: ArrowArray, groups: [Int]) {
    switch bins {
    case .presence: count(column, groups) { _ in 0 }
    case .booleans:
      let bits = column.bits
      count(column, groups) { bits[$0] ? 1 : 0 }
    case .texts:
      let hashes = column.hashes()
      count(column, groups) { Int(truncatingIfNeeded: hashes.load($0, as: UInt64.self) &>> 58) }
    case .numbers: addNumbers(column, groups)
    }
  }

  private mutating func addNumbers(_ column: ArrowArray, _ groups: [Int]) {
    let values = column.values
    switch column.type {
    case .int8: add(values, of: Int8.self, column, groups)
    case .int16: add(values, of: Int16.self, column, groups)
    case .int32: add(values, of: Int32.self, column, groups)
    case .uint8: add(values, of: UInt8.self, column, groups)
    case .uint16: add(values, of: UInt16.self, column, groups)
    case .uint32: add(values, of: UInt32.self, column, groups)
    case .uint64: add(values, of: UInt64.self, column, groups)
    case .float32: count(column, groups) { ValueBins.bin(of: Double(values.load($0, as: Float.self))) }
    case .float64: count(column, groups) { ValueBins.bin(of: values.load($0, as: Double.self)) }
    default: add(values, of: Int64.self, column, groups)
    }
  }

  private mutating func add<Value: FixedWidthInteger & BitwiseCopyable>(
    _ values: Buffer, of type: Value.Type, _ column: ArrowArray, _ groups: [Int]
  ) {
    count(column, groups) { ValueBins.bin(of: Double(values.load($0, as: type))) }
  }

  /// How long after they happened events arrived, in seconds.
  mutating func addLags(from ts: ArrowArray, to seenAt: ArrowArray, groups: [Int]) {
    let (happened, arrived) = (ts.values, seenAt.values)
    count(seenAt, groups) { row in
      ValueBins.bin(of: Double(arrived.load(row, as: Int64.self) &- happened.load(row, as: Int64.self)) / 1e6)
    }
  }

  /// Always inlined, so that each loop is concrete.
  @inline(__always) private mutating func count(_ column: ArrowArray, _ groups: [Int], _ bin: (Int) -> Int) {
    for row in 0..<column.count {
      counts[groups[row] * width + (column.isNull(row) ? width - 1 : bin(row))] += 1
    }
  }
}

extension ValueBins {
  /// The bins of a type's values.
  init(_ type: DataType) {
    switch type.valueType {
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float32, .float64, .timestamp:
      self = .numbers
    case .utf8: self = .texts
    case .boolean: self = .booleans
    default: self = .presence
    }
  }
}
