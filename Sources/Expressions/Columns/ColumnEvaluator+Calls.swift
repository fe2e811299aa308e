import Arrow
import ArrowKernels
import Buffers

extension ColumnEvaluator {
  /// A function of vectors: over the distinct values of a dictionary, by a kernel, or row by row.
  func call(_ function: Function, _ arguments: [Vector], _ type: CELType) -> Vector {
    if let result = callConstants(function, arguments) { return result }
    if type == .bool, let place = dictionaryArgument(arguments) {
      return overDictionary(arguments[place]) { values in
        var narrowed = arguments.map { Vector($0.values, count: values.count, errors: nil) }
        narrowed[place] = values
        return ColumnEvaluator([], rowCount: values.count).call(function, narrowed, type)
      }
    }
    return kernel(function, arguments)
      ?? rowByRow(arguments, type) { values throws(EvaluationError) in
        try function.apply(values)
      }
  }

  /// All arguments constant, as happens inside macros: applied once.
  private func callConstants(_ function: Function, _ arguments: [Vector]) -> Vector? {
    let constants = arguments.compactMap(\.constant)
    guard constants.count == arguments.count else { return nil }
    let errors = arguments.reduce(nil) { union($0, $1.errors) }
    guard let value = try? function.apply(constants) else { return Vector(failedRows: count) }
    return Vector(.constant(value), count: count, errors: errors)
  }

  private func kernel(_ function: Function, _ arguments: [Vector]) -> Vector? {
    if let comparison = Comparison(function), arguments.count == 2 {
      return compare(comparison, arguments[0], arguments[1])
    }
    switch (function, arguments.count) {
    case (.not, 1):
      let truth = arguments[0].truth
      return Vector(truth.isFalse, errors: truth.unknown)
    case (.add, 2), (.subtract, 2), (.multiply, 2), (.divide, 2), (.modulo, 2):
      return arithmetic(function, arguments[0], arguments[1])
    case (.negate, 1): return negate(arguments[0])
    case (.size, 1): return size(arguments[0])
    case (.startsWith, 2), (.endsWith, 2), (.contains, 2): return searchText(function, arguments[0], arguments[1])
    case (.index, 2): return index(arguments[0], arguments[1])
    case (.int, 1), (.uint, 1), (.double, 1), (.string, 1): return convert(function, arguments[0])
    default: return timePart(function, arguments)
    }
  }
}

extension ColumnEvaluator {
  /// The one argument that is a dictionary, where all others are constants and it is no larger than the batch.
  private func dictionaryArgument(_ arguments: [Vector]) -> Int? {
    let open = arguments.indices.filter { arguments[$0].constant == nil }
    guard open.count == 1, arguments.allSatisfy({ $0.constant == nil || $0.errors == nil }) else { return nil }
    return arguments[open[0]].isDictionary ? open[0] : nil
  }

  /// A predicate of a dictionary column: evaluated once per distinct value and once for null.
  func overDictionary(_ vector: Vector, _ predicate: (Vector) -> Vector) -> Vector {
    guard let (values, indices) = vector.dictionaryValues else { return predicate(vector) }
    // A null is the value before the first, where the indices of nulls, -1, find it.
    let answers = predicate(Vector(ArrowArray.concatenate([ArrowArray(nulls: values.type, count: 1), values]))).truth
    let states = (0..<answers.isTrue.count).map { value -> UInt8 in
      answers.isTrue[value] ? 1 : answers.unknown?[value] == true ? 2 : 0
    }
    let isTrue = testBits(indices, count: count) { (index: Int32) in states[Int(index) &+ 1] == 1 }
    guard answers.unknown != nil else { return Vector(isTrue, errors: vector.errors) }
    let failed = testBits(indices, count: count) { (index: Int32) in states[Int(index) &+ 1] == 2 }
    return Vector(isTrue, errors: union(vector.errors, failed))
  }

  /// `text.matches(pattern)`.
  func matches(_ vector: Vector, _ pattern: Pattern) -> Vector {
    if vector.isDictionary {
      return overDictionary(vector) { ColumnEvaluator([], rowCount: $0.count).matches($0, pattern) }
    }
    guard let array = vector.plainArray, array.type == .utf8 else {
      return rowByRow([vector], .bool) { values throws(EvaluationError) in
        guard case .string(let text) = values[0] else { throw values[0].noOverload("matches") }
        return .bool(pattern.matches(text))
      }
    }
    let (offsets, data) = (array.offsets.aligned(for: Int32.self), array.data)
    let values = TextValues(offsets: offsets, data: data, count: array.count)
    let bits = values.bits { row in unsafe values.withBytes(row) { unsafe pattern.matches($0) } }
    return Vector(bits, errors: vector.missing)
  }

