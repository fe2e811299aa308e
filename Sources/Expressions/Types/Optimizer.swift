/// Does beforehand what is the same for every row: constant parts, patterns, sets of constants.
enum Optimizer {
  static func optimize(_ node: CheckedNode) -> CheckedNode {
    let node = node.mapChildren(optimize)
    return precompiled(folded(node))
  }

  /// A call or literal over constants as its value, or as the failure that it is for every row that asks.
  private static func folded(_ node: CheckedNode) -> CheckedNode {
    switch node.kind {
    case .call, .list, .map, .conditional, .logic, .select, .has: break
    default: return node
    }
    if case .logic(let isConjunction, let operands) = node.kind, operands.contains(where: { $0.decides(isConjunction) })
    {
      return CheckedNode(.constant(.bool(!isConjunction)), node.type, at: node.range)
    }
    guard node.children.allSatisfy({ $0.constant != nil }) else { return node }
    var interpreter = Interpreter(row: .values([]), slotCount: 0)
    do throws(EvaluationError) {
      return CheckedNode(.constant(try interpreter.evaluate(node)), node.type, at: node.range)
    } catch {
      return CheckedNode(.failure(error), node.type, at: node.range)
    }
  }

  private static func precompiled(_ node: CheckedNode) -> CheckedNode {
    guard case .call(let function, let arguments) = node.kind, arguments.count == 2,
      let constant = arguments[1].constant
    else { return node }
    switch (function, constant) {
    case (.matches, .string(let text)):
      do throws(EvaluationError) {
        return CheckedNode(.matches(arguments[0], try Pattern(text)), node.type, at: node.range)
      } catch {
        return CheckedNode(.failure(error), node.type, at: node.range)
      }
    case (.in, .list(let elements)):
      return CheckedNode(.isMember(arguments[0], ConstantSet(elements)), node.type, at: node.range)
    default: return node
    }
  }
}

extension CheckedNode {
  /// Whether the operand alone settles `&&`, or `||`, for every row.
  fileprivate func decides(_ isConjunction: Bool) -> Bool {
    if case .bool(let bit)? = constant { bit != isConjunction } else { false }
  }
}
