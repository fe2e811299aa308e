extension Checker {
  /// An identifier or a selection. The longest dotted name that is declared wins; what is left selects fields.
  /// - Source: cel-spec `doc/langdef.md`, "Name Resolution".
  mutating func checkName(_ node: SyntaxNode) -> CheckedNode {
    if let found = variable(node) { return found }
    switch node.kind {
    case .select(let operand, let field, _, let isTest):
      if let unknown = unknownName(node) { return unknown }
      return checkSelect(check(operand), field, isTest: isTest, node.range)
    case .identifier(let name, _): return undeclared(name, node.range)
    default: return check(node)
    }
  }

  /// The local, column or type that the whole of `node` names.
  private mutating func variable(_ node: SyntaxNode) -> CheckedNode? {
    guard let path = dottedName(node) else { return nil }
    if !path.isAbsolute, local(path.first) != nil {
      guard case .identifier = node.kind, let local = local(path.first) else { return nil }
      return CheckedNode(.local(local.slot), local.type, at: node.range)
    }
    guard let found = scope.find(path.name, isAbsolute: path.isAbsolute) else {
      return path.isTest ? nil : typeName(path.name).map { CheckedNode(.constant($0), .type, at: node.range) }
    }
    let read = CheckedNode(.variable(index(of: found)), found.type, at: node.range)
    return path.isTest ? CheckedNode(.isPresent(read), .bool, at: node.range) : read
  }

  private struct DottedName {
    var name: String
    var first: String
    var isAbsolute: Bool
    var isTest: Bool
  }

  private func dottedName(_ node: SyntaxNode) -> DottedName? {
    switch node.kind {
    case .identifier(let name, let isAbsolute):
      return DottedName(name: name, first: name, isAbsolute: isAbsolute, isTest: false)
    case .select(let operand, let field, _, let isTest):
      guard let outer = dottedName(operand), !outer.isTest else { return nil }
      return DottedName(
        name: "\(outer.name).\(field)", first: outer.first, isAbsolute: outer.isAbsolute, isTest: isTest)
    default: return nil
    }
  }

  private func typeName(_ name: String) -> CELValue? { CELValue.typeNames.contains(name) ? .type(name) : nil }

  private mutating func index(of variable: ExpressionVariable) -> Int {
    if let index = variables.firstIndex(where: { $0.name == variable.name }) { return index }
    variables.append(variable)
    return variables.count - 1
  }

  /// The error for a dotted name of which no part is declared, so that it is named in full.
  private mutating func unknownName(_ node: SyntaxNode) -> CheckedNode? {
    guard let path = dottedName(node), path.isAbsolute || local(path.first) == nil else { return nil }
    let parts = path.name.split(separator: ".").map(String.init)
    let isKnown = (1..<max(parts.count, 2)).contains { count in
      let prefix = parts.prefix(count).joined(separator: ".")
      return scope.find(prefix, isAbsolute: path.isAbsolute) != nil || typeName(prefix) != nil
    }
    return isKnown ? nil : undeclared(path.name, node.range)
  }

  private mutating func undeclared(_ name: String, _ range: Range<Int>) -> CheckedNode {
    guard isStrict else { return CheckedNode(.failure(.undeclared(name)), .dyn, at: range) }
    if let type = scope.unreadableColumn(name) {
      fail(.unsupported("column '\(name)' of type \(type)", remedy: "store it as int64, float64 or string"), at: range)
    } else {
      fail(.unknownName(name, nearest: scope.nearest(to: name)), at: range)
    }
    return broken(range)
  }

  private mutating func checkSelect(
    _ operand: CheckedNode, _ field: String, isTest: Bool, _ range: Range<Int>
  ) -> CheckedNode {
    let type = fieldType(operand, field, range)
    return isTest
      ? CheckedNode(.has(operand, field: field), .bool, at: range)
      : CheckedNode(.select(operand, field: field), type, at: range)
  }

  private mutating func fieldType(_ operand: CheckedNode, _ field: String, _ range: Range<Int>) -> CELType {
    switch unifier.resolve(operand.type).nonNull {
    case .structure(let fields):
      if let found = fields.first(where: { $0.name == field }) { return found.type }
      let nearest = nearestName(to: field, among: fields.map(\.name))
      fail(.unknownField(field, type: "the structure", nearest: nearest), at: range)
    case .map(let key, let value):
      if unifier.assign(.string, to: key) { return value }
      if isStrict { fail(.notSelectable(type: unifier.resolve(operand.type).description), at: range) }
    case .dyn, .variable: break
    case let type:
      if isStrict { fail(.notSelectable(type: type.description), at: range) }
    }
    return .dyn
  }
}