  /// `value in [constants]`.
  func isMember(_ vector: Vector, _ set: ConstantSet) -> Vector {
    if vector.isDictionary {
      return overDictionary(vector) { ColumnEvaluator([], rowCount: $0.count).isMember($0, set) }
    }
    guard let array = vector.plainArray, let bits = set.bits(array) else {
      return rowByRow([vector], .bool) { values throws(EvaluationError) in .bool(set.contains(values[0])) }
    }
    guard let nulls = vector.nulls else { return Vector(bits, errors: vector.errors) }
    return Vector(set.contains(.null) ? bits.or(nulls) : bits.and(nulls.inverted()), errors: vector.errors)
  }

  /// `list[index]` of a list column and a constant or a column of integers.
  private func index(_ list: Vector, _ index: Vector) -> Vector? {
    guard let array = list.plainArray, array.type.isList, case .int(let place)? = index.constant else { return nil }
    let child = array.children[0]
    var positions = BufferBuilder(capacity: count * 4)
    var outside = BitmapBuilder(capacity: count)
    for row in 0..<count {
      let range = array.range(row)
      let isInside = place >= 0 && place < range.count
      positions.append(isInside ? Int32(range.lowerBound + Int(place)) : Int32(-1))
      outside.append(!isInside)
    }
    let missing = union(list.missing, index.errors)
    return Vector(child.take(positions.finish()), errors: union(missing, outside.finish()))
  }

  private func size(_ vector: Vector) -> Vector? {
    guard let array = vector.plainArray else { return nil }
    let sizes: Buffer
    switch array.type {
    case .utf8: sizes = codePointCounts(array)
    case .binary, .list, .fixedSizeList:
      var output = BufferBuilder(capacity: count * 8)
      for row in 0..<count { output.append(Int64(array.range(row).count)) }
      sizes = output.finish()
    default: return nil
    }
    return Vector(ArrowArray(.int64, count: count, storage: .fixed(sizes)), errors: vector.missing)
  }

  /// Every byte of UTF-8 that does not continue a code point begins one.
  private func codePointCounts(_ array: ArrowArray) -> Buffer {
    let (offsets, data) = (array.offsets.aligned(for: Int32.self), array.data)
    let values = TextValues(offsets: offsets, data: data, count: array.count)
    var output = BufferBuilder(capacity: count * 8)
    for row in 0..<count {
      let size = unsafe values.withBytes(row) { bytes in
        unsafe bytes.reduce(Int64(0)) { $0 &+ Int64(bitPattern: bit($1 & 0xC0 != 0x80)) }
      }
      output.append(size)
    }
    return output.finish()
  }

  private func searchText(_ function: Function, _ text: Vector, _ part: Vector) -> Vector? {
    guard case .string(let part)? = part.constant, let array = text.plainArray, array.type == .utf8 else { return nil }
    let needle = Array(part.utf8)
    let (offsets, data) = (array.offsets.aligned(for: Int32.self), array.data)
    let values = TextValues(offsets: offsets, data: data, count: array.count)
    let bits =
      switch function {
      case .startsWith: values.bits { row in unsafe values.withBytes(row) { unsafe begins($0, with: needle) } }
      case .endsWith: values.bits { row in unsafe values.withBytes(row) { unsafe ends($0, with: needle) } }
      default: values.bits { row in unsafe values.withBytes(row) { unsafe contains($0, needle) } }
      }
    return Vector(bits, errors: text.missing)
  }
}

extension Vector {
  /// Whether there are distinct values that are less work than the rows.
  fileprivate var isDictionary: Bool {
    guard case .array(let array) = values, case .dictionary(_, let distinct) = array.storage else { return false }
    return distinct.count <= max(64, array.count)
  }

  /// The distinct values and the rows' indices into them, Int32 each and -1 for null; nil unless `isDictionary`.
  fileprivate var dictionaryValues: (values: ArrowArray, indices: Buffer)? {
    guard isDictionary, case .array(let array) = values, case .dictionary(_, let distinct) = array.storage else {
      return nil
    }
    return (distinct.decoded(), array.dictionaryIndices())
  }
}

extension DataType {
  fileprivate var isList: Bool {
    switch self {
    case .list, .fixedSizeList: true
    default: false
    }
  }
}
