/// A value of CEL's, one at a time: what literals are and the interpreter works with.
package indirect enum CELValue: Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case double(Double)
  case string(String)
  case bytes([UInt8])
  case timestamp(CELTimestamp)
  case duration(CELDuration)
  case list([CELValue])
  case map(CELMap)
  case structure(CELStructure)
  /// A type, by its name.
  case type(String)
}

/// The fields of a structure column's value.
package struct CELStructure: Sendable {
  package var names: [String]
  package var values: [CELValue]

  subscript(field: String) -> CELValue? { names.firstIndex(of: field).map { values[$0] } }
}

/// Nanoseconds since 1970-01-01T00:00:00Z.
package struct CELTimestamp: Sendable, Hashable {
  package var nanoseconds: Int128

  package init(nanoseconds: Int128) { self.nanoseconds = nanoseconds }
}

/// A length of time, in nanoseconds.
package struct CELDuration: Sendable, Hashable {
  package var nanoseconds: Int128

  package init(nanoseconds: Int128) { self.nanoseconds = nanoseconds }
}

extension CELValue {
  /// How long `+` may make a text, in bytes, and a list: an expression may double them many times over.
  static let byteLimit = 1 << 26
  static let elementLimit = 1 << 20

  /// What `type()` answers.
  package var typeName: String {
    switch self {
    case .null: "null_type"
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .double: "double"
    case .string: "string"
    case .bytes: "bytes"
    case .timestamp: "google.protobuf.Timestamp"
    case .duration: "google.protobuf.Duration"
    case .list: "list"
    case .map: "map"
    case .structure: "struct"
    case .type: "type"
    }
  }

  /// The names that an expression may use for a type.
  static let typeNames: Set<String> = [
    "null_type", "bool", "int", "uint", "double", "string", "bytes", "google.protobuf.Timestamp",
    "google.protobuf.Duration", "list", "map", "type",
  ]

  /// The type of a literal.
  var literalType: CELType {
    switch self {
    case .bool: .bool
    case .int: .int
    case .uint: .uint
    case .double: .double
    case .string: .string
    case .bytes: .bytes
    case .timestamp: .timestamp
    case .duration: .duration
    case .type: .type
    case .null: .null
    case .list, .map, .structure: .dyn
    }
  }
}

extension CELValue: CustomStringConvertible {
  /// For messages: texts quoted, long ones cut.
  package var description: String {
    switch self {
    case .null: return "null"
    case .bool(let value): return "\(value)"
    case .int(let value): return "\(value)"
    case .uint(let value): return "\(value)u"
    case .double(let value): return value.celText
    case .string(let text): return text.unicodeScalars.count > 40 ? "'\(text.prefix(40))…'" : "'\(text)'"
    case .bytes(let bytes): return "\(bytes.count) bytes"
    case .timestamp(let time): return time.text
    case .duration(let length): return length.text
    case .list(let elements): return "[" + elements.map(\.description).joined(separator: ", ") + "]"
    case .map(let map):
      return "{" + map.entries.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "}"
    case .structure(let structure):
      return "{" + zip(structure.names, structure.values).map { "\($0): \($1)" }.joined(separator: ", ") + "}"
    case .type(let name): return name
    }
  }
}

/// A map, in the order of its entries. Numbers that are equal are the same key.
package struct CELMap: Sendable {
  package struct Entry: Sendable {
    package var key: CELValue
    package var value: CELValue
  }

  private enum Key: Hashable, Sendable {
    case bool(Bool)
    case number(Int128)
    case string([UInt8])

    /// Nil where no map has such a key.
    init?(_ value: CELValue) {
      switch value {
      case .bool(let bool): self = .bool(bool)
      case .int(let int): self = .number(Int128(int))
      case .uint(let uint): self = .number(Int128(uint))
      case .double(let double):
        guard let number = Int128(exactly: double) else { return nil }
        self = .number(number)
      case .string(let text): self = .string(Array(text.utf8))
      default: return nil
      }
    }
  }

  package private(set) var entries: [Entry] = []
  private var places: [Key: Int] = [:]

  package init() {}

  package init(_ entries: [(CELValue, CELValue)]) throws(EvaluationError) {
    for (key, value) in entries { try insert(key, value) }
  }

  mutating func insert(_ key: CELValue, _ value: CELValue) throws(EvaluationError) {
    guard let place = Key(key), key.isMapKey else { throw .unsupportedKey(type: key.typeName) }
    guard places[place] == nil else { throw .repeatedKey(key.description) }
    places[place] = entries.count
    entries.append(Entry(key: key, value: value))
  }

  package subscript(key: CELValue) -> CELValue? {
    Key(key).flatMap { places[$0] }.map { entries[$0].value }
  }
}

extension CELValue {
  fileprivate var isMapKey: Bool {
    switch self {
    case .bool, .int, .uint, .string: true
    default: false
    }
  }
}
