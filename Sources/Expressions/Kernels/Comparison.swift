import Arrow
import ArrowKernels
import Buffers

/// One of the six comparisons.
enum Comparison {
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual

  init?(_ function: Function) {
    switch function {
    case .equal: self = .equal
    case .notEqual: self = .notEqual
    case .less: self = .less
    case .lessOrEqual: self = .lessOrEqual
    case .greater: self = .greater
    case .greaterOrEqual: self = .greaterOrEqual
    default: return nil
    }
  }

  /// The comparison with its operands exchanged.
  var flipped: Comparison {
    switch self {
    case .equal, .notEqual: self
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    }
  }

  /// Whether it is defined for all values, null included.
  var isEquality: Bool { self == .equal || self == .notEqual }

  /// Whether it holds for equal values; then it does not for NaN, but for `!=`.
  @inline(__always) func holds<T: Comparable>(_ left: T, _ right: T) -> Bool {
    switch self {
    case .equal: left == right
    case .notEqual: left != right
    case .less: left < right
    case .lessOrEqual: left <= right
    case .greater: left > right
    case .greaterOrEqual: left >= right
    }
  }

  /// The answer for an operand that is less than all values of the other, or greater.
  func holds(_ ordering: Ordering) -> Bool {
    switch self {
    case .equal: ordering == .equal
    case .notEqual: ordering != .equal
    case .less: ordering == .less
    case .lessOrEqual: ordering == .less || ordering == .equal
    case .greater: ordering == .greater
    case .greaterOrEqual: ordering == .greater || ordering == .equal
    }
  }
}

extension Comparison {
  /// One loop per comparison, so that none is decided per row.
  @inline(__always) func bits<T: BitwiseCopyable, U: Comparable>(
    _ values: Buffer, count: Int, with constant: U, as convert: (T) -> U
  ) -> Bitmap {
    switch self {
    case .equal: testBits(values, count: count) { (value: T) in convert(value) == constant }
    case .notEqual: testBits(values, count: count) { (value: T) in convert(value) != constant }
    case .less: testBits(values, count: count) { (value: T) in convert(value) < constant }
    case .lessOrEqual: testBits(values, count: count) { (value: T) in convert(value) <= constant }
    case .greater: testBits(values, count: count) { (value: T) in convert(value) > constant }
    case .greaterOrEqual: testBits(values, count: count) { (value: T) in convert(value) >= constant }
    }
  }

  @inline(__always) func bits<T: BitwiseCopyable & Comparable>(
    _ left: Buffer, _ right: Buffer, count: Int, of type: T.Type
  ) -> Bitmap {
    switch self {
    case .equal: testBits(left, right, count: count) { (left: T, right: T) in left == right }
    case .notEqual: testBits(left, right, count: count) { (left: T, right: T) in left != right }
    case .less: testBits(left, right, count: count) { (left: T, right: T) in left < right }
    case .lessOrEqual: testBits(left, right, count: count) { (left: T, right: T) in left <= right }
    case .greater: testBits(left, right, count: count) { (left: T, right: T) in left > right }
    case .greaterOrEqual: testBits(left, right, count: count) { (left: T, right: T) in left >= right }
    }
  }

  private func all(_ ordering: Ordering, _ count: Int) -> Bitmap { Bitmap(repeating: holds(ordering), count: count) }

  /// Compares the values of `array` with a constant, nulls aside; nil where no kernel does.
  func bits(_ array: ArrowArray, with constant: CELValue) -> Bitmap? {
    switch (array.storage, constant) {
    case (.boolean(let bits), .bool(let constant)) where isEquality:
      (self == .equal) == constant ? bits : bits.inverted()
    case (.fixed, .int(let constant)): numberBits(array, with: constant)
    case (.fixed, .uint(let constant)): numberBits(array, with: constant)
    case (.fixed, .double(let constant)): doubleBits(array, with: constant)
    case (.fixed, .timestamp(let time)) where CELType(array.type) == .timestamp:
      timeBits(array, with: time.nanoseconds)
    case (.fixed, .duration(let length)) where CELType(array.type) == .duration:
      timeBits(array, with: length.nanoseconds)
    case (.variable, .string(let text)) where array.type == .utf8: textBits(array, with: Array(text.utf8))
    case (.variable, .bytes(let bytes)) where array.type == .binary: textBits(array, with: bytes)
    default: nil
    }
  }

  /// Compares numbers of the array's own width with a whole constant.
  private func numberBits<T: FixedWidthInteger>(_ array: ArrowArray, with constant: T) -> Bitmap? {
    switch array.type {
    case .int8: wholeBits(array, of: Int8.self, with: constant)
    case .int16: wholeBits(array, of: Int16.self, with: constant)
    case .int32: wholeBits(array, of: Int32.self, with: constant)
    case .int64: wholeBits(array, of: Int64.self, with: constant)
    case .uint8: wholeBits(array, of: UInt8.self, with: constant)
    case .uint16: wholeBits(array, of: UInt16.self, with: constant)
    case .uint32: wholeBits(array, of: UInt32.self, with: constant)
    case .uint64: wholeBits(array, of: UInt64.self, with: constant)
    default: doubleBits(array, with: Double(constant))
    }
  }

