extension CheckedExpression {
  /// The part of a conjunction that reads nothing but the named columns: `a == 1` of `a == 1 && b > 2`, for `a`.
  ///
  /// - Returns: nil when no operand of the outermost `&&` reads such a column and no other.
  package func conjunction(reading names: Set<String>) -> CheckedExpression? {
    let operands =
      if case .logic(isConjunction: true, let operands) = root.kind { operands } else { [root] }
    let kept = operands.filter { operand in
      let read = variableNames(of: operand)
      return !read.isEmpty && read.isSubset(of: names)
    }
    guard !kept.isEmpty else { return nil }
    let part = kept.count == 1 ? kept[0] : CheckedNode(.logic(isConjunction: true, kept), root.type, at: root.range)
    return CheckedExpression(self, root: part)
  }

  private func variableNames(of node: CheckedNode) -> Set<String> {
    if case .variable(let index) = node.kind { return [variables[index].name] }
    return node.children.reduce(into: []) { $0.formUnion(variableNames(of: $1)) }
  }

  private init(_ whole: CheckedExpression, root: CheckedNode) {
    text = whole.text
    self.root = root
    variables = whole.variables
    slotCount = whole.slotCount
    columnType = root.type.arrowType
  }
}
