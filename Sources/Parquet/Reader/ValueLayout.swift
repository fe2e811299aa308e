import Arrow

/// How a leaf's stored values become Arrow's.
enum ValueLayout: Hashable {
  /// Always null.
  case null
  case boolean
  /// As stored, `width` bytes each.
  case fixed(width: Int)
  /// INT32 as integers of fewer bytes.
  case narrowed(width: Int)
  /// INT96 as microseconds.
  case int96
  /// Two's complement of any width and byte order, as 16 bytes.
  case decimal
  /// Byte arrays behind offsets.
  case variable
  /// Byte arrays as indices into a dictionary.
  case dictionary

  init(_ leaf: LeafColumn, asDictionary: Bool) {
    self =
      switch leaf.arrowType {
      case .null: .null
      case .boolean: .boolean
      case .utf8, .binary: asDictionary ? .dictionary : .variable
      case .decimal128: .decimal
      case .int8, .uint8: .narrowed(width: 1)
      case .int16, .uint16: .narrowed(width: 2)
      case let type: leaf.physicalType == .int96 ? .int96 : .fixed(width: type.byteWidth!)
      }
  }

  /// Bytes per slot of the values buffer; of variable ones, of the offsets.
  var width: Int {
    switch self {
    case .null, .boolean: 0
    case .fixed(let width), .narrowed(let width): width
    case .int96: 8
    case .decimal: 16
    case .variable, .dictionary: 4
    }
  }
}
