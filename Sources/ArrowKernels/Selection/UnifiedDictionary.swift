import Arrow
import Buffers

/// Dictionary arrays brought under one dictionary.
struct UnifiedDictionary {
  /// With indices as wide as the sources' where the values fit, else Int32.
  let type: DataType
  /// The indices of each source, into `values`.
  let indices: [Buffer]
  /// The validity of each source; values that are null in a dictionary are null here.
  let validities: [Bitmap?]
  let values: ArrowArray
  /// Whether the values begin with those of the first source, so that its indices mean the same in both.
  let continuesFirst: Bool

  /// - Parameter keepsEqual: whether values that several dictionaries have stay apart, which is faster for wide values.
  init(_ sources: [ArrowArray], keepsEqual: Bool = false) {
    let dictionaries = sources.map { $0.children[0] }
    let areAlike = sources.allSatisfy { $0.type == sources[0].type }
    if areAlike, dictionaries.allSatisfy({ $0.isIdentical(to: dictionaries[0]) }) {
      type = sources[0].type
      indices = sources.map(\.values)
      validities = sources.map(\.validity)
      values = dictionaries[0]
      continuesFirst = true
      return
    }
    guard case .dictionary(let index, let value, let isOrdered) = sources[0].type else {
      preconditionFailure("\(sources[0].type) is no dictionary")
    }
    let numbers: [Buffer]
    (values, numbers) = keepsEqual ? Self.joined(dictionaries) : Self.merged(dictionaries, of: value)
    // Values are numbered as they first appear: the last of those that are new, all of them, has the highest number.
    let firstCount = dictionaries[0].count
    continuesFirst = firstCount == 0 || Int(numbers[0].load(firstCount - 1, as: Int32.self)) == firstCount - 1
    let width = index.holds(values.count) ? index : .int32
    type = .dictionary(index: width, value: value, isOrdered: isOrdered && values.count == dictionaries[0].count)
    indices = zip(sources, numbers).map { source, numbers in source.renumbered(by: numbers, as: width) }
    validities = sources.map { source in
      source.children[0].nullCount == 0 ? source.validity : Bitmap((0..<source.count).map { !source.isNullValue($0) })
    }
  }

  /// The distinct values, and where each value of each dictionary lies among them, Int32.
  private static func merged(_ dictionaries: [ArrowArray], of type: DataType) -> (ArrowArray, [Buffer]) {
    var merger = DictionaryMerger(type)
    let numbers = dictionaries.map { merger.add($0) }
    return (merger.values(), numbers)
  }

  /// All values, one dictionary after the other, and where each lies, Int32.
  private static func joined(_ dictionaries: [ArrowArray]) -> (ArrowArray, [Buffer]) {
    var next: Int32 = 0
    let numbers = dictionaries.map { dictionary in
      defer { next += Int32(dictionary.count) }
      return Buffer(Array(next..<next + Int32(dictionary.count)))
    }
    return (ArrowArray.concatenate(dictionaries), numbers)
  }
}

extension RecordBatch {
  /// The same batches with one dictionary for each dictionary column, so that gathering from them again and again
  /// unifies none. Lists that several dictionaries have stay apart.
  public static func sharingDictionaries(_ batches: [RecordBatch]) -> [RecordBatch] {
    guard batches.count > 1 else { return batches }
    let columns = batches[0].columns.indices.map { column in
      ArrowArray.sharingDictionary(batches.map { $0.columns[column] })
    }
    return batches.indices.map { index in
      let own = columns.map { $0[index] }
      return RecordBatch(batches[index].schema.retyped(as: own), own, rowCount: batches[index].rowCount)
    }
  }
}

extension RecordBatch {
  /// All rows of `batches` as one batch that goes on with the dictionaries of those before it: what lies in many batches of a
  /// series is held once.
  ///
  /// - Parameters:
  ///   - batches: at least one; dictionaries' indices may differ in width.
  ///   - earlier: batches with the same columns. Those that share the last one's dictionaries share the new one's afterwards.
  public static func concatenate(
    _ batches: [RecordBatch], after earlier: [RecordBatch]
  ) -> (joined: RecordBatch, earlier: [RecordBatch]) {
    let parts = batches[0].columns.indices.map { column in batches.map { $0.columns[column] } }
    var columns: [(joined: ArrowArray, earlier: [ArrowArray])] = []
    for column in parts.indices {
      let before = earlier.map { $0.columns[column] }
      let twin = parts.firstTwin(of: column).map { (columns[$0].joined, before) }
      columns.append(twin ?? ArrowArray.concatenate(parts[column], after: before))
    }
    func batch(_ own: [ArrowArray], like batch: RecordBatch, _ rowCount: Int) -> RecordBatch {
      RecordBatch(batch.schema.retyped(as: own), own, rowCount: rowCount)
    }
    let joined = batch(columns.map(\.joined), like: batches[0], batches.reduce(0) { $0 + $1.rowCount })
    return (joined, earlier.indices.map { batch(columns.map(\.earlier[$0]), like: earlier[$0], earlier[$0].rowCount) })
  }
}

