import Arrow
import ArrowKernels
import Buffers

/// The elements of every row's list, one after the other.
private struct FlatLists {
  var elements: Vector
  /// The row of each element's list, Int32 each.
  var rows: Buffer
  /// The rows that have no list.
  var errors: Bitmap?
}

extension ColumnEvaluator {
  func comprehension(_ macro: CheckedNode.Comprehension, _ type: CELType) -> Vector {
    let range = evaluate(macro.range)
    if let elements = range.constant?.elements, macro.predicate != nil, type == .bool, macro.macro != .existsOne,
      elements.count <= 1_000
    {
      return quantify(over: elements, macro).failing(range.errors)
    }
    let lists = flatten(range)
    let body = ColumnEvaluator(elementsOf: self, rows: lists.rows)
    body.setLocal(macro.slot, to: lists.elements)
    let truth = macro.predicate.map { body.evaluate($0).truth }
    switch macro.macro {
    case .all, .exists, .existsOne: return reduce(truth!, macro.macro, lists)
    case .filter: return gather(lists.elements, truth, lists, type)
    case .map: return gather(body.evaluate(macro.transform!), truth, lists, type)
    }
  }

  /// `all` and `exists` over the same elements for all rows: the body once per element.
  private func quantify(over elements: [CELValue], _ macro: CheckedNode.Comprehension) -> Vector {
    let isConjunction = macro.macro == .all
    var truth = Vector.Truth(isTrue: Bitmap(repeating: isConjunction, count: count), unknown: nil)
    for element in elements {
      setLocal(macro.slot, to: Vector(.constant(element), count: count))
      truth = combine(truth, evaluate(macro.predicate!).truth, isConjunction)
    }
    return truth.vector
  }

  private func flatten(_ range: Vector) -> FlatLists {
    if let array = range.plainArray {
      switch array.type {
      case .list, .fixedSizeList:
        let valid = range.missing.map { masked(array, by: $0.inverted()) } ?? array
        let exploded = valid.exploded()
        return FlatLists(elements: Vector(exploded.elements), rows: exploded.rows, errors: range.missing)
      default: break
      }
    }
    return flattenRows(range)
  }

  private func masked(_ array: ArrowArray, by validity: Bitmap) -> ArrowArray {
    ArrowArray(array.type, count: array.count, validity: validity, storage: array.storage)
  }

  private func flattenRows(_ range: Vector) -> FlatLists {
    var elements: [CELValue] = []
    var rows = BufferBuilder()
    var failed = BitmapBuilder(capacity: count)
    for row in 0..<count {
      let list = range.isError(row) ? nil : range.value(row).elements
      failed.append(list == nil)
      for element in list ?? [] {
        elements.append(element)
        rows.append(Int32(row))
      }
    }
    let vector = Vector(.rows(elements), count: elements.count)
    return FlatLists(
      elements: vector, rows: rows.finish(), errors: failed.clearBitCount == count ? nil : failed.finish())
  }

  private func reduce(_ truth: Vector.Truth, _ macro: Macro, _ lists: FlatLists) -> Vector {
    var counts = ElementCounts(rowCount: count)
    counts.add(truth, lists.rows)
    var isTrue = BitmapBuilder(capacity: count)
    var unknown = BitmapBuilder(capacity: count)
    for row in 0..<count {
      let (value, isKnown) = counts.answer(macro, row)
      isTrue.append(value)
      unknown.append(!isKnown)
    }
    let errors = unknown.clearBitCount == count ? nil : unknown.finish()
    return Vector(isTrue.finish(), errors: union(errors, lists.errors))
  }

  /// How many elements of each row's list are true, and how many unknown.
  private struct ElementCounts {
    var trueCounts: [Int32]
    var falseCounts: [Int32]
    var unknownCounts: [Int32]

    init(rowCount: Int) {
      trueCounts = Array(repeating: 0, count: rowCount)
      falseCounts = trueCounts
      unknownCounts = trueCounts
    }

    mutating func add(_ truth: Vector.Truth, _ rows: Buffer) {
      for element in 0..<truth.isTrue.count {
        let row = Int(rows.load(element, as: Int32.self))
        if truth.isTrue[element] {
          trueCounts[row] += 1
        } else if truth.unknown?[element] == true {
          unknownCounts[row] += 1
        } else {
          falseCounts[row] += 1
        }
      }
    }

    func answer(_ macro: Macro, _ row: Int) -> (value: Bool, isKnown: Bool) {
      let isKnown = unknownCounts[row] == 0
      return switch macro {
      case .exists: trueCounts[row] > 0 ? (true, true) : (false, isKnown)
      case .all: falseCounts[row] > 0 ? (false, true) : (isKnown, isKnown)
      default: (isKnown && trueCounts[row] == 1, isKnown)
      }
    }
  }

  /// The values of the elements that `truth` keeps, as one list per row. A row fails when the truth of one element is
  /// unknown or a kept value failed.
  private func gather(_ values: Vector, _ truth: Vector.Truth?, _ lists: FlatLists, _ type: CELType) -> Vector {
    let failed = union(truth?.unknown, truth.map { kept in values.errors.map { $0.and(kept.isTrue) } } ?? values.errors)
    let errors = union(failed.map { rowsWithElement($0, lists.rows) }, lists.errors)
    let positions = (truth?.isTrue ?? Bitmap(repeating: true, count: values.count)).setIndices()
    let kept = truth == nil ? values : values.take(positions)
    let ends = listEnds(positions, lists.rows)
    if let array = kept.plainArray {
      let listType = DataType.list(Field("item", array.type))
      let list = ArrowArray(listType, count: count, storage: .list(offsets: ends, child: array))
      return Vector(list, errors: errors)
    }
    let rows = (0..<count).map { row in
      let range = Int(ends.load(row, as: Int32.self))..<Int(ends.load(row + 1, as: Int32.self))
      return CELValue.list(range.map { kept.value($0) })
    }
    return Vector(.rows(rows), count: count, errors: errors)
  }

  private func rowsWithElement(_ elements: Bitmap, _ rows: Buffer) -> Bitmap {
    var isHit = [Bool](repeating: false, count: count)
    for element in 0..<elements.count where elements[element] { isHit[Int(rows.load(element, as: Int32.self))] = true }
    return Bitmap(isHit)
  }

  /// The offsets of lists that hold the elements at `positions`.
  private func listEnds(_ positions: Buffer, _ rows: Buffer) -> Buffer {
    var ends = [Int32](repeating: 0, count: count + 1)
    for index in 0..<positions.byteCount / 4 {
      ends[Int(rows.load(Int(positions.load(index, as: Int32.self)), as: Int32.self)) + 1] += 1
    }
    for row in 0..<count { ends[row + 1] += ends[row] }
    return Buffer(ends)
  }
}

extension CELValue {
  /// What a macro walks: the elements of a list, the keys of a map.
  var elements: [CELValue]? {
    switch self {
    case .list(let elements): elements
    case .map(let map): map.entries.map(\.key)
    default: nil
    }
  }
}
