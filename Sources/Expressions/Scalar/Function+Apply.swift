extension Function {
  /// What the function makes of its arguments, the target of a member function first.
  func apply(_ arguments: [CELValue]) throws(EvaluationError) -> CELValue {
    let result: CELValue? =
      switch self {
      case .or, .and: nil
      case .not: not(arguments)
      case .equal where arguments.count == 2: .bool(arguments[0].equals(arguments[1]))
      case .notEqual where arguments.count == 2: .bool(!arguments[0].equals(arguments[1]))
      case .equal, .notEqual: nil
      case .less, .lessOrEqual, .greater, .greaterOrEqual: compare(arguments)
      case .add, .subtract, .multiply, .divide, .modulo, .negate: try arithmetic(arguments)
      case .in: isMember(arguments)
      case .index: try index(arguments)
      case .size: size(arguments)
      case .contains, .startsWith, .endsWith, .matches: try searchText(arguments)
      case .int, .uint, .double, .string, .bool, .bytes, .timestamp, .duration, .dyn, .type: try convert(arguments)
      case .getFullYear, .getMonth, .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear, .getHours, .getMinutes,
        .getSeconds, .getMilliseconds:
        try timePart(arguments)
      }
    guard let result else { throw .noSuchOverload(function: rawValue, arguments: arguments.map(\.typeName)) }
    return result
  }

  private func not(_ arguments: [CELValue]) -> CELValue? {
    guard arguments.count == 1, case .bool(let bit) = arguments[0] else { return nil }
    return .bool(!bit)
  }

  private func compare(_ arguments: [CELValue]) -> CELValue? {
    guard arguments.count == 2 else { return nil }
    return arguments[0].compared(to: arguments[1]).map { .bool($0.satisfies(self)) }
  }

  private func isMember(_ arguments: [CELValue]) -> CELValue? {
    guard arguments.count == 2 else { return nil }
    switch arguments[1] {
    case .list(let elements): return .bool(elements.contains { $0.equals(arguments[0]) })
    case .map(let map): return .bool(map[arguments[0]] != nil)
    default: return nil
    }
  }

  private func index(_ arguments: [CELValue]) throws(EvaluationError) -> CELValue? {
    guard arguments.count == 2 else { return nil }
    switch arguments[0] {
    case .map(let map):
      guard let value = map[arguments[1]] else { throw .noSuchKey(arguments[1].description) }
      return value
    case .list(let elements):
      guard let place = arguments[1].listIndex else { return nil }
      guard elements.indices.contains(place) else {
        throw .indexOutOfRange(index: arguments[1].description, count: elements.count)
      }
      return elements[place]
    default: return nil
    }
  }

  private func size(_ arguments: [CELValue]) -> CELValue? {
    guard arguments.count == 1 else { return nil }
    switch arguments[0] {
    case .string(let text): return .int(Int64(text.unicodeScalars.count))
    case .bytes(let bytes): return .int(Int64(bytes.count))
    case .list(let elements): return .int(Int64(elements.count))
    case .map(let map): return .int(Int64(map.entries.count))
    default: return nil
    }
  }

  private func searchText(_ arguments: [CELValue]) throws(EvaluationError) -> CELValue? {
    guard arguments.count == 2, case .string(let text) = arguments[0], case .string(let part) = arguments[1] else {
      return nil
    }
    switch self {
    case .startsWith: return .bool(text.utf8.starts(with: part.utf8))
    case .endsWith: return .bool(text.utf8.reversed().starts(with: part.utf8.reversed()))
    case .contains: return .bool(text.utf8.contains(part.utf8))
    default: return .bool(try Pattern(part).matches(text))
    }
  }
}

extension CELValue {
  /// As the index of a list: any number that is whole.
  fileprivate var listIndex: Int? {
    switch self {
    case .int(let index): Int(index)
    case .uint(let index): Int(exactly: index) ?? Int.max
    case .double(let index): Int(exactly: index)
    default: nil
    }
  }
}

