/// The functions and operators of CEL's standard library, by the names that errors show.
package enum Function: String, Sendable, CaseIterable {
  case or = "||"
  case and = "&&"
  case not = "!"
  case negate = "unary -"
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case `in`
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case modulo = "%"
  case index = "[]"
  case size, contains, startsWith, endsWith, matches
  case int, uint, double, string, bool, bytes, timestamp, duration, dyn, type
  case getFullYear, getMonth, getDate, getDayOfMonth, getDayOfWeek, getDayOfYear
  case getHours, getMinutes, getSeconds, getMilliseconds

  /// Whether a call may name it: operators cannot be called.
  var isCallable: Bool { rawValue.utf8.first?.isNameStart == true && self != .in && self != .negate }
}

/// One signature of a function. Variables with negative numbers stand for any type.
struct Overload {
  var isMember = false
  var parameters: [CELType]
  var result: CELType
}

extension Function {
  private static let a = CELType.variable(-1)
  private static let b = CELType.variable(-2)
  private static let numbers: [CELType] = [.int, .uint, .double]

  /// The signatures of an operator or function.
  /// - Source: cel-spec `doc/langdef.md`, "List of Standard Definitions".
  var overloads: [Overload] { Self.table[self] ?? [] }

  private static let table: [Function: [Overload]] = {
    var table: [Function: [Overload]] = [:]
    for function in Function.allCases { table[function] = signatures(of: function) }
    return table
  }()

  private static func signatures(of function: Function) -> [Overload] {
    switch function {
    case .or, .and: [global([.bool, .bool], .bool)]
    case .not: [global([.bool], .bool)]
    case .equal, .notEqual: [global([a, a], .bool)]
    case .less, .lessOrEqual, .greater, .greaterOrEqual: ordering
    case .in: [global([a, .list(a)], .bool), global([a, .map(a, b)], .bool)]
    case .index: [global([.list(a), .int], a), global([.map(a, b), a], b)]
    case .negate: [global([.int], .int), global([.double], .double)]
    case .add:
      numbers.map { global([$0, $0], $0) }
        + [.string, .bytes, .list(a), .duration].map { global([$0, $0], $0) }
        + [global([.timestamp, .duration], .timestamp), global([.duration, .timestamp], .timestamp)]
    case .subtract:
      numbers.map { global([$0, $0], $0) }
        + [
          global([.timestamp, .timestamp], .duration), global([.timestamp, .duration], .timestamp),
          global([.duration, .duration], .duration),
        ]
    case .multiply, .divide: numbers.map { global([$0, $0], $0) }
    case .modulo: [global([.int, .int], .int), global([.uint, .uint], .uint)]
    case .size:
      [.string, .bytes, .list(a), .map(a, b)].flatMap { [global([$0], .int), member([$0], .int)] }
    case .contains, .startsWith, .endsWith: [member([.string, .string], .bool)]
    case .matches: [member([.string, .string], .bool), global([.string, .string], .bool)]
    case .int, .uint, .double, .string, .bool, .bytes, .timestamp, .duration, .dyn, .type: conversions(to: function)
    case .getHours, .getMinutes, .getSeconds, .getMilliseconds: parts + [member([.duration], .int)]
    case .getFullYear, .getMonth, .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear: parts
    }
  }

  private static let parts = [member([.timestamp], .int), member([.timestamp, .string], .int)]

  private static let ordering: [Overload] =
    [.bool, .string, .bytes, .timestamp, .duration].map { global([$0, $0], .bool) }
    + numbers.flatMap { left in numbers.map { right in global([left, right], .bool) } }

  private static func conversions(to function: Function) -> [Overload] {
    switch function {
    case .int: [.int, .uint, .double, .string, .timestamp].map { global([$0], .int) }
    case .uint: [.uint, .int, .double, .string].map { global([$0], .uint) }
    case .double: [.double, .int, .uint, .string].map { global([$0], .double) }
    case .string:
      [.string, .bool, .int, .uint, .double, .bytes, .timestamp, .duration].map { global([$0], .string) }
    case .bool: [global([.bool], .bool), global([.string], .bool)]
    case .bytes: [global([.bytes], .bytes), global([.string], .bytes)]
    case .timestamp: [.timestamp, .string, .int].map { global([$0], .timestamp) }
    case .duration: [.duration, .string].map { global([$0], .duration) }
    case .dyn: [global([a], .dyn)]
    default: [global([a], .type)]
    }
  }

  private static func global(_ parameters: [CELType], _ result: CELType) -> Overload {
    Overload(parameters: parameters, result: result)
  }

  private static func member(_ parameters: [CELType], _ result: CELType) -> Overload {
    Overload(isMember: true, parameters: parameters, result: result)
  }
}

extension CELType {
  /// The signature's type with `fresh` variables in place of its own.
  func instantiated(_ fresh: (Int) -> CELType) -> CELType {
    switch self {
    case .variable(let id) where id < 0: fresh(id)
    case .list(let element): .list(element.instantiated(fresh))
    case .map(let key, let value): .map(key.instantiated(fresh), value.instantiated(fresh))
    default: self
    }
  }
}
