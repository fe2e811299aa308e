/// The units of Arrow's times, timestamps and durations.
public enum TimeUnit: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
  case second, milli, micro, nano

  /// Units per second.
  public var perSecond: Int64 {
    switch self {
    case .second: 1
    case .milli: 1_000
    case .micro: 1_000_000
    case .nano: 1_000_000_000
    }
  }

  /// As Arrow's textual schemas write it: `s`, `ms`, `us`, `ns`.
  public var symbol: String {
    switch self {
    case .second: "s"
    case .milli: "ms"
    case .micro: "us"
    case .nano: "ns"
    }
  }
}

/// A logical type of the Arrow columnar format.
///
/// The large forms (64-bit offsets) have no type of their own: readers narrow them. Nor have runs (run-end encoding): they
/// are read as a dictionary whose indices number the runs, and written from one.
/// - Source: Arrow `format/Schema.fbs`.
public indirect enum DataType: Sendable, Hashable {
  case null
  case boolean
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  case float16, float32, float64
  case utf8, binary
  case fixedSizeBinary(byteWidth: Int)
  /// Days since 1970-01-01.
  case date32
  /// Milliseconds since 1970-01-01, whole days.
  case date64
  /// Since midnight, in seconds or milliseconds.
  case time32(TimeUnit)
  /// Since midnight, in micro- or nanoseconds.
  case time64(TimeUnit)
  /// Since 1970-01-01T00:00:00, in UTC when there is a zone, else in local time.
  case timestamp(TimeUnit, zone: String?)
  case duration(TimeUnit)
  /// 128-bit integers times 10^-scale.
  case decimal128(precision: Int, scale: Int)
  case list(Field)
  case fixedSizeList(Field, count: Int)
  case structure([Field])
  /// A list of entries: a structure of key and value.
  case map(entries: Field, keysSorted: Bool)
  case dictionary(index: DataType, value: DataType, isOrdered: Bool)

  /// Bytes per value in the values buffer, where that is a whole number and the same for all.
  public var byteWidth: Int? {
    switch self {
    case .int8, .uint8: 1
    case .int16, .uint16, .float16: 2
    case .int32, .uint32, .float32, .date32, .time32: 4
    case .int64, .uint64, .float64, .date64, .time64, .timestamp, .duration: 8
    case .decimal128: 16
    case .fixedSizeBinary(let width): width
    case .dictionary(let index, _, _): index.byteWidth
    case .null, .boolean, .utf8, .binary, .list, .fixedSizeList, .structure, .map: nil
    }
  }

  /// Texts, each stated once, and 32-bit numbers for them.
  public static let textDictionary = DataType.dictionary(index: .int32, value: .utf8, isOrdered: false)

  /// The type of the values that a reader sees: a dictionary's value type, any other itself.
  public var valueType: DataType {
    if case .dictionary(_, let value, _) = self { value.valueType } else { self }
  }

  public var isInteger: Bool {
    switch self {
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64: true
    default: false
    }
  }

  public var isFloat: Bool {
    switch self {
    case .float16, .float32, .float64: true
    default: false
    }
  }

  /// Timestamps as every event's `ts` and `seen_at` have them.
  public static let timestampMicrosUTC = DataType.timestamp(.micro, zone: "UTC")
}

extension DataType: CustomStringConvertible {
  /// As the definitions write it: `int64`, `timestamp[us, UTC]`, `float32[64]`, `list<string>`.
  public var description: String {
    switch self {
    case .null: "null"
    case .boolean: "bool"
    case .int8: "int8"
    case .int16: "int16"
    case .int32: "int32"
    case .int64: "int64"
    case .uint8: "uint8"
    case .uint16: "uint16"
    case .uint32: "uint32"
    case .uint64: "uint64"
    case .float16: "float16"
    case .float32: "float32"
    case .float64: "float64"
    case .utf8: "string"
    case .binary: "binary"
    case .fixedSizeBinary(let width): "binary[\(width)]"
    case .date32: "date32"
    case .date64: "date64"
    case .time32(let unit): "time32[\(unit.symbol)]"
    case .time64(let unit): "time64[\(unit.symbol)]"
    case .timestamp(let unit, let zone): zone.map { "timestamp[\(unit.symbol), \($0)]" } ?? "timestamp[\(unit.symbol)]"
    case .duration(let unit): "duration[\(unit.symbol)]"
    case .decimal128(let precision, let scale): "decimal128(\(precision), \(scale))"
    case .list(let element): "list<\(element.type)>"
    case .fixedSizeList(let element, let count): "\(element.type)[\(count)]"
    case .structure(let fields):
      "struct<" + fields.map { "\($0.name): \($0.type)" }.joined(separator: ", ") + ">"
    case .map(let entries, _): "map<\(entries.type)>"
    case .dictionary(let index, let value, _): "dictionary<\(index), \(value)>"
    }
  }
}

/// A column's name and type.
public struct Field: Sendable, Hashable {
  public var name: String
  public var type: DataType
  public var isNullable: Bool
  public var metadata: [String: String]

  public init(_ name: String, _ type: DataType, isNullable: Bool = true, metadata: [String: String] = [:]) {
    self.name = name
    self.type = type
    self.isNullable = isNullable
    self.metadata = metadata
  }
}

/// The columns of a table, in order.
public struct Schema: Sendable, Hashable {
  public var fields: [Field]
  public var metadata: [String: String]

  public init(_ fields: [Field], metadata: [String: String] = [:]) {
    self.fields = fields
    self.metadata = metadata
  }

  /// The first field of that name.
  public func index(of name: String) -> Int? { fields.firstIndex { $0.name == name } }

  public subscript(name: String) -> Field? { index(of: name).map { fields[$0] } }
}
