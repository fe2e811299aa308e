import Arrow

extension ParquetSchema {
  /// The schema under which Arrow fields are stored.
  ///
  /// A dictionary is stored as its values, a list of fixed length as a list, durations as plain int64, seconds as
  /// milliseconds, date64 as days. Decimals of up to 9 digits are INT32, of up to 18 INT64, else 16 bytes, big-endian.
  /// A reader therefore gets `fields`, which may differ from `arrow`'s.
  /// - Throws: `.invalidSchema`.
  package init(arrow schema: Schema) throws(ParquetError) {
    var elements = [SchemaElement(name: "schema", childCount: schema.fields.count)]
    for field in schema.fields { try Self.append(field, to: &elements) }
    try self.init(elements: elements)
  }

  private static func append(_ field: Field, to elements: inout [SchemaElement]) throws(ParquetError) {
    let repetition: Repetition = field.isNullable ? .optional : .required
    switch field.type.valueType {
    case .list(let element), .fixedSizeList(let element, _):
      elements.append(
        SchemaElement(
          name: field.name, repetition: repetition, childCount: 1, convertedType: .list, logicalType: .list))
      elements.append(SchemaElement(name: "list", repetition: .repeated, childCount: 1))
      try append(Field("element", element.type, isNullable: element.isNullable), to: &elements)
    case .map(let entries, _):
      guard case .structure(let pair) = entries.type, pair.count == 2 else {
        throw ParquetError(.invalidSchema("map '\(field.name)' without key and value"))
      }
      elements.append(
        SchemaElement(
          name: field.name, repetition: repetition, childCount: 1, convertedType: .map, logicalType: .map))
      elements.append(SchemaElement(name: "key_value", repetition: .repeated, childCount: 2))
      try append(Field("key", pair[0].type, isNullable: false), to: &elements)
      try append(Field("value", pair[1].type, isNullable: pair[1].isNullable), to: &elements)
    case .structure(let children):
      elements.append(SchemaElement(name: field.name, repetition: repetition, childCount: children.count))
      for child in children { try append(child, to: &elements) }
    case let type:
      elements.append(leaf(field.name, type, repetition: repetition, isUUID: isUUID(field)))
    }
  }

  private static func isUUID(_ field: Field) -> Bool {
    field.type == .fixedSizeBinary(byteWidth: 16) && field.metadata["ARROW:extension:name"] == "arrow.uuid"
  }

  private static func leaf(
    _ name: String, _ type: DataType, repetition: Repetition, isUUID: Bool
  ) -> SchemaElement {
    var element = SchemaElement(name: name, repetition: repetition)
    func set(_ physical: PhysicalType, _ logical: LogicalType? = nil, _ converted: ConvertedType? = nil) {
      element.physicalType = physical
      element.logicalType = logical
      element.convertedType = converted
    }
    switch type {
    case .null:
      set(.int32, .unknown)
      element.repetition = .optional
    case .boolean: set(.boolean)
    case .int8: set(.int32, .integer(bitWidth: 8, isSigned: true), .int8)
    case .int16: set(.int32, .integer(bitWidth: 16, isSigned: true), .int16)
    case .int32: set(.int32)
    case .int64, .duration: set(.int64)
    case .uint8: set(.int32, .integer(bitWidth: 8, isSigned: false), .uint8)
    case .uint16: set(.int32, .integer(bitWidth: 16, isSigned: false), .uint16)
    case .uint32: set(.int32, .integer(bitWidth: 32, isSigned: false), .uint32)
    case .uint64: set(.int64, .integer(bitWidth: 64, isSigned: false), .uint64)
    case .float16:
      set(.fixedLenByteArray, .float16)
      element.typeLength = 2
    case .float32: set(.float)
    case .float64: set(.double)
    case .utf8: set(.byteArray, .string, .utf8)
    case .binary: set(.byteArray)
    case .fixedSizeBinary(let width):
      set(.fixedLenByteArray, isUUID ? .uuid : nil)
      element.typeLength = width
    case .date32, .date64: set(.int32, .date, .date)
    case .time32: set(.int32, .time(.milli, isAdjustedToUTC: true), .timeMillis)
    case .time64(.nano): set(.int64, .time(.nano, isAdjustedToUTC: true))
    case .time64: set(.int64, .time(.micro, isAdjustedToUTC: true), .timeMicros)
    case .timestamp(let unit, let zone):
      let stored = unit == .second ? .milli : unit
      set(.int64, .timestamp(stored, isAdjustedToUTC: zone != nil))
      if zone != nil, stored != .nano { element.convertedType = stored == .milli ? .timestampMillis : .timestampMicros }
    case .decimal128(let precision, let scale):
      set(
        precision <= 9 ? .int32 : precision <= 18 ? .int64 : .fixedLenByteArray,
        .decimal(precision: precision, scale: scale), .decimal)
      if precision > 18 { element.typeLength = 16 }
      element.precision = precision
      element.scale = scale
    case .list, .fixedSizeList, .map, .structure, .dictionary:
      preconditionFailure("\(type) is no leaf")
    }
    return element
  }
}
