import Arrow
import ArrowKernels
import Buffers

extension ColumnEvaluator {
  /// `&&` or `||`: ends at the first operand after which every row is decided, and evaluates costly operands for the
  /// open rows alone where those are few.
  func logic(_ isConjunction: Bool, _ operands: [CheckedNode]) -> Vector {
    var truth = evaluate(operands[0]).truth
    for operand in operands.dropFirst() {
      let open = (isConjunction ? truth.isFalse : truth.isTrue).inverted()
      let openCount = open.setBitCount
      if openCount == 0 { break }
      let isNarrowed = openCount < count / 4 && operand.isCostly
      let next = isNarrowed ? narrowed(operand, to: open, neutral: isConjunction) : evaluate(operand).truth
      truth = combine(truth, next, isConjunction)
    }
    return truth.vector
  }

  /// The operand's truth where `open` is set, `neutral` elsewhere.
  private func narrowed(_ operand: CheckedNode, to open: Bitmap, neutral: Bool) -> Vector.Truth {
    let truth = ColumnEvaluator(elementsOf: self, rows: open.setIndices()).evaluate(operand).truth
    return Vector.Truth(
      isTrue: scatter(truth.isTrue, to: open, otherwise: neutral),
      unknown: truth.unknown.map { scatter($0, to: open, otherwise: false) })
  }

  /// The bits, in order, where `open` is set.
  private func scatter(_ bits: Bitmap, to open: Bitmap, otherwise: Bool) -> Bitmap {
    var words = BitmapBuilder(capacity: count)
    var next = 0
    for start in stride(from: 0, to: count, by: 64) {
      var left = open.word(at: start)
      var word = otherwise ? ~left : 0
      while left != 0 {
        word |= bit(bits[next]) &<< UInt64(left.trailingZeroBitCount)
        left &= left &- 1
        next += 1
      }
      words.append(word: word, bits: min(64, count - start))
    }
    return words.finish()
  }

  func combine(_ left: Vector.Truth, _ right: Vector.Truth, _ isConjunction: Bool) -> Vector.Truth {
    let isTrue = isConjunction ? left.isTrue.and(right.isTrue) : left.isTrue.or(right.isTrue)
    guard let unknown = union(left.unknown, right.unknown) else { return Vector.Truth(isTrue: isTrue, unknown: nil) }
    let decided = isConjunction ? left.isFalse.or(right.isFalse) : isTrue
    return Vector.Truth(isTrue: isTrue, unknown: unknown.and(decided.inverted()))
  }
}

extension CheckedNode {
  /// Whether a row of it takes longer than to copy its columns for fewer rows.
  fileprivate var isCostly: Bool {
    switch kind {
    case .matches, .comprehension, .map, .list: true
    case .call(let function, _) where function.isCostly: true
    default: children.contains(where: \.isCostly)
    }
  }
}

extension Function {
  fileprivate var isCostly: Bool {
    switch self {
    case .contains, .matches, .string, .timestamp, .duration, .in: true
    default: isTimePart
    }
  }
}
