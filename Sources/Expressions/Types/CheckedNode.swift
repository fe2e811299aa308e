/// An expression whose names are found and whose types are known.
struct CheckedNode: Sendable {
  indirect enum Kind: Sendable {
    case constant(CELValue)
    /// By its index among the variables that the expression reads.
    case variable(Int)
    /// The variable of a macro, by its slot.
    case local(Int)
    case select(CheckedNode, field: String)
    /// `has(operand.field)`.
    case has(CheckedNode, field: String)
    /// `has()` of a column: whether it is not null.
    case isPresent(CheckedNode)
    case call(Function, [CheckedNode])
    case logic(isConjunction: Bool, [CheckedNode])
    case conditional(CheckedNode, CheckedNode, CheckedNode)
    case list([CheckedNode])
    case map([Entry])
    case comprehension(Comprehension)
    case binding(slot: Int, value: CheckedNode, body: CheckedNode)
    /// `text.matches(pattern)` with a pattern known beforehand.
    case matches(CheckedNode, Pattern)
    /// `needle in [constants]`.
    case isMember(CheckedNode, ConstantSet)
    /// Fails for every row that asks.
    case failure(EvaluationError)
  }

  struct Entry: Sendable {
    var key: CheckedNode
    var value: CheckedNode
  }

  struct Comprehension: Sendable {
    var macro: Macro
    var range: CheckedNode
    var slot: Int
    var predicate: CheckedNode?
    var transform: CheckedNode?
  }

  var kind: Kind
  var type: CELType
  var range: Range<Int>

  init(_ kind: Kind, _ type: CELType, at range: Range<Int>) {
    self.kind = kind
    self.type = type
    self.range = range
  }

  var constant: CELValue? {
    if case .constant(let value) = kind { value } else { nil }
  }
}

extension CheckedNode {
  /// The node with `change` applied to its children.
  func mapChildren(_ change: (CheckedNode) -> CheckedNode) -> CheckedNode {
    let kind: Kind =
      switch self.kind {
      case .constant, .variable, .local, .failure: self.kind
      case .select(let operand, let field): .select(change(operand), field: field)
      case .has(let operand, let field): .has(change(operand), field: field)
      case .isPresent(let operand): .isPresent(change(operand))
      case .call(let function, let arguments): .call(function, arguments.map(change))
      case .logic(let isConjunction, let operands): .logic(isConjunction: isConjunction, operands.map(change))
      case .conditional(let test, let yes, let no): .conditional(change(test), change(yes), change(no))
      case .list(let elements): .list(elements.map(change))
      case .map(let entries): .map(entries.map { Entry(key: change($0.key), value: change($0.value)) })
      case .comprehension(let macro): .comprehension(macro.mapChildren(change))
      case .binding(let slot, let value, let body): .binding(slot: slot, value: change(value), body: change(body))
      case .matches(let operand, let pattern): .matches(change(operand), pattern)
      case .isMember(let operand, let set): .isMember(change(operand), set)
      }
    return CheckedNode(kind, type, at: range)
  }

  /// Direct children, in the order of the text.
  var children: [CheckedNode] {
    switch kind {
    case .constant, .variable, .local, .failure: []
    case .select(let operand, _), .has(let operand, _), .isPresent(let operand), .matches(let operand, _),
      .isMember(let operand, _):
      [operand]
    case .call(_, let arguments), .logic(_, let arguments), .list(let arguments): arguments
    case .conditional(let test, let yes, let no): [test, yes, no]
    case .map(let entries): entries.flatMap { [$0.key, $0.value] }
    case .comprehension(let macro): [macro.range] + [macro.predicate, macro.transform].compactMap { $0 }
    case .binding(_, let value, let body): [value, body]
    }
  }
}

extension CheckedNode.Comprehension {
  func mapChildren(_ change: (CheckedNode) -> CheckedNode) -> Self {
    Self(
      macro: macro, range: change(range), slot: slot, predicate: predicate.map(change),
      transform: transform.map(change))
  }
}
