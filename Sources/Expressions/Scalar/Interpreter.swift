import Arrow

/// Where the interpreter finds the variables.
enum Row: Sendable {
  case values([CELValue])
  /// One row of the columns, in the order of the expression's variables.
  case columns([ArrowArray], row: Int)

  func value(_ index: Int) -> CELValue {
    switch self {
    case .values(let values): values[index]
    case .columns(let columns, let row): columns[index].celValue(row)
    }
  }
}

/// Evaluates an expression for one row: the meaning that the column kernels must agree with.
struct Interpreter {
  let row: Row
  /// A binding that fails does so where it is read.
  var locals: [Result<CELValue, EvaluationError>]

  init(row: Row, slotCount: Int) {
    self.row = row
    locals = Array(repeating: .success(.null), count: slotCount)
  }

  mutating func evaluate(_ node: CheckedNode) throws(EvaluationError) -> CELValue {
    switch node.kind {
    case .constant(let value): return value
    case .variable(let index): return row.value(index)
    case .local(let slot): return try locals[slot].get()
    case .select(let operand, let field): return try evaluate(operand).select(field)
    case .has(let operand, let field): return .bool(try evaluate(operand).has(field, operand.type))
    case .isPresent(let operand): return .bool(!(try evaluate(operand)).isNull)
    case .call(let function, let arguments): return try call(function, arguments)
    case .logic(let isConjunction, let operands): return try logic(isConjunction, operands)
    case .conditional(let test, let yes, let no):
      guard case .bool(let isTrue) = try evaluate(test) else { throw try evaluate(test).noOverload("?:") }
      return try evaluate(isTrue ? yes : no)
    case .list(let elements):
      return .list(try elements.map { element throws(EvaluationError) in try evaluate(element) })
    case .map(let entries): return try map(entries)
    case .comprehension(let macro): return try comprehension(macro)
    case .binding(let slot, let value, let body):
      do throws(EvaluationError) {
        locals[slot] = .success(try evaluate(value))
      } catch {
        locals[slot] = .failure(error)
      }
      return try evaluate(body)
    case .matches(let operand, let pattern):
      guard case .string(let text) = try evaluate(operand) else { throw try evaluate(operand).noOverload("matches") }
      return .bool(pattern.matches(text))
    case .isMember(let operand, let set): return .bool(set.contains(try evaluate(operand)))
    case .failure(let error): throw error
    }
  }

  private mutating func call(_ function: Function, _ nodes: [CheckedNode]) throws(EvaluationError) -> CELValue {
    var arguments: [CELValue] = []
    arguments.reserveCapacity(nodes.count)
    for node in nodes { arguments.append(try evaluate(node)) }
    return try function.apply(arguments)
  }

  /// One false operand decides `&&`, one true one `||`, whatever the others are; else an error is the answer.
  private mutating func logic(
    _ isConjunction: Bool, _ operands: [CheckedNode]
  ) throws(EvaluationError) -> CELValue {
    var failure: EvaluationError?
    for operand in operands {
      do throws(EvaluationError) {
        let value = try evaluate(operand)
        guard case .bool(let bit) = value else { throw value.noOverload(isConjunction ? "&&" : "||") }
        if bit != isConjunction { return .bool(bit) }
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return .bool(isConjunction)
  }

  private mutating func map(_ entries: [CheckedNode.Entry]) throws(EvaluationError) -> CELValue {
    var map = CELMap()
    for entry in entries { try map.insert(try evaluate(entry.key), try evaluate(entry.value)) }
    return .map(map)
  }

}

extension Interpreter {
  private mutating func comprehension(_ macro: CheckedNode.Comprehension) throws(EvaluationError) -> CELValue {
    let elements: [CELValue]
    switch try evaluate(macro.range) {
    case .list(let list): elements = list
    case .map(let map): elements = map.entries.map(\.key)
    case let other: throw other.noOverload(macro.macro.rawValue)
    }
    switch macro.macro {
    case .all, .exists: return try quantify(elements, macro)
    case .existsOne: return .bool(try filter(elements, macro).count == 1)
    case .filter: return .list(try filter(elements, macro))
    case .map: return .list(try transform(macro.predicate == nil ? elements : filter(elements, macro), macro))
    }
  }

  private mutating func quantify(
    _ elements: [CELValue], _ macro: CheckedNode.Comprehension
  ) throws(EvaluationError) -> CELValue {
    var failure: EvaluationError?
    for element in elements {
      do throws(EvaluationError) {
        let isTrue = try predicate(element, macro)
        if isTrue == (macro.macro == .exists) { return .bool(isTrue) }
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return .bool(macro.macro == .all)
  }

  private mutating func predicate(
    _ element: CELValue, _ macro: CheckedNode.Comprehension
  ) throws(EvaluationError) -> Bool {
    guard let node = macro.predicate else { return true }
    locals[macro.slot] = .success(element)
    let value = try evaluate(node)
    guard case .bool(let isTrue) = value else { throw value.noOverload(macro.macro.rawValue) }
    return isTrue
  }

  private mutating func filter(
    _ elements: [CELValue], _ macro: CheckedNode.Comprehension
  ) throws(EvaluationError) -> [CELValue] {
    var kept: [CELValue] = []
    for element in elements where try predicate(element, macro) { kept.append(element) }
    return kept
  }

  private mutating func transform(
    _ elements: [CELValue], _ macro: CheckedNode.Comprehension
  ) throws(EvaluationError) -> [CELValue] {
    guard let node = macro.transform else { return elements }
    var results: [CELValue] = []
    for element in elements {
      locals[macro.slot] = .success(element)
      results.append(try evaluate(node))
    }
    return results
  }
}

extension CELValue {
  package var isNull: Bool {
    if case .null = self { true } else { false }
  }

  func noOverload(_ function: String) -> EvaluationError {
    .noSuchOverload(function: function, arguments: [typeName])
  }

  /// `value.field`.
  func select(_ field: String) throws(EvaluationError) -> CELValue {
    switch self {
    case .map(let map):
      guard let value = map[.string(field)] else { throw .noSuchKey("'\(field)'") }
      return value
    case .structure(let structure):
      guard let value = structure[field] else { throw .noSuchField(field) }
      return value
    default: throw noOverload(".\(field)")
    }
  }

  /// `has(value.field)`, where the checker deduced `type` for the value: a null structure has no fields.
  func has(_ field: String, _ type: CELType) throws(EvaluationError) -> Bool {
    switch self {
    case .map(let map): return map[.string(field)] != nil
    case .structure(let structure):
      guard let value = structure[field] else { throw .noSuchField(field) }
      return !value.isNull
    case .null:
      if case .structure = type.nonNull { return false }
      throw noOverload("has()")
    default: throw noOverload("has()")
    }
  }
}
