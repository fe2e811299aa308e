// A schema is JSON text:
//   {"type":"struct","fields":[{"name":"ts","type":"timestamp","nullable":true,"metadata":{}}, …]}
// A type is a name, or an object whose own `type` is `struct`, `array` or `map`.
import Arrow
import JSONText

/// Delta's schemas as Arrow's, and back.
/// - Source: Delta `PROTOCOL.md`, "Schema Serialization Format".
package enum DeltaSchema {
  /// The Arrow schema of a table's `schemaString`. Field metadata keeps its texts; other values become their JSON text.
  /// - Throws: `.malformed` or `.unsupportedType`, with the column's path.
  package static func parse(_ text: String) throws(DeltaError) -> Schema {
    let value: JSONValue
    do { value = try JSONValue(parsing: text) } catch {
      throw DeltaError(.malformed("no JSON: \(error)"), place: "schemaString")
    }
    do {
      return Schema(try fields(of: value))
    } catch {
      throw error.within("schemaString")
    }
  }

  private static func fields(of structure: JSONValue) throws(DeltaError) -> [Field] {
    guard structure["type"]?.string == "struct", let members = structure["fields"]?.array else {
      throw DeltaError(.malformed("a struct has no fields"))
    }
    var fields: [Field] = []
    for member in members {
      guard let name = member["name"]?.string, let type = member["type"] else {
        throw DeltaError(.malformed("a field has no name or no type"))
      }
      do {
        let metadata = (member["metadata"]?.object ?? [:]).mapValues { $0.string ?? $0.text }
        fields.append(
          Field(name, try dataType(type), isNullable: member["nullable"]?.bool ?? true, metadata: metadata))
      } catch {
        throw error.within("column '\(name)'")
      }
    }
    return fields
  }

  private static func dataType(_ value: JSONValue) throws(DeltaError) -> DataType {
    if let name = value.string { return try primitive(name) }
    switch value["type"]?.string {
    case "struct": return .structure(try fields(of: value))
    case "array":
      guard let element = value["elementType"] else { throw DeltaError(.malformed("an array has no elementType")) }
      return .list(Field("element", try dataType(element), isNullable: value["containsNull"]?.bool ?? true))
    case "map":
      guard let key = value["keyType"], let item = value["valueType"] else {
        throw DeltaError(.malformed("a map has no keyType or no valueType"))
      }
      let entry: [Field] = [
        Field("key", try dataType(key), isNullable: false),
        Field("value", try dataType(item), isNullable: value["valueContainsNull"]?.bool ?? true),
      ]
      return .map(entries: Field("key_value", .structure(entry), isNullable: false), keysSorted: false)
    default: throw DeltaError(.unsupportedType(value.text))
    }
  }

  private static func primitive(_ name: String) throws(DeltaError) -> DataType {
    switch name {
    case "string": .utf8
    case "long": .int64
    case "integer": .int32
    case "short": .int16
    case "byte": .int8
    case "float": .float32
    case "double": .float64
    case "boolean": .boolean
    case "binary": .binary
    case "date": .date32
    case "timestamp": .timestamp(.micro, zone: "UTC")
    case "timestamp_ntz": .timestamp(.micro, zone: nil)
    case "decimal": .decimal128(precision: 10, scale: 0)
    default: try decimal(name)
    }
  }

  /// `decimal(precision,scale)`.
  private static func decimal(_ name: String) throws(DeltaError) -> DataType {
    let parts = name.dropFirst("decimal(".count).dropLast().split(separator: ",").map { number in
      Int(String(number.filter { $0 != " " })) ?? -1
    }
    guard name.hasPrefix("decimal("), name.hasSuffix(")"), parts.count == 2, (1...38).contains(parts[0]),
      (0...parts[0]).contains(parts[1])
    else { throw DeltaError(.unsupportedType(name)) }
    return .decimal128(precision: parts[0], scale: parts[1])
  }

  /// The `schemaString` of `schema`.
  /// - Throws: `.unsupportedType` for a type that Delta has not got: `stored(as:)` says what comes nearest.
  package static func text(_ schema: Schema) throws(DeltaError) -> String { try structure(schema.fields).text }

  private static func structure(_ fields: [Field]) throws(DeltaError) -> JSONValue {
    var members: [JSONValue] = []
    for field in fields { members.append(try member(field)) }
    return ["type": "struct", "fields": .array(members)]
  }

  private static func member(_ field: Field) throws(DeltaError) -> JSONValue {
    do {
      return [
        "name": .string(field.name), "type": try json(field.type), "nullable": .bool(field.isNullable),
        "metadata": .object(field.metadata.mapValues { .string($0) }),
      ]
    } catch {
      throw error.within("column '\(field.name)'")
    }
  }

  private static func json(_ type: DataType) throws(DeltaError) -> JSONValue {
    switch type {
    case .structure(let fields): return try structure(fields)
    case .list(let element):
      return ["type": "array", "elementType": try json(element.type), "containsNull": .bool(element.isNullable)]
    case .map(let entries, _):
      guard case .structure(let pair) = entries.type, pair.count == 2 else {
        throw DeltaError(.unsupportedType("\(type)"))
      }
      return [
        "type": "map", "keyType": try json(pair[0].type), "valueType": try json(pair[1].type),
        "valueContainsNull": .bool(pair[1].isNullable),
      ]
    default: return .string(try name(type))
    }
  }

  private static func name(_ type: DataType) throws(DeltaError) -> String {
    switch type {
    case .utf8: "string"
    case .int64: "long"
    case .int32: "integer"
    case .int16: "short"
    case .int8: "byte"
    case .float32: "float"
    case .float64: "double"
    case .boolean: "boolean"
    case .binary: "binary"
    case .date32: "date"
    case .timestamp(.micro, .some): "timestamp"
    case .timestamp(.micro, nil): "timestamp_ntz"
    case .decimal128(let precision, let scale): "decimal(\(precision),\(scale))"
    default: throw DeltaError(.unsupportedType("\(type)"))
    }
  }

  /// The Delta type that holds every value of `type`; nil when there is none.
  ///
  /// - Parameter keepsFixedSizes: leaves lists of a fixed size as they are: a file stores them like any list.
  package static func stored(as type: DataType, keepsFixedSizes: Bool = false) -> DataType? {
    func inner(_ field: Field) -> Field? {
      stored(as: field.type, keepsFixedSizes: keepsFixedSizes).map { type in
        Field(field.name, type, isNullable: field.isNullable, metadata: field.metadata)
      }
    }
    switch type {
    case .utf8, .int64, .int32, .int16, .int8, .float32, .float64, .boolean, .binary, .date32: return type
    case .uint8: return .int16
    case .uint16: return .int32
    case .uint32, .time32, .time64, .duration: return .int64
    case .float16: return .float32
    case .date64: return .date32
    case .fixedSizeBinary: return .binary
    case .timestamp(_, let zone): return .timestamp(.micro, zone: zone == nil ? nil : "UTC")
    case .decimal128(let precision, let scale): return (0...precision).contains(scale) ? type : nil
    case .dictionary(_, let value, _): return stored(as: value, keepsFixedSizes: keepsFixedSizes)
    case .fixedSizeList(let element, let count) where keepsFixedSizes:
      return inner(element).map { .fixedSizeList($0, count: count) }
    case .list(let element), .fixedSizeList(let element, _): return inner(element).map { .list($0) }
    case .map(let entries, let sorted): return inner(entries).map { .map(entries: $0, keysSorted: sorted) }
    case .structure(let fields):
      let stored = fields.compactMap(inner)
      return stored.count == fields.count ? .structure(stored) : nil
    case .null, .uint64: return nil
    }
  }

  /// The schema text with `additions` behind its columns; what is there stays as it is, byte for byte in meaning.
  package static func adding(_ additions: [Field], to text: String) throws(DeltaError) -> String {
    guard let value = try? JSONValue(parsing: text), var object = value.object, let fields = value["fields"]?.array
    else {
      throw DeltaError(.malformed("no schema"), place: "schemaString")
    }
    var members = fields
    for field in additions { members.append(try member(field)) }
    object["fields"] = .array(members)
    return JSONValue.object(object).text
  }
}
