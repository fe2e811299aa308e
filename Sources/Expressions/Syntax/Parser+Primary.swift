extension Parser {
  /// Words of other languages that CEL keeps as names.
  private static let reserved: Set<String> = [
    "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
    "namespace", "null", "package", "return", "true", "var", "void", "while",
  ]

  /// What follows a dot: a field, or a member function's call.
  mutating func selection(of operand: SyntaxNode, from start: Int) throws(ExpressionError) -> SyntaxNode {
    if current.is("?") { throw optional("selection '.?'") }
    if case .quotedIdentifier(let name) = current.kind {
      advance()
      return try node(.select(operand, field: name, isQuoted: true, isTest: false), from: start, over: [operand])
    }
    guard case .identifier(let name) = current.kind, !["in", "true", "false", "null"].contains(name) else {
      throw unexpected("a field's name")
    }
    advance()
    guard take("(") else {
      return try node(.select(operand, field: name, isQuoted: false, isTest: false), from: start, over: [operand])
    }
    let arguments = try list(until: ")")
    if let macro = try macro(name, target: operand, arguments, from: start) { return macro }
    return try node(
      .call(name, target: operand, arguments: arguments), from: start, over: [operand] + arguments)
  }

  mutating func indexing(of operand: SyntaxNode, from start: Int) throws(ExpressionError) -> SyntaxNode {
    if current.is("?") { throw optional("indexing '[?…]'") }
    let index = try expression()
    try expect("]")
    return try node(.operation(.index, [operand, index]), from: start, over: [operand, index])
  }

  func optional(_ what: String) -> ExpressionError {
    fail(.unsupported("optional \(what)", remedy: "test with has() or in"), at: current.range)
  }

  mutating func primary() throws(ExpressionError) -> SyntaxNode {
    let token = current
    let start = token.range.lowerBound
    switch token.kind {
    case .int, .uint, .double, .string, .bytes: return try literal()
    case .identifier(let name): return try named(name, isAbsolute: false, from: start)
    case .symbol("-"): return try literal()
    case .symbol("."):
      advance()
      guard case .identifier(let name) = current.kind else { throw unexpected("a name") }
      return try named(name, isAbsolute: true, from: start)
    case .symbol("("):
      advance()
      let inner = try expression()
      try expect(")")
      return inner
    case .symbol("["):
      advance()
      let elements = try list(until: "]", allowsTrailingComma: true)
      return try node(.list(elements), from: start, over: elements)
    case .symbol("{"): return try map(from: start)
    default: throw unexpected("a value")
    }
  }

  /// A number, with its minus sign, or a text.
  private mutating func literal() throws(ExpressionError) -> SyntaxNode {
    let start = current.range.lowerBound
    let isNegative = take("-")
    let token = current
    advance()
    let value: CELValue
    switch token.kind {
    case .int(let magnitude):
      let signed = isNegative ? Int64(exactly: -Int128(magnitude)) : Int64(exactly: magnitude)
      guard let signed else {
        let text = (isNegative ? "-" : "") + "\(magnitude)"
        throw fail(.invalidNumber(text), at: start..<token.range.upperBound)
      }
      value = .int(signed)
    case .uint(let number): value = .uint(number)
    case .double(let number): value = .double(isNegative ? -number : number)
    case .string(let text): value = .string(text)
    case .bytes(let bytes): value = .bytes(bytes)
    default: throw unexpected("a value")
    }
    return try node(.literal(value), from: start, over: [])
  }

  private mutating func named(
    _ name: String, isAbsolute: Bool, from start: Int
  ) throws(ExpressionError) -> SyntaxNode {
    let token = current
    if !isAbsolute, let value = Self.constants[name] {
      advance()
      return try node(.literal(value), from: start, over: [])
    }
    guard !Self.reserved.contains(name) else { throw fail(.reservedWord(name), at: token.range) }
    advance()
    guard take("(") else { return try node(.identifier(name, isAbsolute: isAbsolute), from: start, over: []) }
    let arguments = try list(until: ")")
    if !isAbsolute, name == "has" { return try has(arguments, from: start) }
    return try node(.call(name, target: nil, arguments: arguments), from: start, over: arguments)
  }

  private static let constants: [String: CELValue] = ["true": .bool(true), "false": .bool(false), "null": .null]

  private mutating func list(
    until end: String, allowsTrailingComma: Bool = false
  ) throws(ExpressionError) -> [SyntaxNode] {
    var elements: [SyntaxNode] = []
    if take(end) { return elements }
    repeat {
      if allowsTrailingComma, !elements.isEmpty, current.is(end) { break }
      if current.is("?") { throw optional("element '?'") }
      elements.append(try expression())
    } while take(",")
    try expect(end)
    return elements
  }

  private mutating func map(from start: Int) throws(ExpressionError) -> SyntaxNode {
    advance()
    var entries: [(key: SyntaxNode, value: SyntaxNode)] = []
    while !current.is("}") {
      if current.is("?") { throw optional("entry '?'") }
      let key = try expression()
      try expect(":")
      entries.append((key, try expression()))
      guard take(",") else { break }
    }
    try expect("}")
    return try node(.map(entries), from: start, over: entries.flatMap { [$0.key, $0.value] })
  }

  /// The dotted name that `node` writes, when it is one.
  func messageName(_ node: SyntaxNode) -> String? {
    switch node.kind {
    case .identifier(let name, _): name
    case .select(let operand, let field, false, false): messageName(operand).map { "\($0).\(field)" }
    default: nil
    }
  }

  /// `Name{field: value}`: parsed so that the checker can refuse it by name.
  mutating func message(_ name: String, from start: Int) throws(ExpressionError) -> SyntaxNode {
    advance()
    while !current.is("}") {
      if current.is("?") { throw optional("field '?'") }
      switch current.kind {
      case .identifier, .quotedIdentifier: advance()
      default: throw unexpected("a field's name")
      }
      try expect(":")
      _ = try expression()
      guard take(",") else { break }
    }
    try expect("}")
    return try node(.message(name), from: start, over: [])
  }
}
