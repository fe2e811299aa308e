import Arrow
import ArrowKernels
import Buffers

/// Evaluates an expression for all rows of a batch at once, one vector per node.
///
/// Kernels do the frequent types; a function without one is applied row by row, to vectors all the same. Inside a
/// macro the rows are the elements of all lists, and outer variables are taken along when the body reads them.
final class ColumnEvaluator {
  let count: Int
  private let outer: (evaluator: ColumnEvaluator, rows: Buffer)?
  private var variables: [Int: Vector] = [:]
  private var locals: [Int: Vector] = [:]

  init(_ columns: [ArrowArray], rowCount: Int) {
    count = rowCount
    outer = nil
    for (index, column) in columns.enumerated() { variables[index] = Vector(column) }
  }

  /// - Parameter rows: for each element the row of its list, Int32 each.
  init(elementsOf outer: ColumnEvaluator, rows: Buffer) {
    count = rows.byteCount / 4
    self.outer = (outer, rows)
  }

  /// Sets the variable of a macro or binding.
  func setLocal(_ slot: Int, to vector: Vector) { locals[slot] = vector }

  private func variable(_ index: Int) -> Vector {
    if let known = variables[index] { return known }
    guard let outer else { preconditionFailure("variable \(index) has no column") }
    let taken = outer.evaluator.variable(index).take(outer.rows)
    variables[index] = taken
    return taken
  }

  private func local(_ slot: Int) -> Vector {
    if let known = locals[slot] { return known }
    guard let outer else { preconditionFailure("local \(slot) has no value") }
    let taken = outer.evaluator.local(slot).take(outer.rows)
    locals[slot] = taken
    return taken
  }

  func evaluate(_ node: CheckedNode) -> Vector {
    switch node.kind {
    case .constant(let value): return Vector(.constant(value), count: count)
    case .variable(let index): return variable(index)
    case .local(let slot): return local(slot)
    case .select(let operand, let field): return select(evaluate(operand), field, node.type)
    case .has(let operand, let field): return has(evaluate(operand), field, operand.type)
    case .isPresent(let operand):
      let operand = evaluate(operand)
      let present = operand.nulls.map { $0.inverted() } ?? Bitmap(repeating: true, count: count)
      return Vector(present, errors: operand.errors)
    case .call(let function, let arguments): return call(function, arguments.map { evaluate($0) }, node.type)
    case .logic(let isConjunction, let operands): return logic(isConjunction, operands)
    case .conditional(let test, let yes, let no): return conditional(test, yes, no, node.type)
    case .list(let elements):
      return rowByRow(elements.map { evaluate($0) }, node.type) { values throws(EvaluationError) in .list(values) }
    case .map(let entries): return map(entries, node.type)
    case .comprehension(let macro): return comprehension(macro, node.type)
    case .binding(let slot, let value, let body):
      setLocal(slot, to: evaluate(value))
      return evaluate(body)
    case .matches(let operand, let pattern): return matches(evaluate(operand), pattern)
    case .isMember(let operand, let set): return isMember(evaluate(operand), set)
    case .failure: return Vector(failedRows: count)
    }
  }

  /// Applies `function` to each row whose arguments did not fail.
  func rowByRow(
    _ arguments: [Vector], _ type: CELType, _ function: ([CELValue]) throws(EvaluationError) -> CELValue
  ) -> Vector {
    var rows: [CELValue] = []
    rows.reserveCapacity(count)
    var failed = BitmapBuilder(capacity: count)
    let errors = arguments.reduce(nil) { union($0, $1.errors) }
    for row in 0..<count {
      var value: CELValue?
      if errors?[row] != true { value = try? function(arguments.map { $0.value(row) }) }
      rows.append(value ?? .null)
      failed.append(value == nil)
    }
    return vector(rows, type, errors: failed.clearBitCount == count ? nil : failed.finish())
  }