extension Function {
  private func arithmetic(_ arguments: [CELValue]) throws(EvaluationError) -> CELValue? {
    if self == .negate { return try negate(arguments) }
    guard arguments.count == 2 else { return nil }
    switch (arguments[0], arguments[1]) {
    case (.int(let left), .int(let right)): return .int(try whole(left, right))
    case (.uint(let left), .uint(let right)): return .uint(try whole(left, right))
    case (.double(let left), .double(let right)): return real(left, right).map { .double($0) }
    case (.string(let left), .string(let right)) where self == .add:
      try limit(left.utf8.count + right.utf8.count, CELValue.byteLimit)
      return .string(left + right)
    case (.bytes(let left), .bytes(let right)) where self == .add:
      try limit(left.count + right.count, CELValue.byteLimit)
      return .bytes(left + right)
    case (.list(let left), .list(let right)) where self == .add:
      try limit(left.count + right.count, CELValue.elementLimit)
      return .list(left + right)
    default: return try timeArithmetic(arguments[0], arguments[1])
    }
  }

  private func limit(_ count: Int, _ limit: Int) throws(EvaluationError) {
    if count > limit { throw .overflow(function: rawValue) }
  }

  private func negate(_ arguments: [CELValue]) throws(EvaluationError) -> CELValue? {
    guard arguments.count == 1 else { return nil }
    switch arguments[0] {
    case .int(let value):
      guard value != .min else { throw .overflow(function: rawValue) }
      return .int(-value)
    case .double(let value): return .double(-value)
    default: return nil
    }
  }

  private func whole<T: FixedWidthInteger>(_ left: T, _ right: T) throws(EvaluationError) -> T {
    if right == 0, self == .divide || self == .modulo { throw .divisionByZero }
    let (value, overflows) =
      switch self {
      case .add: left.addingReportingOverflow(right)
      case .subtract: left.subtractingReportingOverflow(right)
      case .multiply: left.multipliedReportingOverflow(by: right)
      case .divide: left.dividedReportingOverflow(by: right)
      default: left.remainderReportingOverflow(dividingBy: right)
      }
    if overflows { throw .overflow(function: rawValue) }
    return value
  }

  private func real(_ left: Double, _ right: Double) -> Double? {
    switch self {
    case .add: left + right
    case .subtract: left - right
    case .multiply: left * right
    case .divide: left / right
    default: nil
    }
  }

  private func timeArithmetic(_ left: CELValue, _ right: CELValue) throws(EvaluationError) -> CELValue? {
    switch (self, left, right) {
    case (.add, .timestamp(let time), .duration(let length)), (.add, .duration(let length), .timestamp(let time)):
      return .timestamp(try CELTimestamp(nanoseconds: time.nanoseconds + length.nanoseconds).inRange(rawValue))
    case (.subtract, .timestamp(let time), .duration(let length)):
      return .timestamp(try CELTimestamp(nanoseconds: time.nanoseconds - length.nanoseconds).inRange(rawValue))
    case (.subtract, .timestamp(let end), .timestamp(let start)):
      return .duration(try CELDuration(nanoseconds: end.nanoseconds - start.nanoseconds).inRange(rawValue))
    case (.add, .duration(let left), .duration(let right)):
      return .duration(try CELDuration(nanoseconds: left.nanoseconds + right.nanoseconds).inRange(rawValue))
    case (.subtract, .duration(let left), .duration(let right)):
      return .duration(try CELDuration(nanoseconds: left.nanoseconds - right.nanoseconds).inRange(rawValue))
    default: return nil
    }
  }
}

extension String.UTF8View {
  /// Whether `part` lies somewhere in it.
  fileprivate func contains(_ part: String.UTF8View) -> Bool {
    let (text, part) = (Array(self), Array(part))
    guard part.count <= text.count else { return false }
    return (0...text.count - part.count).contains { start in
      text[start..<start + part.count].elementsEqual(part)
    }
  }
}
