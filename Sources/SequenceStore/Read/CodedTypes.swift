import Arrow
import ArrowKernels
import Buffers
import Synchronization

/// The event types of some rows as numbers into a list of names.
final class CodedTypes: Sendable {
  let names: TypeNames
  /// Int32 each, into the names.
  let codes: Buffer

  /// - Parameter types: texts without nulls, also in a dictionary; nothing is copied where that is a list's own.
  init(_ types: ArrowArray) {
    let coded = types.dictionaryEncoded()!
    let values = coded.children[0]
    if coded.type == .textDictionary, let names = TypeNames.known(values) {
      (self.names, codes) = (names, coded.values)
      return
    }
    let texts = (0..<values.count).map { values.string($0) }
    let names = TypeNames.shared(Set(texts).sorted())
    self.names = names
    let places = texts.map { Int32(names.names.firstIndex(of: $0)!) }
    let (indices, numbers) = (coded.dictionaryIndices(), places.span)
    let old = indices.span(of: Int32.self)
    var codes = BufferBuilder(capacity: types.count * 4)
    for row in 0..<types.count { codes.append(numbers[Int(old[row])]) }
    self.codes = codes.finish()
  }

  /// - Parameter codes: Int32 each, into the names.
  init(_ names: TypeNames, codes: Buffer) { (self.names, self.codes) = (names, codes) }

  /// The types as a column.
  var column: ArrowArray {
    ArrowArray(
      .textDictionary, count: codes.byteCount / 4, storage: .dictionary(indices: codes, values: names.column))
  }
}

/// Names of event types, in order: rows of one list of names are told by looking at its address.
final class TypeNames: Sendable {
  let names: [String]
  let column: ArrowArray

  private init(_ names: [String]) { (self.names, column) = (names, ArrowArray(names)) }

  /// The lists that were used last: a store has few.
  private static let recent = Mutex<[TypeNames]>([])
  private static let recentCount = 16

  /// The list of which `values` is the column.
  static func known(_ values: ArrowArray) -> TypeNames? {
    recent.withLock { $0.first { $0.column.isIdentical(to: values) } }
  }

  static func shared(_ names: [String]) -> TypeNames {
    recent.withLock { recent in
      if let known = recent.first(where: { $0.names == names }) { return known }
      let made = TypeNames(names)
      if recent.count == recentCount { recent.removeFirst() }
      recent.append(made)
      return made
    }
  }
}
