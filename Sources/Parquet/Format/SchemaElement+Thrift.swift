import Arrow

extension SchemaElement {
  package init(from reader: inout ThriftReader) throws(ParquetError) {
    var fields = try reader.open("SchemaElement")
    var name: String?
    self.init(name: "")
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: physicalType = try Self.choice(try reader.count(field, upTo: 255), "type")
      case 2: typeLength = try reader.integer(field)
      case 3: repetition = try Self.choice(try reader.count(field, upTo: 255), "repetition")
      case 4: name = try reader.string(field)
      case 5: childCount = try reader.count(field)
      case 6: convertedType = ConvertedType(rawValue: UInt8(clamping: try reader.integer(field)))
      case 7: scale = try reader.integer(field)
      case 8: precision = try reader.integer(field)
      case 9: fieldID = try reader.integer(field)
      case 10: logicalType = try LogicalType(from: &reader, field)
      default: try reader.skip(field)
      }
    }
    self.name = try fields.require(name, "name")
  }

  private static func choice<Value: RawRepresentable<UInt8>>(
    _ code: Int, _ what: String
  ) throws(ParquetError) -> Value {
    guard let value = Value(rawValue: UInt8(code)) else { throw ParquetError(.malformed("schema \(what) \(code)")) }
    return value
  }

  package func encode(to writer: inout ThriftWriter) {
    writer.int32(1, physicalType.map { Int($0.rawValue) })
    writer.int32(2, typeLength)
    writer.int32(3, repetition.map { Int($0.rawValue) })
    writer.string(4, name)
    writer.int32(5, childCount)
    writer.int32(6, convertedType.map { Int($0.rawValue) })
    writer.int32(7, scale)
    writer.int32(8, precision)
    writer.int32(9, fieldID)
    if let logicalType, logicalType != .interval { writer.structure(10) { logicalType.encode(to: &$0) } }
  }
}

extension LogicalType {
  /// A union: exactly one field. One that is unknown becomes `.other`.
  init?(from reader: inout ThriftReader, _ field: ThriftReader.Field) throws(ParquetError) {
    var fields = try reader.open("LogicalType", field)
    var choice: LogicalType?
    while let field = try fields.next(&reader) { choice = try Self.alternative(field, &reader) }
    guard let choice else { return nil }
    self = choice
  }

  private static func alternative(
    _ field: ThriftReader.Field, _ reader: inout ThriftReader
  ) throws(ParquetError) -> LogicalType {
    switch field.id {
    case 5:
      let parameters = try pair(field, &reader)
      return .decimal(precision: parameters.1 ?? 0, scale: parameters.0 ?? 0)
    case 7, 8:
      let (isUTC, unit) = try time(field, &reader)
      return field.id == 7 ? .time(unit, isAdjustedToUTC: isUTC) : .timestamp(unit, isAdjustedToUTC: isUTC)
    case 10:
      let parameters = try pair(field, &reader)
      return .integer(bitWidth: parameters.0 ?? 0, isSigned: parameters.1 == 1)
    default:
      try reader.skip(field)
      return simple(field.id)
    }
  }

  private static func simple(_ id: Int) -> LogicalType {
    switch id {
    case 1: .string
    case 2: .map
    case 3: .list
    case 4: .enumeration
    case 6: .date
    case 11: .unknown
    case 12: .json
    case 13: .bson
    case 14: .uuid
    case 15: .float16
    case 16: .variant
    case 17: .geometry
    case 18: .geography
    default: .other(id)
    }
  }

  /// The numbers (or booleans, as 0 or 1) in fields 1 and 2.
  private static func pair(
    _ field: ThriftReader.Field, _ reader: inout ThriftReader
  ) throws(ParquetError) -> (Int?, Int?) {
    var fields = try reader.open("LogicalType parameters", field)
    var values: (Int?, Int?) = (nil, nil)
    while let field = try fields.next(&reader) {
      let isBoolean = field.type == .booleanTrue || field.type == .booleanFalse
      switch field.id {
      case 1: values.0 = isBoolean ? (try reader.boolean(field) ? 1 : 0) : try reader.integer(field)
      case 2: values.1 = isBoolean ? (try reader.boolean(field) ? 1 : 0) : try reader.integer(field)
      default: try reader.skip(field)
      }
    }
    return values
  }

  private static func time(
    _ field: ThriftReader.Field, _ reader: inout ThriftReader
  ) throws(ParquetError) -> (isUTC: Bool, TimeUnit) {
    var fields = try reader.open("LogicalType time", field)
    var (isUTC, unit): (Bool?, TimeUnit?) = (nil, nil)
    while let field = try fields.next(&reader) {
      switch field.id {
      case 1: isUTC = try reader.boolean(field)
      case 2: unit = try timeUnit(field, &reader)
      default: try reader.skip(field)
      }
    }
    return (try fields.require(isUTC, "isAdjustedToUTC"), try fields.require(unit, "unit"))
  }

  private static func timeUnit(
    _ field: ThriftReader.Field, _ reader: inout ThriftReader
  ) throws(ParquetError) -> TimeUnit? {
    var fields = try reader.open("TimeUnit", field)
    var unit: TimeUnit?
    while let field = try fields.next(&reader) {
      try reader.skip(field)
      unit = [1: .milli, 2: .micro, 3: .nano][field.id]
    }
    return unit
  }

  func encode(to writer: inout ThriftWriter) {
    switch self {
    case .string: writer.empty(1)
    case .map: writer.empty(2)
    case .list: writer.empty(3)
    case .enumeration: writer.empty(4)
    case .decimal(let precision, let scale):
      writer.structure(5) { writer in
        writer.int32(1, scale)
        writer.int32(2, precision)
      }
    case .date: writer.empty(6)
    case .time(let unit, let isUTC): Self.encode(7, unit, isUTC, to: &writer)
    case .timestamp(let unit, let isUTC): Self.encode(8, unit, isUTC, to: &writer)
    case .integer(let bitWidth, let isSigned):
      writer.structure(10) { writer in
        writer.int8(1, bitWidth)
        writer.boolean(2, isSigned)
      }
    case .unknown: writer.empty(11)
    case .json: writer.empty(12)
    case .bson: writer.empty(13)
    case .uuid: writer.empty(14)
    case .float16: writer.empty(15)
    case .variant: writer.empty(16)
    case .geometry: writer.empty(17)
    case .geography: writer.empty(18)
    case .other(let id): writer.empty(id)
    case .interval: break
    }
  }

  private static func encode(_ id: Int, _ unit: TimeUnit, _ isUTC: Bool, to writer: inout ThriftWriter) {
    writer.structure(id) { writer in
      writer.boolean(1, isUTC)
      writer.structure(2) { $0.empty(unit == .nano ? 3 : unit == .micro ? 2 : 1) }
    }
  }
}
