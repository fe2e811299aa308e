import Arrow

/// A type of CEL's, as the checker deduces it.
package indirect enum CELType: Sendable, Hashable {
  case null, bool, int, uint, double, string, bytes, timestamp, duration
  case list(CELType)
  case map(CELType, CELType)
  /// A structure column: fields by name, each nullable.
  case structure([StructureField])
  /// The type of types.
  case type
  /// A value of the type, or null: what a nullable column holds (protobuf's wrappers elsewhere).
  case nullable(CELType)
  /// Known at run time only.
  case dyn
  /// Not known yet; after the check such a type is `dyn`.
  case variable(Int)

  package struct StructureField: Sendable, Hashable {
    package var name: String
    package var type: CELType

    package init(_ name: String, _ type: CELType) {
      self.name = name
      self.type = type
    }
  }

  /// Without the null.
  package var nonNull: CELType {
    if case .nullable(let type) = self { type.nonNull } else { self }
  }

  /// The type or null.
  package var orNull: CELType {
    switch self {
    case .null, .dyn, .nullable, .variable: self
    default: .nullable(self)
    }
  }

  package var isNumeric: Bool {
    switch nonNull {
    case .int, .uint, .double: true
    default: false
    }
  }
}

extension CELType: CustomStringConvertible {
  package var description: String {
    switch self {
    case .null: "null_type"
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .double: "double"
    case .string: "string"
    case .bytes: "bytes"
    case .timestamp: "timestamp"
    case .duration: "duration"
    case .list(let element): "list(\(element))"
    case .map(let key, let value): "map(\(key), \(value))"
    case .structure(let fields): "struct(\(fields.map(\.name).joined(separator: ", ")))"
    case .type: "type"
    case .nullable(let type): "\(type) or null"
    case .dyn, .variable: "dyn"
    }
  }
}

extension CELType {
  /// The type of a column's values; nil where CEL has none (decimals, times of day).
  package init?(_ type: DataType) {
    switch type {
    case .null: self = .null
    case .boolean: self = .bool
    case .int8, .int16, .int32, .int64: self = .int
    case .uint8, .uint16, .uint32, .uint64: self = .uint
    case .float16, .float32, .float64: self = .double
    case .utf8: self = .string
    case .binary, .fixedSizeBinary: self = .bytes
    case .timestamp, .date32, .date64: self = .timestamp
    case .duration: self = .duration
    case .list(let element), .fixedSizeList(let element, _):
      guard let type = CELType(element) else { return nil }
      self = .list(type)
    case .structure(let fields):
      self = .structure(fields.compactMap { field in CELType(field).map { StructureField(field.name, $0) } })
    case .map(let entries, _):
      guard case .structure(let pair) = entries.type, pair.count == 2, let key = CELType(pair[0].type),
        let value = CELType(pair[1])
      else { return nil }
      self = .map(key, value)
    case .dictionary(_, let value, _):
      guard let type = CELType(value) else { return nil }
      self = type
    case .time32, .time64, .decimal128: return nil
    }
  }

  /// The field's type, or null where the field is nullable.
  package init?(_ field: Field) {
    guard let type = CELType(field.type) else { return nil }
    self = field.isNullable ? type.orNull : type
  }

  /// The type of a column that holds the values; nil where none does (dyn, type).
  /// Times are in microseconds.
  package var arrowType: DataType? {
    switch self {
    case .null: return .null
    case .bool: return .boolean
    case .int: return .int64
    case .uint: return .uint64
    case .double: return .float64
    case .string: return .utf8
    case .bytes: return .binary
    case .timestamp: return .timestampMicrosUTC
    case .duration: return .duration(.micro)
    case .list(let element): return element.arrowType.map { .list(Field("item", $0)) }
    case .map(let key, let value):
      guard let key = key.arrowType, let value = value.arrowType else { return nil }
      let entries = Field(
        "entries", .structure([Field("key", key, isNullable: false), Field("value", value)]), isNullable: false)
      return .map(entries: entries, keysSorted: false)
    case .structure(let fields):
      let columns = fields.compactMap { field in field.type.arrowType.map { Field(field.name, $0) } }
      return columns.count == fields.count ? .structure(columns) : nil
    case .nullable(let type): return type.arrowType
    case .dyn, .variable, .type: return nil
    }
  }
}
