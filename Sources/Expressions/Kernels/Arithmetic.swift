import Arrow
import ArrowKernels
import Buffers

/// A column of numbers or one number for all rows.
private enum Operand<T: BitwiseCopyable & Sendable> {
  case lanes(Buffer)
  case constant(T)
}

extension ColumnEvaluator {
  /// `+ - * / %` of numbers, and sums and differences of times; nil where no kernel does.
  func arithmetic(_ function: Function, _ left: Vector, _ right: Vector) -> Vector? {
    if let result = timeArithmetic(function, left, right) { return result }
    if function == .add, let result = concatenate(left, right) { return result }
    let missing = union(left.missing, right.missing)
    if let first = left.operand(Int64.self), let second = right.operand(Int64.self) {
      return whole(function, first, second).map { Vector($0.array(.int64), errors: union(missing, $0.failed)) }
    }
    if let first = left.operand(UInt64.self), let second = right.operand(UInt64.self) {
      return whole(function, first, second).map { Vector($0.array(.uint64), errors: union(missing, $0.failed)) }
    }
    guard let first = left.operand(Double.self), let second = right.operand(Double.self),
      let values = real(function, first, second)
    else { return nil }
    return Vector(ArrowArray(.float64, count: count, storage: .fixed(values)), errors: missing)
  }

  /// Values and the rows that overflowed or divided by zero.
  private struct Checked {
    var values: Buffer
    var failed: Bitmap?
    var count: Int

    func array(_ type: DataType) -> ArrowArray { ArrowArray(type, count: count, storage: .fixed(values)) }
  }

  private func whole<T: FixedWidthInteger & BitwiseCopyable & Sendable>(
    _ function: Function, _ left: Operand<T>, _ right: Operand<T>
  ) -> Checked? {
    switch function {
    case .add: checked(left, right) { $0.addingReportingOverflow($1) }
    case .subtract: checked(left, right) { $0.subtractingReportingOverflow($1) }
    case .multiply: checked(left, right) { $0.multipliedReportingOverflow(by: $1) }
    case .divide: checked(left, right) { $0.dividedReportingOverflow(by: $1) }
    case .modulo: checked(left, right) { $0.remainderReportingOverflow(dividingBy: $1) }
    default: nil
    }
  }

  /// The first pass computes and only learns whether some row overflows; the second, seldom, says which.
  @inline(__always) private func checked<T: FixedWidthInteger & BitwiseCopyable & Sendable>(
    _ left: Operand<T>, _ right: Operand<T>, _ compute: (T, T) -> (partialValue: T, overflow: Bool)
  ) -> Checked {
    var overflows: UInt64 = 0
    let values = lanes(left, right) { first, second in
      let result = compute(first, second)
      overflows |= bit(result.overflow)
      return result.partialValue
    }
    guard overflows != 0 else { return Checked(values: values, failed: nil, count: count) }
    let flags = lanes(left, right) { first, second in UInt8(bit(compute(first, second).overflow)) }
    return Checked(values: values, failed: testBits(flags, count: count) { (flag: UInt8) in flag == 1 }, count: count)
  }

  private func real(_ function: Function, _ left: Operand<Double>, _ right: Operand<Double>) -> Buffer? {
    switch function {
    case .add: lanes(left, right) { $0 + $1 }
    case .subtract: lanes(left, right) { $0 - $1 }
    case .multiply: lanes(left, right) { $0 * $1 }
    case .divide: lanes(left, right) { $0 / $1 }
    default: nil
    }
  }

  @inline(__always) private func lanes<T: BitwiseCopyable & Sendable, U: BitwiseCopyable>(
    _ left: Operand<T>, _ right: Operand<T>, _ combine: (T, T) -> U
  ) -> Buffer {
    switch (left, right) {
    case (.lanes(let first), .lanes(let second)): mapLanes(first, second, count: count, combine)
    case (.lanes(let first), .constant(let second)): mapLanes(first, count: count) { combine($0, second) }
    case (.constant(let first), .lanes(let second)): mapLanes(second, count: count) { combine(first, $0) }
    case (.constant(let first), .constant(let second)):
      Buffer(Array(repeating: combine(first, second), count: count))
    }
  }

  func negate(_ vector: Vector) -> Vector? {
    if let lanes = vector.operand(Double.self), case .lanes(let values) = lanes {
      let negated = mapLanes(values, count: count) { (value: Double) in -value }
      return Vector(ArrowArray(.float64, count: count, storage: .fixed(negated)), errors: vector.missing)
    }
    guard let lanes = vector.operand(Int64.self) else { return nil }
    let result = checked(.constant(0), lanes) { (zero: Int64, value: Int64) in zero.subtractingReportingOverflow(value)
    }
    return Vector(result.array(.int64), errors: union(vector.missing, result.failed))
  }
}

extension Vector {
  /// The numbers as `T`, when the CEL type is the one that `T` holds.
  fileprivate func operand<T: BitwiseCopyable & Sendable>(_ type: T.Type) -> Operand<T>? {
    switch values {
    case .constant(.int(let number)): return (number as? T).map { .constant($0) }
    case .constant(.uint(let number)): return (number as? T).map { .constant($0) }
    case .constant(.double(let number)): return (number as? T).map { .constant($0) }
    case .array:
      guard let lanes = plainArray?.numberLanes, lanes.type == Self.laneType(type) else { return nil }
      return .lanes(lanes.values)
    default: return nil
    }
  }

  private static func laneType<T>(_ type: T.Type) -> DataType {
    type == Int64.self ? .int64 : type == UInt64.self ? .uint64 : .float64
  }
}
