import Arrow

/// How raw text writes a moment.
package enum TimestampText: String, Sendable, Hashable, CaseIterable {
  /// A number of seconds, milliseconds or microseconds since 1970-01-01T00:00:00Z.
  case seconds = "s"
  case millis = "ms"
  case micros = "us"
  /// A string such as `2026-11-20T08:30:00.25Z`.
  case rfc3339

  static let examples = list(allCases.map { "timestamp[\($0.rawValue)]" })

  /// The kind in `timestamp[ms]`; nil for any other type.
  init?(type: String) {
    guard case .timestamp(let text)? = FieldType(text: type) else { return nil }
    self = text
  }
}

/// What a source's field holds in the raw text, and with that what its column becomes.
package indirect enum FieldType: Sendable, Hashable {
  /// A JSON boolean, number or string as a column of this type.
  case scalar(DataType)
  /// A moment, as a column of `timestamp[us, UTC]`.
  case timestamp(TimestampText)
  /// Any JSON value, as its text in a string column.
  case json
  case list(FieldType)
  /// An array of exactly `count` float32 or float64 elements; any other is null.
  case fixedSizeList(FieldType, count: Int)

  static let scalars: [FieldType] =
    [
      .scalar(.boolean), .scalar(.int8), .scalar(.int16), .scalar(.int32), .scalar(.int64), .scalar(.uint8),
      .scalar(.uint16), .scalar(.uint32), .scalar(.uint64), .scalar(.float32), .scalar(.float64), .scalar(.utf8),
    ] + TimestampText.allCases.map { .timestamp($0) } + [.json]

  /// The type that `text` names, as `description` writes it; nil when there is none.
  package init?(text: String) {
    guard let type = TypeText.parse(text, scalar: { name in Self.scalars.first { $0.description == name } }) else {
      return nil
    }
    self.init(type)
  }

  private init?(_ text: TypeText<FieldType>) {
    switch text {
    case .scalar(let type): self = type
    case .list(let element):
      guard let element = FieldType(element) else { return nil }
      self = .list(element)
    case .fixedSizeList(.scalar(let element), let count) where element.arrowType.isFloat:
      self = .fixedSizeList(element, count: count)
    case .fixedSizeList: return nil
    }
  }

  /// The type of the column that the field's values fill.
  package var arrowType: DataType {
    switch self {
    case .scalar(let type): type
    case .timestamp: .timestampMicrosUTC
    case .json: .utf8
    case .list(let element): element.arrowType.listType
    case .fixedSizeList(let element, let count): element.arrowType.fixedSizeListType(count: count)
    }
  }
}

extension FieldType: CustomStringConvertible {
  /// As the definitions write it: `int64`, `timestamp[ms]`, `json`, `list<string>`.
  package var description: String {
    switch self {
    case .scalar(let type): type.description
    case .timestamp(let text): "timestamp[\(text.rawValue)]"
    case .json: "json"
    case .list(let element): "list<\(element)>"
    case .fixedSizeList(let element, let count): "\(element)[\(count)]"
    }
  }
}