extension DataType {
  /// Whether numbers 0..<`count` fit this integer type.
  func holds(_ count: Int) -> Bool {
    switch self {
    case .int8: count <= 1 << 7
    case .uint8: count <= 1 << 8
    case .int16: count <= 1 << 15
    case .uint16: count <= 1 << 16
    default: true
    }
  }
}

extension ArrowArray {
  fileprivate static func sharingDictionary(_ arrays: [ArrowArray]) -> [ArrowArray] {
    guard case .dictionary(_, let values) = arrays[0].storage else { return arrays }
    let isWide =
      switch values.storage {
      case .list, .fixedSizeList: true
      default: false
      }
    let unified = UnifiedDictionary(arrays, keepsEqual: isWide)
    return arrays.indices.map { index in
      ArrowArray(
        unified.type, count: arrays[index].count, validity: unified.validities[index],
        storage: .dictionary(indices: unified.indices[index], values: unified.values))
    }
  }

  fileprivate static func concatenate(
    _ arrays: [ArrowArray], after earlier: [ArrowArray]
  ) -> (joined: ArrowArray, earlier: [ArrowArray]) {
    guard case .dictionary = arrays[0].storage else { return (concatenate(arrays), earlier) }
    let widest = arrays.max { $0.type.byteWidth! < $1.type.byteWidth! }!
    let known = earlier.last.flatMap {
      $0.type.valueType == widest.type.valueType && $0.type != $0.type.valueType ? $0 : nil
    }
    let first = known ?? widest
    let unified = UnifiedDictionary([first.slice(0..<0)] + arrays)
    let joined = concatenate(
      arrays.indices.map { index in
        ArrowArray(
          unified.type, count: arrays[index].count, validity: unified.validities[index + 1],
          storage: .dictionary(indices: unified.indices[index + 1], values: unified.values))
      })
    guard unified.continuesFirst, unified.type == first.type else { return (joined, earlier) }
    return (joined, earlier.map { $0.type == first.type ? $0.with(unified.values, insteadOf: first.children[0]) : $0 })
  }

  /// The same values, if `start` is the dictionary, with another that begins with it.
  private func with(_ dictionary: ArrowArray, insteadOf start: ArrowArray) -> ArrowArray {
    guard case .dictionary(let indices, let values) = storage, values.isIdentical(to: start) else { return self }
    return ArrowArray(
      type, count: count, validity: validity, storage: .dictionary(indices: indices, values: dictionary))
  }

  /// A dictionary array's indices mapped through `numbers`, Int32 each, as integers of type `index`.
  fileprivate func renumbered(by numbers: Buffer, as index: DataType) -> Buffer {
    let numberCount = numbers.byteCount / 4
    let old = dictionaryIndices()
    let oldIndices = old.span(of: Int32.self)
    let new = numbers.span(of: Int32.self)
    var output = BufferBuilder(capacity: count * index.byteWidth!)
    for row in 0..<count {
      let position = Int(oldIndices[row])
      let number = position >= 0 && position < numberCount ? max(new[position], 0) : 0
      output.append(index: number, as: index)
    }
    return output.finish()
  }

  /// Whether a dictionary array's value is null, by its own validity or its dictionary's.
  func isNullValue(_ row: Int) -> Bool { isNull(row) || children[0].isNull(dictionaryIndex(row)) }

  /// A dictionary array's indices as Int32, -1 where the value is null.
  /// - Precondition: the indices of values that are not null lie within the dictionary.
  public func dictionaryIndices() -> Buffer {
    guard case .dictionary(let indices, let values) = storage, case .dictionary(let index, _, _) = type else {
      preconditionFailure("\(type) is no dictionary")
    }
    var output = BufferBuilder(capacity: count * 4)
    output.append(zeroes: count * 4)
    output.withMutableSpan(of: Int32.self) { output in
      switch index {
      case .int8: widen(indices, Int8.self, &output)
      case .uint8: widen(indices, UInt8.self, &output)
      case .int16: widen(indices, Int16.self, &output)
      case .uint16: widen(indices, UInt16.self, &output)
      case .int32, .uint32: widen(indices, Int32.self, &output)
      default: widen(indices, Int64.self, &output)
      }
      let bound = values.count
      if nullCount == 0 {
        var highest: UInt32 = 0
        for row in 0..<count { highest = max(highest, UInt32(bitPattern: unsafe output[unchecked: row])) }
        precondition(count == 0 || highest < bound, "index \(highest) of \(bound) values")
        return
      }
      for row in 0..<count {
        let isValid = isValid(row)
        precondition(!isValid || (output[row] >= 0 && output[row] < bound), "index \(output[row]) of \(bound) values")
        if !isValid { output[row] = -1 }
      }
    }
    return output.finish()
  }

  @inline(__always)
  private func widen<Index: FixedWidthInteger & BitwiseCopyable>(
    _ indices: Buffer, _ type: Index.Type, _ output: inout MutableSpan<Int32>
  ) {
    precondition(indices.byteCount >= count * MemoryLayout<Index>.stride, "\(indices.byteCount) bytes of indices")
    for row in 0..<count {
      unsafe output[unchecked: row] = Int32(clamping: indices.load(unchecked: row, as: Index.self))
    }
  }
}
