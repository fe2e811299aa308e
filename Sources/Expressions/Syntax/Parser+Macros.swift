/// Macros are forms, not functions: they see their arguments unevaluated.
/// - Source: cel-spec `doc/langdef.md`, "Macros".
extension Parser {
  mutating func has(_ arguments: [SyntaxNode], from start: Int) throws(ExpressionError) -> SyntaxNode {
    guard arguments.count == 1, case .select(let operand, let field, let isQuoted, false) = arguments[0].kind else {
      throw fail(
        .invalidMacro("has() takes a selection, has(a.b); compare a column with null instead"), at: range(from: start))
    }
    return try node(.select(operand, field: field, isQuoted: isQuoted, isTest: true), from: start, over: [operand])
  }

  /// The comprehension or binding that `target.name(arguments)` is; nil when it is a plain call.
  mutating func macro(
    _ name: String, target: SyntaxNode, _ arguments: [SyntaxNode], from start: Int
  ) throws(ExpressionError) -> SyntaxNode? {
    if name == "bind", case .identifier("cel", _) = target.kind {
      return try binding(arguments, from: start)
    }
    guard let macro = Macro(rawValue: name) else { return nil }
    let counts = macro == .map ? 2...3 : 2...2
    guard counts.contains(arguments.count) else {
      if arguments.count == 3 {
        throw fail(
          .unsupported("\(name)() over two variables", remedy: "walk the keys with one"), at: range(from: start))
      }
      return nil
    }
    let variable = try variableName(arguments[0], of: name)
    let body = arguments.dropFirst()
    let comprehension = SyntaxNode.Comprehension(
      macro: macro, range: target, variable: variable,
      predicate: macro != .map || body.count == 2 ? body.first : nil,
      transform: macro == .map ? body.last : nil)
    return try node(.comprehension(comprehension), from: start, over: [target] + arguments)
  }

  private mutating func binding(_ arguments: [SyntaxNode], from start: Int) throws(ExpressionError) -> SyntaxNode {
    guard arguments.count == 3 else {
      throw fail(.invalidMacro("cel.bind() takes a name, its value and a result"), at: range(from: start))
    }
    let variable = try variableName(arguments[0], of: "cel.bind")
    return try node(
      .binding(variable: variable, value: arguments[1], body: arguments[2]), from: start, over: arguments)
  }

  private func variableName(_ node: SyntaxNode, of macro: String) throws(ExpressionError) -> String {
    if case .call(let name, let target?, _) = node.kind, case .identifier("cel", _) = target.kind {
      let library = "'cel.\(name)' of an extension library"
      throw fail(.unsupported(library, remedy: "use CEL's standard library"), at: node.range)
    }
    guard case .identifier(let name, false) = node.kind else {
      throw fail(.invalidMacro("\(macro)() takes a plain name for its variable"), at: node.range)
    }
    return name
  }
}
