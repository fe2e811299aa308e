/// Parses CEL by precedence climbing.
///
///     Expr = Or ["?" Or ":" Expr]      Or = And {"||" And}      And = Relation {"&&" Relation}
///     Relation = Sum {relop Sum}       Sum = Product {("+" | "-") Product}
///     Product = Unary {("*" | "/" | "%") Unary}                 Unary = {"!" | "-"} Member
///     Member = Primary {"." name ["(" list ")"] | "[" Expr "]"}
///
/// - Source: cel-spec `doc/langdef.md`, "Syntax".
struct Parser {
  /// How deep parentheses, lists, calls and the like may nest.
  static let nestingLimit = 128
  /// How high the parsed tree may be: long sums and products grow it without nesting.
  static let heightLimit = 400

  let source: [UInt8]
  let tokens: [Token]
  var index = 0
  var nesting = 0

  static func parse(_ text: String) throws(ExpressionErrors) -> SyntaxNode {
    let source = Array(text.utf8)
    var lexer = Lexer(source)
    var parser = Parser(source: source, tokens: try lexer.tokens())
    do throws(ExpressionError) {
      let node = try parser.expression()
      guard parser.current.kind == .end else { throw parser.unexpected("an operator") }
      return node
    } catch { throw ExpressionErrors([error]) }
  }

  private init(source: [UInt8], tokens: [Token]) {
    self.source = source
    self.tokens = tokens
  }

  var current: Token { tokens[index] }
  var next: Token { tokens[min(index + 1, tokens.count - 1)] }

  mutating func advance() { index = min(index + 1, tokens.count - 1) }

  mutating func take(_ symbol: String) -> Bool {
    guard current.is(symbol) else { return false }
    advance()
    return true
  }

  mutating func expect(_ symbol: String) throws(ExpressionError) {
    guard take(symbol) else { throw unexpected("'\(symbol)'") }
  }

  func unexpected(_ expected: String) -> ExpressionError {
    fail(.unexpected(found: current.text, expected: expected), at: current.range)
  }

  func fail(_ reason: ExpressionError.Reason, at range: Range<Int>) -> ExpressionError {
    ExpressionError(reason, at: range, in: source)
  }

  /// The bytes from `start` to the last token taken.
  func range(from start: Int) -> Range<Int> {
    start..<max(start, index > 0 ? tokens[index - 1].range.upperBound : start)
  }

  func node(
    _ kind: SyntaxNode.Kind, from start: Int, over children: [SyntaxNode]
  ) throws(ExpressionError) -> SyntaxNode {
    let node = SyntaxNode(kind, at: range(from: start), over: children)
    guard node.depth <= Self.heightLimit else { throw fail(.tooDeep(limit: Self.heightLimit), at: node.range) }
    return node
  }

  mutating func expression() throws(ExpressionError) -> SyntaxNode {
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= Self.nestingLimit else { throw fail(.tooDeep(limit: Self.nestingLimit), at: current.range) }
    let start = current.range.lowerBound
    let condition = try binary(level: 0)
    guard take("?") else { return condition }
    let yes = try binary(level: 0)
    try expect(":")
    let no = try expression()
    return try node(.conditional(condition, yes, no), from: start, over: [condition, yes, no])
  }

  private static let levels: [[String: Function]] = [
    ["||": .or], ["&&": .and],
    [
      "==": .equal, "!=": .notEqual, "<": .less, "<=": .lessOrEqual, ">": .greater, ">=": .greaterOrEqual, "in": .in,
    ],
    ["+": .add, "-": .subtract], ["*": .multiply, "/": .divide, "%": .modulo],
  ]

  /// The operator of `level` that stands here.
  private func operation(level: Int) -> Function? {
    switch current.kind {
    case .symbol(let symbol): Self.levels[level][symbol]
    case .identifier("in"): Self.levels[level]["in"]
    default: nil
    }
  }

  private mutating func binary(level: Int) throws(ExpressionError) -> SyntaxNode {
    guard level < Self.levels.count else { return try unary() }
    let start = current.range.lowerBound
    var left = try binary(level: level + 1)
    if level < 2 { return try logic(level: level, start, left) }
    while let function = operation(level: level) {
      advance()
      let right = try binary(level: level + 1)
      left = try node(.operation(function, [left, right]), from: start, over: [left, right])
    }
    return left
  }

  private mutating func logic(level: Int, _ start: Int, _ first: SyntaxNode) throws(ExpressionError) -> SyntaxNode {
    var operands = [first]
    while operation(level: level) != nil {
      advance()
      operands.append(try binary(level: level + 1))
    }
    if operands.count == 1 { return first }
    return try node(.logic(isConjunction: level == 1, operands), from: start, over: operands)
  }

  private mutating func unary() throws(ExpressionError) -> SyntaxNode {
    var operators: [(function: Function, start: Int)] = []
    while current.is("!") || (current.is("-") && !isNumber(next)) {
      operators.append((current.is("!") ? .not : .negate, current.range.lowerBound))
      advance()
    }
    var operand = try member()
    for (function, start) in operators.reversed() {
      operand = try node(.operation(function, [operand]), from: start, over: [operand])
    }
    return operand
  }

  private func isNumber(_ token: Token) -> Bool {
    switch token.kind {
    case .int, .double: true
    default: false
    }
  }

  private mutating func member() throws(ExpressionError) -> SyntaxNode {
    let start = current.range.lowerBound
    var operand = try primary()
    while true {
      if take(".") {
        operand = try selection(of: operand, from: start)
      } else if take("[") {
        operand = try indexing(of: operand, from: start)
      } else if current.is("{"), let name = messageName(operand) {
        operand = try message(name, from: start)
      } else {
        return operand
      }
    }
  }
}