  /// The rows as an array where that loses nothing.
  func vector(_ rows: [CELValue], _ type: CELType, errors: Bitmap?) -> Vector {
    guard type.fitsArrayExactly, let arrowType = type.arrowType else {
      return Vector(.rows(rows), count: rows.count, errors: errors)
    }
    let (array, unfit) = Vector(.rows(rows), count: rows.count).column(arrowType)
    return Vector(array, errors: union(errors, unfit))
  }

  private func map(_ entries: [CheckedNode.Entry], _ type: CELType) -> Vector {
    let parts = entries.flatMap { [evaluate($0.key), evaluate($0.value)] }
    return rowByRow(parts, type) { values throws(EvaluationError) in
      var map = CELMap()
      for place in stride(from: 0, to: values.count, by: 2) { try map.insert(values[place], values[place + 1]) }
      return .map(map)
    }
  }
}

extension CELType {
  /// Whether `arrowType` holds every value of the type as it is.
  var fitsArrayExactly: Bool {
    switch nonNull {
    case .bool, .int, .uint, .double, .string, .bytes: true
    default: false
    }
  }
}

extension ColumnEvaluator {
  private func select(_ operand: Vector, _ field: String, _ type: CELType) -> Vector {
    if let array = operand.plainArray, case .structure(let children) = array.storage,
      case .structure(let fields) = array.type, let place = fields.firstIndex(where: { $0.name == field })
    {
      return Vector(children[place], errors: operand.missing)
    }
    return rowByRow([operand], type) { values throws(EvaluationError) in try values[0].select(field) }
  }

  private func has(_ operand: Vector, _ field: String, _ type: CELType) -> Vector {
    if let array = operand.plainArray, case .structure(let children) = array.storage,
      case .structure(let fields) = array.type, let place = fields.firstIndex(where: { $0.name == field })
    {
      let absent = union(operand.nulls, Vector(children[place]).nulls)
      let present = absent.map { $0.inverted() } ?? Bitmap(repeating: true, count: count)
      return Vector(present, errors: operand.errors)
    }
    return rowByRow([operand], .bool) { values throws(EvaluationError) in .bool(try values[0].has(field, type)) }
  }

  private func conditional(_ test: CheckedNode, _ yes: CheckedNode, _ no: CheckedNode, _ type: CELType) -> Vector {
    let truth = evaluate(test).truth
    let trueCount = truth.isTrue.setBitCount
    if truth.unknown == nil, trueCount == count || trueCount == 0 { return evaluate(trueCount == 0 ? no : yes) }
    let (yes, no) = (evaluate(yes), evaluate(no))
    let chosen = union(yes.errors.map { $0.and(truth.isTrue) }, no.errors.map { $0.and(truth.isFalse) })
    let errors = union(chosen, truth.unknown)
    return merge(truth.isTrue, yes, no, type).failing(errors)
  }

  /// Rows of `yes` where the bit is set, else of `no`; without errors.
  private func merge(_ choice: Bitmap, _ yes: Vector, _ no: Vector, _ type: CELType) -> Vector {
    guard let sources = sources(yes, no, type) else {
      return Vector(.rows((0..<count).map { (choice[$0] ? yes : no).value($0) }), count: count)
    }
    var rows = BufferBuilder(capacity: count * 8)
    for row in 0..<count {
      let source = choice[row] ? 0 : 1
      rows.append(RowReference(source: Int32(source), row: sources[source].count == 1 ? 0 : Int32(row)))
    }
    return Vector(ArrowArray.interleave(sources, rows.finish()))
  }

  /// Both as arrays of one type, a constant as an array of one; nil when there is no such type.
  private func sources(_ yes: Vector, _ no: Vector, _ type: CELType) -> [ArrowArray]? {
    if let first = yes.plainArray, let second = no.plainArray, first.type == second.type { return [first, second] }
    guard type.fitsArrayExactly, let arrowType = type.arrowType else { return nil }
    func source(_ vector: Vector) -> ArrowArray? {
      if let constant = vector.constant { return makeArray(arrowType, [constant]) }
      return vector.plainArray.flatMap { try? $0.cast(to: arrowType) }
    }
    guard let first = source(yes), let second = source(no) else { return nil }
    return [first, second]
  }
}
