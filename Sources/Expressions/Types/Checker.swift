/// Looks up every name and deduces every type of a parsed expression, collecting all that is wrong.
///
/// With `isStrict` false a mismatch of types is left to the evaluation, which fails for the rows that meet it.
struct Checker {
  let source: [UInt8]
  let scope: Scope
  let isStrict: Bool
  var unifier = Unifier()
  var errors: [ExpressionError] = []
  /// What the expression reads, in the order of first use.
  var variables: [ExpressionVariable] = []
  private var locals: [(name: String, slot: Int, type: CELType)] = []
  private(set) var slotCount = 0

  init(source: [UInt8], scope: Scope, isStrict: Bool) {
    self.source = source
    self.scope = scope
    self.isStrict = isStrict
  }

  mutating func fail(_ reason: ExpressionError.Reason, at range: Range<Int>) {
    errors.append(ExpressionError(reason, at: range, in: source))
  }

  /// A node to go on with after an error: `dyn` agrees with everything.
  func broken(_ range: Range<Int>) -> CheckedNode { CheckedNode(.constant(.null), .dyn, at: range) }

  mutating func check(_ node: SyntaxNode) -> CheckedNode {
    switch node.kind {
    case .literal(let value): return CheckedNode(.constant(value), value.literalType, at: node.range)
    case .identifier, .select: return checkName(node)
    case .call(let name, let target, let arguments): return checkCall(name, target, arguments, node.range)
    case .operation(let function, let operands):
      return resolve(function, isMember: false, operands.map { check($0) }, node.range)
    case .logic(let isConjunction, let operands): return checkLogic(isConjunction, operands, node.range)
    case .conditional(let test, let yes, let no): return checkConditional(test, yes, no, node.range)
    case .list(let elements): return checkList(elements, node.range)
    case .map(let entries): return checkMap(entries, node.range)
    case .message(let name):
      fail(.unsupported("the message '\(name){…}'", remedy: "write a map, {'field': value}"), at: node.range)
      return broken(node.range)
    case .comprehension(let macro): return checkComprehension(macro, node.range)
    case .binding(let name, let value, let body):
      let value = check(value)
      let (slot, body) = withLocal(name, value.type) { $0.check(body) }
      return CheckedNode(.binding(slot: slot, value: value, body: body), body.type, at: node.range)
    }
  }

  /// Runs `body` with a local variable in sight.
  mutating func withLocal<R>(_ name: String, _ type: CELType, _ body: (inout Checker) -> R) -> (slot: Int, R) {
    let slot = slotCount
    slotCount += 1
    locals.append((name, slot, type))
    defer { locals.removeLast() }
    return (slot, body(&self))
  }

  func local(_ name: String) -> (name: String, slot: Int, type: CELType)? { locals.last { $0.name == name } }

  private mutating func checkLogic(
    _ isConjunction: Bool, _ operands: [SyntaxNode], _ range: Range<Int>
  ) -> CheckedNode {
    let checked = operands.map { check($0) }
    for operand in checked { expect(.bool, operand, by: isConjunction ? .and : .or) }
    return CheckedNode(.logic(isConjunction: isConjunction, checked), .bool, at: range)
  }

  /// Demands a type, where the checker is strict.
  private mutating func expect(_ type: CELType, _ node: CheckedNode, by function: Function) {
    guard !unifier.assign(node.type, to: type), isStrict else { return }
    let name = unifier.resolve(node.type).description
    fail(
      .noOverload(function: function.rawValue, arguments: [name], remedy: "compare it to get a bool"), at: node.range)
  }

  private mutating func checkConditional(
    _ test: SyntaxNode, _ yes: SyntaxNode, _ no: SyntaxNode, _ range: Range<Int>
  ) -> CheckedNode {
    let (test, yes, no) = (check(test), check(yes), check(no))
    if !unifier.assign(test.type, to: .bool), isStrict {
      let arguments = [unifier.resolve(test.type).description]
      fail(.noOverload(function: "?:", arguments: arguments, remedy: "give it a bool to decide by"), at: test.range)
    }
    let type = joinBranches(yes, no)
    return CheckedNode(.conditional(test, yes, no), type, at: range)
  }

  /// The type of a value from one of two branches. A null beside any type makes it nullable.
  private mutating func joinBranches(_ yes: CheckedNode, _ no: CheckedNode) -> CELType {
    let (left, right) = (unifier.resolve(yes.type), unifier.resolve(no.type))
    if left == .null { return right.orNull }
    if right == .null { return left.orNull }
    let joined = unifier.join(left, right)
    if joined == .dyn, left != .dyn, right != .dyn, isStrict {
      let arguments = [left.description, right.description]
      fail(
        .noOverload(function: "?:", arguments: arguments, remedy: "convert one branch, or wrap it in dyn()"),
        at: no.range)
    }
    return joined
  }

  private mutating func checkList(_ elements: [SyntaxNode], _ range: Range<Int>) -> CheckedNode {
    let checked = elements.map { check($0) }
    return CheckedNode(.list(checked), .list(joined(checked)), at: range)
  }

  private mutating func checkMap(
    _ entries: [(key: SyntaxNode, value: SyntaxNode)], _ range: Range<Int>
  ) -> CheckedNode {
    let checked = entries.map { CheckedNode.Entry(key: check($0.key), value: check($0.value)) }
    for entry in checked where isStrict { checkKey(entry.key) }
    let type = CELType.map(joined(checked.map(\.key)), joined(checked.map(\.value)))
    return CheckedNode(.map(checked), type, at: range)
  }

  private mutating func checkKey(_ key: CheckedNode) {
    switch unifier.resolve(key.type).nonNull {
    case .bool, .int, .uint, .string, .dyn, .variable: return
    case let type:
      fail(
        .noOverload(function: "a map", arguments: ["key: \(type)"], remedy: "use an int, uint, string or bool"),
        at: key.range)
    }
  }

  /// The type of a list's elements.
  private mutating func joined(_ nodes: [CheckedNode]) -> CELType {
    guard var type = nodes.first?.type else { return unifier.fresh() }
    for node in nodes.dropFirst() { type = unifier.join(type, node.type) }
    return type
  }

  private mutating func checkComprehension(_ macro: SyntaxNode.Comprehension, _ range: Range<Int>) -> CheckedNode {
    let list = check(macro.range)
    let element = elementType(of: list, macro.macro)
    let (slot, body) = withLocal(macro.variable, element) { checker in
      (predicate: macro.predicate.map { checker.check($0) }, transform: macro.transform.map { checker.check($0) })
    }
    if let predicate = body.predicate { expect(.bool, predicate, by: .and) }
    let type: CELType =
      switch macro.macro {
      case .all, .exists, .existsOne: .bool
      case .filter: .list(element)
      case .map: .list(body.transform?.type ?? .dyn)
      }
    let checked = CheckedNode.Comprehension(
      macro: macro.macro, range: list, slot: slot, predicate: body.predicate, transform: body.transform)
    return CheckedNode(.comprehension(checked), type, at: range)
  }

  private mutating func elementType(of list: CheckedNode, _ macro: Macro) -> CELType {
    switch unifier.resolve(list.type).nonNull {
    case .list(let element): return element
    case .map(let key, _): return key
    case .dyn: return .dyn
    case .variable:
      let element = unifier.fresh()
      return unifier.assign(list.type, to: .list(element)) ? element : .dyn
    case let type:
      if isStrict {
        fail(
          .noOverload(function: macro.rawValue, arguments: [type.description], remedy: "give it a list or a map"),
          at: list.range)
      }
      return .dyn
    }
  }
}
