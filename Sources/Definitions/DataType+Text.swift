import Arrow

extension DataType {
  /// The scalars that definitions may name, in the order in which messages list them.
  static let namedScalars: [DataType] = [
    .boolean, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float16, .float32, .float64, .utf8,
    .binary, .timestampMicrosUTC,
  ]

  /// The type that `text` names, as `description` writes it: `int64`, `timestamp[us, UTC]`, `float32[64]`.
  ///
  /// - Returns: nil when no definition may use such a type.
  package init?(text: String) {
    guard let type = TypeText.parse(text, scalar: { name in Self.namedScalars.first { $0.description == name } }) else {
      return nil
    }
    self = type.dataType
  }

  /// The type of lists of this one, with Arrow's usual name for their elements.
  package var listType: DataType { .list(Field("item", self)) }

  /// The type of lists of exactly `count` elements of this one.
  func fixedSizeListType(count: Int) -> DataType { .fixedSizeList(Field("item", self), count: count) }
}

/// The grammar that dataset types and field types share: `type = "list<" type ">" | type "[" count "]" | scalar`.
indirect enum TypeText<Scalar> {
  case scalar(Scalar)
  case list(TypeText)
  case fixedSizeList(TypeText, count: Int)

  /// Deeper nesting is refused: nothing that is stored needs it.
  private static var maximumDepth: Int { 4 }
  private static var counts: ClosedRange<Int> { 1...65_536 }

  static func parse(_ text: String, depth: Int = 0, scalar: (String) -> Scalar?) -> TypeText? {
    guard depth <= maximumDepth else { return nil }
    if let value = scalar(text) { return .scalar(value) }
    if text.hasPrefix("list<"), text.hasSuffix(">") {
      return parse(String(text.dropFirst(5).dropLast()), depth: depth + 1, scalar: scalar).map { .list($0) }
    }
    guard text.hasSuffix("]"), let open = text.lastIndex(of: "["),
      let count = Int(text[text.index(after: open)...].dropLast()), counts.contains(count)
    else { return nil }
    return parse(String(text[..<open]), depth: depth + 1, scalar: scalar).map { .fixedSizeList($0, count: count) }
  }
}

extension TypeText where Scalar == DataType {
  var dataType: DataType {
    switch self {
    case .scalar(let type): type
    case .list(let element): element.dataType.listType
    case .fixedSizeList(let element, let count): element.dataType.fixedSizeListType(count: count)
    }
  }
}
