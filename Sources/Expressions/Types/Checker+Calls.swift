extension Checker {
  mutating func checkCall(
    _ name: String, _ target: SyntaxNode?, _ arguments: [SyntaxNode], _ range: Range<Int>
  ) -> CheckedNode {
    if let target, let library = namespace(of: target) {
      return refuseLibrary("\(library).\(name)", range)
    }
    guard let function = Function(rawValue: name), function.isCallable else { return refuse(name, range) }
    let operands = ((target.map { [$0] } ?? []) + arguments).map { check($0) }
    return resolve(function, isMember: target != nil, operands, range)
  }

  /// The extension library that a call's target names: `math` in `math.greatest(…)`.
  private func namespace(of target: SyntaxNode) -> String? {
    guard case .identifier(let name, _) = target.kind, Self.libraries.contains(name) else { return nil }
    return local(name) == nil && scope.find(name, isAbsolute: false) == nil ? name : nil
  }

  private static let libraries: Set<String> = [
    "base64", "cel", "math", "net", "optional", "proto", "regex", "sets", "strings", "lists",
  ]

  private mutating func refuseLibrary(_ name: String, _ range: Range<Int>) -> CheckedNode {
    guard isStrict else { return CheckedNode(.failure(.undeclared(name)), .dyn, at: range) }
    fail(.unsupported("'\(name)' of an extension library", remedy: "use CEL's standard library"), at: range)
    return broken(range)
  }

  private mutating func refuse(_ name: String, _ range: Range<Int>) -> CheckedNode {
    guard isStrict else { return CheckedNode(.failure(.undeclared(name)), .dyn, at: range) }
    let names = Function.allCases.filter(\.isCallable).map(\.rawValue) + Macro.names + ["has"]
    fail(.unknownFunction(name, nearest: nearestName(to: name, among: names)), at: range)
    return broken(range)
  }

  /// Picks the overloads that take the operands; several with different results give `dyn`.
  mutating func resolve(
    _ function: Function, isMember: Bool, _ operands: [CheckedNode], _ range: Range<Int>
  ) -> CheckedNode {
    var result: CELType?
    let types = operands.map(\.type)
    for overload in function.overloads where overload.isMember == isMember {
      var fresh: [Int: CELType] = [:]
      func instantiate(_ type: CELType, _ unifier: inout Unifier) -> CELType {
        type.instantiated { id in
          if let known = fresh[id] { return known }
          let new = unifier.fresh()
          fresh[id] = new
          return new
        }
      }
      let parameters = overload.parameters.map { instantiate($0, &unifier) }
      let answer = instantiate(overload.result, &unifier)
      guard unifier.assign(types, to: parameters) else { continue }
      let resolved = unifier.resolve(answer)
      result = result.map { $0 == resolved ? $0 : .dyn } ?? resolved
    }
    if result == nil, isStrict { failOverload(function, isMember, operands, range) }
    return CheckedNode(.call(function, operands), result ?? .dyn, at: range)
  }

  private mutating func failOverload(
    _ function: Function, _ isMember: Bool, _ operands: [CheckedNode], _ range: Range<Int>
  ) {
    let types = operands.map { unifier.resolve($0.type) }
    let reason = ExpressionError.Reason.noOverload(
      function: function.rawValue, arguments: types.map(\.description),
      remedy: Self.remedy(function, isMember, types))
    fail(reason, at: range)
  }

  private static func remedy(_ function: Function, _ isMember: Bool, _ types: [CELType]) -> String? {
    if function.overloads.contains(where: { $0.isMember != isMember && $0.parameters.count == types.count }),
      !function.overloads.contains(where: { $0.isMember == isMember })
    {
      return isMember ? "call it as \(function.rawValue)(value)" : "call it as value.\(function.rawValue)(…)"
    }
    if types.count == 2, types.allSatisfy(\.isNumeric) {
      return "make both the same type: 1 is an int, 1u a uint, 1.0 a double; int(), uint() and double() convert"
    }
    if types.contains(where: { $0.nonNull == .timestamp }), types.contains(where: { $0.nonNull == .string }) {
      return "write timestamp('2026-01-31T00:00:00Z') for a time"
    }
    return nil
  }
}

extension Macro {
  static let names = ["all", "exists", "exists_one", "filter", "map"]
}
