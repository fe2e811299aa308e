import Arrow

/// How the values of a leaf column are stored.
/// - Source: `parquet.thrift`, `Type`; the raw values are Thrift's.
package enum PhysicalType: UInt8, Sendable, Hashable, CaseIterable {
  case boolean = 0
  case int32 = 1
  case int64 = 2
  case int96 = 3
  case float = 4
  case double = 5
  case byteArray = 6
  case fixedLenByteArray = 7

  /// Bytes per PLAIN value; nil for booleans (a bit), byte arrays and fixed-length byte arrays.
  package var byteWidth: Int? {
    switch self {
    case .int32, .float: 4
    case .int64, .double: 8
    case .int96: 12
    case .boolean, .byteArray, .fixedLenByteArray: nil
    }
  }
}

/// How often a field occurs in its parent.
/// - Source: `parquet.thrift`, `FieldRepetitionType`; the raw values are Thrift's.
package enum Repetition: UInt8, Sendable, Hashable {
  case required = 0
  case optional = 1
  case repeated = 2
}

/// The annotations of old writers; each has a `LogicalType` in its place now.
/// - Source: `parquet.thrift`, `ConvertedType`; the raw values are Thrift's.
package enum ConvertedType: UInt8, Sendable, Hashable {
  case utf8 = 0
  case map, mapKeyValue, list, enumeration, decimal, date, timeMillis, timeMicros, timestampMillis, timestampMicros
  case uint8, uint16, uint32, uint64, int8, int16, int32, int64
  case json, bson, interval
}

/// What the values of a column or group mean.
/// - Source: `parquet.thrift`, `LogicalType`; `LogicalTypes.md`.
package enum LogicalType: Sendable, Hashable {
  case string, map, list, enumeration
  case decimal(precision: Int, scale: Int)
  case date
  case time(TimeUnit, isAdjustedToUTC: Bool)
  case timestamp(TimeUnit, isAdjustedToUTC: Bool)
  case integer(bitWidth: Int, isSigned: Bool)
  /// Always null.
  case unknown
  case json, bson, uuid, float16
  /// Twelve bytes: months, days, milliseconds. Only a `ConvertedType` stands for it.
  case interval
  case variant, geometry, geography
  /// An annotation newer than this module, by its Thrift field id; the physical type alone counts.
  case other(Int)
}

/// One node of the schema, as the footer lists them: a group before its children, depth first.
/// - Source: `parquet.thrift`, `SchemaElement`.
package struct SchemaElement: Sendable, Hashable {
  package var name: String
  /// Nil for groups.
  package var physicalType: PhysicalType?
  /// Bytes per fixed-length byte array.
  package var typeLength: Int?
  /// Nil for the root.
  package var repetition: Repetition?
  /// Nil or 0 for leaves.
  package var childCount: Int?
  package var convertedType: ConvertedType?
  package var scale: Int?
  package var precision: Int?
  package var fieldID: Int?
  package var logicalType: LogicalType?

  package init(
    name: String, physicalType: PhysicalType? = nil, typeLength: Int? = nil, repetition: Repetition? = nil,
    childCount: Int? = nil, convertedType: ConvertedType? = nil, scale: Int? = nil, precision: Int? = nil,
    fieldID: Int? = nil, logicalType: LogicalType? = nil
  ) {
    self.name = name
    self.physicalType = physicalType
    self.typeLength = typeLength
    self.repetition = repetition
    self.childCount = childCount
    self.convertedType = convertedType
    self.scale = scale
    self.precision = precision
    self.fieldID = fieldID
    self.logicalType = logicalType
  }

  /// The logical type, taken from the converted type where only that is there.
  package var annotation: LogicalType? {
    if let logicalType { return logicalType }
    guard let convertedType else { return nil }
    return switch convertedType {
    case .utf8: .string
    case .map, .mapKeyValue: .map
    case .list: .list
    case .enumeration: .enumeration
    case .decimal: .decimal(precision: precision ?? 0, scale: scale ?? 0)
    case .date: .date
    case .timeMillis: .time(.milli, isAdjustedToUTC: true)
    case .timeMicros: .time(.micro, isAdjustedToUTC: true)
    case .timestampMillis: .timestamp(.milli, isAdjustedToUTC: true)
    case .timestampMicros: .timestamp(.micro, isAdjustedToUTC: true)
    case .uint8: .integer(bitWidth: 8, isSigned: false)
    case .uint16: .integer(bitWidth: 16, isSigned: false)
    case .uint32: .integer(bitWidth: 32, isSigned: false)
    case .uint64: .integer(bitWidth: 64, isSigned: false)
    case .int8: .integer(bitWidth: 8, isSigned: true)
    case .int16: .integer(bitWidth: 16, isSigned: true)
    case .int32: .integer(bitWidth: 32, isSigned: true)
    case .int64: .integer(bitWidth: 64, isSigned: true)
    case .json: .json
    case .bson: .bson
    case .interval: .interval
    }
  }
}
