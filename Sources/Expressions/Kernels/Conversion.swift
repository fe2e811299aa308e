import Arrow
import Buffers

extension ColumnEvaluator {
  /// `int()`, `uint()`, `double()` and `string()` of a column; nil where no kernel converts it.
  func convert(_ function: Function, _ vector: Vector) -> Vector? {
    guard let array = vector.plainArray else { return nil }
    if function == .string { return text(array).map { Vector($0, errors: vector.missing) } }
    if function == .int, CELType(array.type) == .timestamp, let (ticks, unit) = array.timeLanes {
      let seconds = mapLanes(ticks, count: count) { (tick: Int64) in floorDivide(tick, unit.perSecond) }
      return Vector(ArrowArray(.int64, count: count, storage: .fixed(seconds)), errors: vector.missing)
    }
    guard let lanes = array.numberLanes else { return nil }
    return convert(function, lanes, vector.missing)
  }

  private func convert(_ function: Function, _ lanes: ArrowArray, _ missing: Bitmap?) -> Vector? {
    let values = lanes.values
    switch (function, lanes.type) {
    case (.int, .int64), (.uint, .uint64), (.double, .float64): return Vector(lanes, errors: missing)
    case (.double, .int64): return vector(mapLanes(values, count: count) { (value: Int64) in Double(value) }, missing)
    case (.double, .uint64): return vector(mapLanes(values, count: count) { (value: UInt64) in Double(value) }, missing)
    case (.int, .float64):
      let whole = mapLanes(values, count: count) { (value: Double) in Int64(celTruncating: value) ?? 0 }
      let failed = testBits(values, count: count) { (value: Double) in Int64(celTruncating: value) == nil }
      let errors = union(missing, failed.setBitCount == 0 ? nil : failed)
      return Vector(ArrowArray(.int64, count: count, storage: .fixed(whole)), errors: errors)
    default: return nil
    }
  }

  private func vector(_ doubles: Buffer, _ missing: Bitmap?) -> Vector {
    Vector(ArrowArray(.float64, count: count, storage: .fixed(doubles)), errors: missing)
  }

  /// Whole numbers as digits, texts as they are; nil for other types.
  private func text(_ array: ArrowArray) -> ArrowArray? {
    if array.type == .utf8 { return array }
    guard let lanes = array.numberLanes, lanes.type != .float64 else { return nil }
    var builder = VariableWidthBuilder(capacity: count, dataCapacity: count * 8)
    for row in 0..<count {
      let digits =
        lanes.type == .int64
        ? String(lanes.values.load(row, as: Int64.self)) : String(lanes.values.load(row, as: UInt64.self))
      builder.append(digits)
    }
    return builder.take()
  }
}
