/// A parsed expression whose names and types are not looked up yet.
struct SyntaxNode {
  indirect enum Kind {
    case literal(CELValue)
    /// `isAbsolute` when a dot stands before the name.
    case identifier(String, isAbsolute: Bool)
    /// `operand.field`, or `has(operand.field)` when `isTest`.
    case select(SyntaxNode, field: String, isQuoted: Bool, isTest: Bool)
    /// A function, or with a target a member function.
    case call(String, target: SyntaxNode?, arguments: [SyntaxNode])
    /// An operator: `_+_` and the like.
    case operation(Function, [SyntaxNode])
    /// Two operands or more of `&&`, or of `||`.
    case logic(isConjunction: Bool, [SyntaxNode])
    case conditional(SyntaxNode, SyntaxNode, SyntaxNode)
    case list([SyntaxNode])
    case map([(key: SyntaxNode, value: SyntaxNode)])
    case message(String)
    case comprehension(Comprehension)
    /// `cel.bind(variable, value, body)`.
    case binding(variable: String, value: SyntaxNode, body: SyntaxNode)
  }

  struct Comprehension {
    var macro: Macro
    var range: SyntaxNode
    var variable: String
    /// The predicate; for `map` without a filter nil.
    var predicate: SyntaxNode?
    /// What `map` makes of an element.
    var transform: SyntaxNode?
  }

  var kind: Kind
  var range: Range<Int>
  /// Levels of nesting below and with this node.
  var depth: Int

  init(_ kind: Kind, at range: Range<Int>, over children: [SyntaxNode] = []) {
    self.kind = kind
    self.range = range
    depth = 1 + (children.map(\.depth).max() ?? 0)
  }
}

/// The macros that walk a list or the keys of a map.
package enum Macro: String, Sendable {
  case all, exists
  case existsOne = "exists_one"
  case filter, map
}
