import Arrow
import JSONText

extension ArrowArray {
  /// Value `index` as a document: the slow, plain reader that tests check kernels and formats against.
  ///
  /// Integers, times and dates are the stored numbers; uint64 past Int64 and decimals (unscaled) are decimal text; NaN
  /// and infinities are text; binary is hexadecimal text; structures are objects, where the last of equal names counts; a
  /// map is a list of entries.
  public func value(at index: Int) -> JSONValue {
    if isNull(index) { return .null }
    switch storage {
    case .null: return .null
    case .boolean(let bits): return .bool(bits[index])
    case .fixed: return fixedValue(at: index)
    case .variable: return type == .utf8 ? .string(string(index)) : .string(hex(index))
    case .list(_, let child), .fixedSizeList(let child): return .array(range(index).map { child.value(at: $0) })
    case .structure(let children):
      guard case .structure(let fields) = type else { return .null }
      return .object(Dictionary(zip(fields.map(\.name), children.map { $0.value(at: index) })) { _, last in last })
    case .dictionary(_, let values): return values.value(at: dictionaryIndex(index))
    }
  }

  /// All values.
  public var allValues: [JSONValue] { (0..<count).map { value(at: $0) } }

  private func fixedValue(at index: Int) -> JSONValue {
    switch type {
    case .int8: .integer(Int64(values.load(index, as: Int8.self)))
    case .uint8: .integer(Int64(values.load(index, as: UInt8.self)))
    case .int16: .integer(Int64(values.load(index, as: Int16.self)))
    case .uint16: .integer(Int64(values.load(index, as: UInt16.self)))
    case .uint32: .integer(Int64(values.load(index, as: UInt32.self)))
    case .int32, .date32, .time32: .integer(Int64(values.load(index, as: Int32.self)))
    case .uint64:
      Int64(exactly: values.load(index, as: UInt64.self)).map { .integer($0) } ?? .string(unsignedText(index))
    case .float16: Self.number(Double(values.load(index, as: Float16.self)))
    case .float32: Self.number(Double(values.load(index, as: Float.self)))
    case .float64: Self.number(values.load(index, as: Double.self))
    case .decimal128: .string("\(values.load(index, as: Int128.self))")
    case .fixedSizeBinary: .string(hex(index))
    default: .integer(values.load(index, as: Int64.self))
    }
  }

  private func unsignedText(_ index: Int) -> String { "\(values.load(index, as: UInt64.self))" }

  private static func number(_ value: Double) -> JSONValue { value.isFinite ? .number(value) : .string("\(value)") }

  private func hex(_ index: Int) -> String {
    let bytes = bytes(index)
    return (0..<bytes.byteCount).map { position in
      let byte = bytes.load(position, as: UInt8.self)
      return (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}

extension RecordBatch {
  /// Row `index` as an object of all columns.
  public func row(at index: Int) -> JSONValue {
    .object(Dictionary(zip(schema.fields.map(\.name), columns.map { $0.value(at: index) })) { _, last in last })
  }

  /// All rows.
  public var allRows: [JSONValue] { (0..<rowCount).map { row(at: $0) } }
}
