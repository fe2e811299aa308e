import Arrow

extension SchemaParser {
  /// The Arrow type of a leaf and the field metadata that says what Arrow's type does not.
  ///
  /// An annotation that is unknown counts as none; one that does not fit the physical type is an error.
  /// - Throws: `.unsupportedType`, `.invalidSchema`.
  /// - Source: `LogicalTypes.md`.
  func arrowType(
    of element: SchemaElement, column: String
  ) throws(ParquetError) -> (DataType, metadata: [String: String]) {
    let physical = element.physicalType!
    let width = element.typeLength ?? 0
    if physical == .fixedLenByteArray, width <= 0 || width > 1 << 24 {
      throw ParquetError(.outOfRange("fixed length", value: width, limit: 1 << 24), column: column)
    }
    switch (element.annotation, physical) {
    case (.unknown, _): return (.null, [:])
    case (.decimal(let precision, let scale), _):
      return (try decimal(physical, width: width, precision: precision, scale: scale, column: column), [:])
    case (.uuid, .fixedLenByteArray) where width == 16:
      return (.fixedSizeBinary(byteWidth: 16), ["ARROW:extension:name": "arrow.uuid", "ARROW:extension:metadata": ""])
    case (.float16, .fixedLenByteArray) where width == 2: return (.float16, [:])
    case (.interval, .fixedLenByteArray) where width == 12: return (.fixedSizeBinary(byteWidth: 12), [:])
    case (.string, .byteArray), (.enumeration, .byteArray), (.json, .byteArray): return (.utf8, [:])
    case (.bson, .byteArray), (.geometry, .byteArray), (.geography, .byteArray): return (.binary, [:])
    case (.date, .int32): return (.date32, [:])
    case (.time(.milli, _), .int32): return (.time32(.milli), [:])
    case (.time(let unit, _), .int64) where unit == .micro || unit == .nano: return (.time64(unit), [:])
    case (.timestamp(let unit, let isUTC), .int64): return (.timestamp(unit, zone: isUTC ? "UTC" : nil), [:])
    case (.integer(let bits, let isSigned), .int32) where bits <= 32:
      if let type = integer(bits, isSigned: isSigned) { return (type, [:]) }
    case (.integer(64, let isSigned), .int64): return (isSigned ? .int64 : .uint64, [:])
    case (nil, _), (.other, _), (.variant, _): return (plain(physical, width: width), [:])
    default: break
    }
    throw ParquetError(
      .invalidSchema("annotation \(element.annotation!) does not fit type \(physical)"), column: column)
  }

  private func integer(_ bits: Int, isSigned: Bool) -> DataType? {
    switch bits {
    case 8: isSigned ? .int8 : .uint8
    case 16: isSigned ? .int16 : .uint16
    case 32: isSigned ? .int32 : .uint32
    default: nil
    }
  }

  private func plain(_ physical: PhysicalType, width: Int) -> DataType {
    switch physical {
    case .boolean: .boolean
    case .int32: .int32
    case .int64: .int64
    case .int96: .timestamp(.micro, zone: nil)
    case .float: .float32
    case .double: .float64
    case .byteArray: .binary
    case .fixedLenByteArray: .fixedSizeBinary(byteWidth: width)
    }
  }

  private func decimal(
    _ physical: PhysicalType, width: Int, precision: Int, scale: Int, column: String
  ) throws(ParquetError) -> DataType {
    guard precision > 0, scale <= precision, scale >= -precision else {
      throw ParquetError(.invalidSchema("decimal of precision \(precision) and scale \(scale)"), column: column)
    }
    guard precision <= 38 else {
      throw ParquetError(.unsupportedType("DECIMAL(\(precision), \(scale)) of more than 38 digits"), column: column)
    }
    switch physical {
    case .int32, .int64, .byteArray, .fixedLenByteArray: return .decimal128(precision: precision, scale: scale)
    default: throw ParquetError(.invalidSchema("annotation decimal does not fit type \(physical)"), column: column)
    }
  }
}