  @inline(__always) private func wholeBits<T: FixedWidthInteger & BitwiseCopyable, U: FixedWidthInteger>(
    _ array: ArrowArray, of type: T.Type, with constant: U
  ) -> Bitmap {
    guard let constant = T(exactly: constant) else { return all(constant < 0 ? .greater : .less, array.count) }
    return bits(array.values, count: array.count, with: constant) { (value: T) in value }
  }

  private func doubleBits(_ array: ArrowArray, with constant: Double) -> Bitmap? {
    switch array.type {
    case .float64: return bits(array.values, count: array.count, with: constant) { (value: Double) in value }
    case .float32: return bits(array.values, count: array.count, with: constant) { (value: Float) in Double(value) }
    default:
      guard let lanes = array.numberLanes else { return nil }
      switch lanes.type {
      case .float64: return bits(lanes.values, count: array.count, with: constant) { (value: Double) in value }
      case .int64: return bits(lanes.values, count: array.count, with: constant) { (value: Int64) in Double(value) }
      default: return bits(lanes.values, count: array.count, with: constant) { (value: UInt64) in Double(value) }
      }
    }
  }

  /// Compares times with a constant, which may lie between two ticks of the array's unit.
  private func timeBits(_ array: ArrowArray, with nanoseconds: Int128) -> Bitmap? {
    guard let (ticks, unit) = array.timeLanes else { return nil }
    let floor = floorDivide(nanoseconds, unit.nanoseconds)
    guard let tick = Int64(exactly: floor) else { return all(floor < 0 ? .greater : .less, array.count) }
    let comparison = floor * unit.nanoseconds == nanoseconds ? self : betweenTicks
    guard let comparison else { return Bitmap(repeating: self == .notEqual, count: array.count) }
    return comparison.bits(ticks, count: array.count, with: tick) { (value: Int64) in value }
  }

  /// The comparison with the tick below that stands for one with a point above it; nil for equality.
  private var betweenTicks: Comparison? {
    switch self {
    case .equal, .notEqual: nil
    case .less, .lessOrEqual: .lessOrEqual
    case .greater, .greaterOrEqual: .greater
    }
  }

  /// Compares two arrays row by row, nulls aside; nil where no kernel does.
  func bits(_ left: ArrowArray, _ right: ArrowArray) -> Bitmap? {
    if case .boolean(let first) = left.storage, case .boolean(let second) = right.storage, isEquality {
      let differ = first.and(second.inverted()).or(second.and(first.inverted()))
      return self == .equal ? differ.inverted() : differ
    }
    if left.type == .utf8 && right.type == .utf8 || left.type == .binary && right.type == .binary {
      return textBits(left, right)
    }
    if let (first, unit) = left.timeLanes, let (second, otherUnit) = right.timeLanes {
      guard unit == otherUnit, CELType(left.type) == CELType(right.type) else { return nil }
      return bits(first, second, count: left.count, of: Int64.self)
    }
    guard let first = left.numberLanes, let second = right.numberLanes, first.type == second.type else { return nil }
    switch first.type {
    case .int64: return bits(first.values, second.values, count: left.count, of: Int64.self)
    case .uint64: return bits(first.values, second.values, count: left.count, of: UInt64.self)
    default: return bits(first.values, second.values, count: left.count, of: Double.self)
    }
  }
}

extension ColumnEvaluator {
  /// A comparison by kernels; nil where none fits.
  func compare(_ comparison: Comparison, _ left: Vector, _ right: Vector) -> Vector? {
    if left.constant != nil, right.constant == nil { return compare(comparison.flipped, right, left) }
    guard let array = left.plainArray else { return nil }
    if let constant = right.constant, constant.isNull { return compareNull(comparison, left) }
    let bits =
      right.constant.map { comparison.bits(array, with: $0) } ?? right.plainArray.map { comparison.bits(array, $0) }
    guard case .some(.some(let bits)) = bits else { return nil }
    let errors = union(left.errors, right.errors)
    if !comparison.isEquality {
      return Vector(bits, errors: union(errors, union(left.nulls, right.nulls)))
    }
    return Vector(equality(bits, left.nulls, right.nulls, comparison == .equal), errors: errors)
  }

  /// Null equals null and nothing else.
  private func equality(_ bits: Bitmap, _ left: Bitmap?, _ right: Bitmap?, _ isEqual: Bool) -> Bitmap {
    guard let either = union(left, right) else { return bits }
    let valid = either.inverted()
    guard let left, let right else { return isEqual ? bits.and(valid) : bits.or(either) }
    let both = left.and(right)
    return isEqual ? bits.and(valid).or(both) : bits.or(either).and(both.inverted())
  }

  private func compareNull(_ comparison: Comparison, _ left: Vector) -> Vector? {
    guard comparison.isEquality else { return Vector(failedRows: count) }
    let nulls = left.nulls ?? Bitmap(repeating: false, count: count)
    return Vector(comparison == .equal ? nulls : nulls.inverted(), errors: left.errors)
  }
}
