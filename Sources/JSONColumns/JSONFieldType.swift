import Arrow

/// What a declared field's values must be, and which Arrow type they become.
package indirect enum JSONFieldType: Sendable, Hashable {
  case bool
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  case float32, float64
  case string
  /// Any value, kept as its text.
  case json
  /// Becomes `timestamp[us, UTC]`, whatever the form in the text.
  case timestamp(JSONTimestampForm)
  /// An array of any length.
  case list(JSONFieldType)
  /// An array of exactly `count` numbers; `element` is `float32` or `float64`.
  case fixedSizeList(JSONFieldType, count: Int)

  /// The column's type.
  package var arrowType: DataType {
    switch self {
    case .bool: .boolean
    case .int8: .int8
    case .int16: .int16
    case .int32: .int32
    case .int64: .int64
    case .uint8: .uint8
    case .uint16: .uint16
    case .uint32: .uint32
    case .uint64: .uint64
    case .float32: .float32
    case .float64: .float64
    case .string, .json: .utf8
    case .timestamp: .timestampMicrosUTC
    case .list(let element): .list(Field("item", element.arrowType))
    case .fixedSizeList(let element, let count):
      .fixedSizeList(Field("item", element.arrowType, isNullable: false), count: count)
    }
  }

  /// What a value is called that a line lacks: "an integer", "a string".
  var expectation: String {
    switch self {
    case .bool: "a boolean"
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64: "an integer of \(self)"
    case .float32, .float64: "a number"
    case .string: "a string"
    case .json: "a value"
    case .timestamp(.rfc3339): "an RFC 3339 timestamp"
    case .timestamp: "a number of time units since 1970"
    case .list: "an array"
    case .fixedSizeList(_, let count): "an array of \(count) numbers"
    }
  }
}

/// How a timestamp is written in the text.
package enum JSONTimestampForm: Sendable, Hashable, CaseIterable {
  /// A number of seconds, milliseconds or microseconds since 1970-01-01T00:00:00Z; a fraction is kept to the microsecond.
  case seconds, millis, micros
  /// A string such as `2026-11-20T10:00:00.125+02:00`.
  case rfc3339

  /// As in `timestamp[ms]`.
  package var symbol: String {
    switch self {
    case .seconds: "s"
    case .millis: "ms"
    case .micros: "us"
    case .rfc3339: "rfc3339"
    }
  }

  var microsPerUnit: Int64 {
    switch self {
    case .seconds: 1_000_000
    case .millis: 1_000
    case .micros, .rfc3339: 1
    }
  }
}

extension JSONFieldType: CustomStringConvertible {
  /// As definitions write it: `int64`, `timestamp[ms]`, `float32[64]`, `list<string>`.
  package var description: String {
    switch self {
    case .json: "json"
    case .timestamp(let form): "timestamp[\(form.symbol)]"
    case .list(let element): "list<\(element)>"
    case .fixedSizeList(let element, let count): "\(element)[\(count)]"
    default: arrowType.description
    }
  }

  private static let scalars: [JSONFieldType] =
    [.bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float32, .float64, .string, .json]
    + JSONTimestampForm.allCases.map { .timestamp($0) }

  /// The type that `text` names as `description` writes it; nil when there is none.
  package init?(_ text: String) {
    if let scalar = Self.scalars.first(where: { $0.description == text }) {
      self = scalar
    } else if text.hasPrefix("list<"), text.hasSuffix(">"), let element = Self(String(text.dropFirst(5).dropLast())) {
      self = .list(element)
    } else if text.hasSuffix("]"), let open = text.lastIndex(of: "["),
      let count = Int(text[text.index(after: open)...].dropLast()), (1...Self.maximumLength).contains(count),
      let element = Self(String(text[..<open])), element == .float32 || element == .float64
    {
      self = .fixedSizeList(element, count: count)
    } else {
      return nil
    }
  }

  /// The longest fixed-size list.
  static let maximumLength = 65_536
}

/// A field to be read out of every line.
package struct JSONFieldSpec: Sendable, Hashable {
  /// Keys from the line's object inwards, joined by `.`; `[]` after a key steps into an array's elements: `a.items[].id`.
  /// A `\` takes the next character as it is (`a\.b` is one key). The column is named by the path.
  package var path: String
  package var type: JSONFieldType
  /// Whether a line without this value (missing, null, or of another type) is rejected.
  package var isRequired: Bool

  package init(path: String, type: JSONFieldType, isRequired: Bool = false) {
    self.path = path
    self.type = type
    self.isRequired = isRequired
  }
}
