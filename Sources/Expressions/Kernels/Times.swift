import Arrow
import Buffers

extension ColumnEvaluator {
  /// Sums and differences of times in one unit, a constant in whole ticks of it included; nil for others.
  func timeArithmetic(_ function: Function, _ left: Vector, _ right: Vector) -> Vector? {
    guard function == .add || function == .subtract, let first = left.times, let second = right.times,
      let unit = first.unit ?? second.unit, second.unit ?? unit == unit, first.unit ?? unit == unit
    else { return nil }
    let isTimestamp: Bool
    switch (function, first.isTimestamp, second.isTimestamp) {
    case (.add, false, false), (.subtract, false, false), (.subtract, true, true): isTimestamp = false
    case (.add, true, false), (.add, false, true), (.subtract, true, false): isTimestamp = true
    default: return nil
    }
    guard let (values, failed) = combine(function, first, second, unit, Self.range(isTimestamp, unit)) else {
      return nil
    }
    let type: DataType = isTimestamp ? .timestamp(unit, zone: "UTC") : .duration(unit)
    let array = ArrowArray(type, count: count, storage: .fixed(values))
    return Vector(array, errors: union(union(left.missing, right.missing), failed))
  }

  /// The ticks that the results must be in.
  private static func range(_ isTimestamp: Bool, _ unit: TimeUnit) -> ClosedRange<Int64> {
    let nanoseconds = isTimestamp ? CELTimestamp.nanosecondRange : Int128(Int64.min)...Int128(Int64.max)
    let lower = -floorDivide(-nanoseconds.lowerBound, unit.nanoseconds)
    let upper = floorDivide(nanoseconds.upperBound, unit.nanoseconds)
    return Int64(clamping: lower)...Int64(clamping: upper)
  }

  private func combine(
    _ function: Function, _ left: Vector.Times, _ right: Vector.Times, _ unit: TimeUnit, _ range: ClosedRange<Int64>
  ) -> (values: Buffer, failed: Bitmap?)? {
    let isSum = function == .add
    func compute(_ first: Int64, _ second: Int64) -> (Int64, Bool) {
      let result = isSum ? first.addingReportingOverflow(second) : first.subtractingReportingOverflow(second)
      return (result.partialValue, result.overflow || !range.contains(result.partialValue))
    }
    guard let first = left.ticks(unit, count), let second = right.ticks(unit, count) else { return nil }
    let values = mapLanes(first, second, count: count) { (first: Int64, second: Int64) in compute(first, second).0 }
    let failed = testBits(first, second, count: count) { (first: Int64, second: Int64) in compute(first, second).1 }
    return (values, failed.setBitCount == 0 ? nil : failed)
  }

  /// A part of a timestamp or duration column; nil for other functions and arguments.
  func timePart(_ function: Function, _ arguments: [Vector]) -> Vector? {
    guard function.isTimePart, let times = arguments.first?.times, case .lanes(let ticks, let unit) = times.values,
      let compute = compute(function, arguments, isTimestamp: times.isTimestamp)
    else { return nil }
    if times.isTimestamp, arguments.count == 1, let values = clockParts(function, ticks, unit) {
      let array = ArrowArray(.int64, count: count, storage: .fixed(values))
      return Vector(array, errors: arguments[0].missing)
    }
    let perSecond = unit.perSecond
    let nanosPerTick = Int64(unit.nanoseconds)
    let values = mapLanes(ticks, count: count) { (tick: Int64) -> Int64 in
      let seconds = floorDivide(tick, perSecond)
      return compute(seconds, (tick &- seconds &* perSecond) &* nanosPerTick)
    }
    let array = ArrowArray(.int64, count: count, storage: .fixed(values))
    return Vector(array, errors: arguments.reduce(nil) { union($0, $1.missing) })
  }

  /// Hours, minutes or seconds in UTC, which need no calendar; nil for other parts.
  private func clockParts(_ function: Function, _ ticks: Buffer, _ unit: TimeUnit) -> Buffer? {
    let second = unit.perSecond
    func parts(_ size: Int64, of whole: Int64) -> Buffer {
      mapLanes(ticks, count: count) { (tick: Int64) in floorModulo(tick, whole) / size }
    }
    return switch function {
    case .getHours: parts(3_600 * second, of: 86_400 * second)
    case .getMinutes: parts(60 * second, of: 3_600 * second)
    case .getSeconds: parts(second, of: 60 * second)
    default: nil
    }
  }

  /// What becomes of whole seconds and the nanoseconds after them.
  private func compute(_ function: Function, _ arguments: [Vector], isTimestamp: Bool) -> ((Int64, Int64) -> Int64)? {
    if !isTimestamp {
      guard arguments.count == 1 else { return nil }
      return { seconds, nanos in
        function.part(of: CELDuration(nanoseconds: Int128(seconds) * 1_000_000_000 + Int128(nanos))) ?? 0
      }
    }
    guard arguments.count == 2 else { return arguments.count == 1 ? { function.part(seconds: $0, nanos: $1) } : nil }
    guard case .string(let name)? = arguments[1].constant, let zone = try? TimeZone.named(name) else { return nil }
    return { seconds, nanos in
      function.part(seconds: seconds.addingReportingOverflow(zone.offset(at: seconds)).partialValue, nanos: nanos)
    }
  }
}

extension Vector {
  /// Times as ticks of a unit, or one time for all rows.
  struct Times {
    enum Values {
      case lanes(Buffer, TimeUnit)
      case constant(Int128)
    }

    var values: Values
    var isTimestamp: Bool

    var unit: TimeUnit? {
      if case .lanes(_, let unit) = values { unit } else { nil }
    }

    /// One tick count per row; nil where the constant lies between two.
    func ticks(_ unit: TimeUnit, _ count: Int) -> Buffer? {
      switch values {
      case .lanes(let ticks, _): return ticks
      case .constant(let nanoseconds):
        guard nanoseconds % unit.nanoseconds == 0, let tick = Int64(exactly: nanoseconds / unit.nanoseconds) else {
          return nil
        }
        return Buffer(Array(repeating: tick, count: count))
      }
    }
  }

  var times: Times? {
    switch values {
    case .constant(.timestamp(let time)): return Times(values: .constant(time.nanoseconds), isTimestamp: true)
    case .constant(.duration(let length)): return Times(values: .constant(length.nanoseconds), isTimestamp: false)
    case .array:
      guard let array = plainArray, let (ticks, unit) = array.timeLanes else { return nil }
      return Times(values: .lanes(ticks, unit), isTimestamp: CELType(array.type) == .timestamp)
    default: return nil
    }
  }
}
