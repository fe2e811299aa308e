/// Which types stand for the type variables so far.
///
/// A type is assignable to another when a value of it may stand where the other is asked for; `dyn` meets everything,
/// and the most general of two types is what a list of both holds.
/// - Source: cel-go `checker/types.go`, whose deductions the conformance tests fix.
struct Unifier {
  private var bindings: [Int: CELType] = [:]
  private var count = 0

  mutating func fresh() -> CELType {
    count += 1
    return .variable(count)
  }

  /// The type with all that is known put in; what remains unknown is `dyn` when `isFinal`.
  func resolve(_ type: CELType, isFinal: Bool = false) -> CELType {
    switch type {
    case .variable(let id):
      if let bound = bindings[id] { resolve(bound, isFinal: isFinal) } else { isFinal ? .dyn : type }
    case .list(let element): .list(resolve(element, isFinal: isFinal))
    case .map(let key, let value): .map(resolve(key, isFinal: isFinal), resolve(value, isFinal: isFinal))
    case .nullable(let inner): resolve(inner, isFinal: isFinal).orNull
    default: type
    }
  }

  /// Whether each type is assignable to its peer; binds variables only if all are.
  mutating func assign(_ types: [CELType], to targets: [CELType]) -> Bool {
    guard types.count == targets.count else { return false }
    var trial = self
    for (type, target) in zip(types, targets) where !trial.isAssignable(type, to: target) { return false }
    self = trial
    return true
  }

  mutating func assign(_ type: CELType, to target: CELType) -> Bool { assign([type], to: [target]) }

  /// The type of a value that is of one type or of the other.
  mutating func join(_ first: CELType, _ second: CELType) -> CELType {
    assign(first, to: second) ? mostGeneral(first, second) : .dyn
  }

  private mutating func isAssignable(_ type: CELType, to target: CELType) -> Bool {
    if case .variable(let id) = target {
      switch substitute(type, for: id) {
      case .valid: return true
      case .invalid(isBound: true): return false
      case .invalid(isBound: false): break
      }
    }
    if case .variable(let id) = type { return substitute(target, for: id) == .valid }
    switch (type, target) {
    case (.dyn, _), (_, .dyn): return true
    case (.null, let other), (let other, .null): return other.acceptsNull
    case (.nullable(let left), _): return isAssignable(left, to: target.nonNull)
    case (_, .nullable(let right)): return isAssignable(type, to: right)
    case (.list(let left), .list(let right)): return isAssignable(left, to: right)
    case (.map(let key, let value), .map(let otherKey, let otherValue)):
      return isAssignable(key, to: otherKey) && isAssignable(value, to: otherValue)
    default: return type == target
    }
  }

  private enum Substitution: Equatable {
    case valid
    case invalid(isBound: Bool)
  }

  private mutating func substitute(_ type: CELType, for id: Int) -> Substitution {
    if type == .variable(id) { return .valid }
    if let bound = bindings[id] {
      if type == bound { return .valid }
      guard isAssignable(type, to: bound) else { return .invalid(isBound: true) }
      let general = mostGeneral(type, bound)
      if !occurs(id, in: general) { bindings[id] = general }
      return .valid
    }
    guard !occurs(id, in: type) else { return .invalid(isBound: false) }
    bindings[id] = type
    return .valid
  }

  private func occurs(_ id: Int, in type: CELType) -> Bool {
    switch type {
    case .variable(let other): other == id || (bindings[other].map { occurs(id, in: $0) } ?? false)
    case .list(let element), .nullable(let element): occurs(id, in: element)
    case .map(let key, let value): occurs(id, in: key) || occurs(id, in: value)
    default: false
    }
  }

  func mostGeneral(_ first: CELType, _ second: CELType) -> CELType {
    isAsGeneral(first, as: second) ? first : second
  }

  private func isAsGeneral(_ first: CELType, as second: CELType) -> Bool {
    switch (first, second) {
    case (.dyn, _), (.variable, _): true
    case (_, .dyn), (_, .variable): false
    case (.nullable(let left), _): isAsGeneral(left, as: second.nonNull) || second == .null
    case (_, .null): true
    case (.list(let left), .list(let right)): isAsGeneral(left, as: right)
    case (.map(let key, let value), .map(let otherKey, let otherValue)):
      isAsGeneral(key, as: otherKey) && isAsGeneral(value, as: otherValue)
    default: first == second
    }
  }
}

extension CELType {
  /// Whether null may stand for a value of it, as the checker sees it.
  fileprivate var acceptsNull: Bool {
    switch self {
    case .null, .nullable, .dyn, .timestamp, .duration, .structure: true
    default: false
    }
  }
}
