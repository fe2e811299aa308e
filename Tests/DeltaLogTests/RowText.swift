import Arrow
import DeltaLog
import JSONText

/// Rows as the expected results write them: `$iso` for dates and times, `$decimal`, `$b64`, maps as lists of pairs.
enum RowText {
  static func rows(of batch: RecordBatch) -> [JSONValue] {
    (0..<batch.rowCount).map { row in
      .object(
        Dictionary(zip(batch.schema.fields.map(\.name), batch.columns.map { value($0, row) })) { _, last in last })
    }
  }

  static func value(_ array: ArrowArray, _ row: Int) -> JSONValue {
    if array.isNull(row) { return .null }
    switch (array.storage, array.type) {
    case (.structure(let children), .structure(let fields)):
      return .object(Dictionary(zip(fields.map(\.name), children.map { value($0, row) })) { _, last in last })
    case (.list(_, let entries), .map):
      return .array(array.range(row).map { index in .array(entries.children.map { value($0, index) }) })
    case (.list(_, let child), _), (.fixedSizeList(let child), _):
      return .array(array.range(row).map { value(child, $0) })
    default: return scalar(array, row)
    }
  }

  private static func scalar(_ array: ArrowArray, _ row: Int) -> JSONValue {
    switch array.type {
    case .boolean: .bool(array.bits[row])
    case .int8: .integer(Int64(array.values.load(row, as: Int8.self)))
    case .int16: .integer(Int64(array.values.load(row, as: Int16.self)))
    case .int32: .integer(Int64(array.values.load(row, as: Int32.self)))
    case .int64: .integer(array.values.load(row, as: Int64.self))
    case .float32: .number(Double(array.values.load(row, as: Float.self)))
    case .float64: .number(array.values.load(row, as: Double.self))
    case .utf8: .string(array.string(row))
    case .binary: ["$b64": .string(base64(array, row))]
    case .date32: ["$iso": .string(CalendarText.date(Int64(array.values.load(row, as: Int32.self))))]
    case .timestamp(_, let zone): ["$iso": .string(iso(array.values.load(row, as: Int64.self), hasZone: zone != nil))]
    case .decimal128(_, let scale): decimal("\(array.values.load(row, as: Int128.self))E-\(scale)")
    default: .string("\(array.type)")
    }
  }

  private static func iso(_ micros: Int64, hasZone: Bool) -> String {
    let fraction = ((micros % 1_000_000) + 1_000_000) % 1_000_000
    let digits = String(repeating: "0", count: 6 - "\(fraction)".count) + "\(fraction)"
    return CalendarText.timestamp(micros: micros).dropLast(5) + (fraction == 0 ? "" : ".\(digits)")
      + (hasZone ? "+00:00" : "")
  }

  private static func base64(_ array: ArrowArray, _ row: Int) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    let buffer = array.bytes(row)
    let bytes = (0..<buffer.byteCount).map { buffer.load($0, as: UInt8.self) }
    var text = ""
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
      for place in 0..<4 {
        text.append(place <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)] : "=")
      }
    }
    return text
  }

  /// A decimal in one form whatever its scale: digits without trailing zeros, and an exponent.
  static func decimal(_ text: String) -> JSONValue {
    let parts = text.split(separator: "E")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    var exponent = parts.count == 2 ? Int(parts[1]) ?? 0 : 0
    var digits = String(mantissa[0])
    if mantissa.count == 2 {
      digits += mantissa[1]
      exponent -= mantissa[1].count
    }
    var value = Int128(digits) ?? 0
    guard value != 0 else { return ["$decimal": "0"] }
    while value % 10 == 0 { (value, exponent) = (value / 10, exponent + 1) }
    return ["$decimal": .string("\(value)E\(exponent)")]
  }

  /// Expected values in the same form.
  static func normalized(_ value: JSONValue) -> JSONValue {
    switch value {
    case .object(let members):
      if let text = members["$decimal"]?.string { return decimal(text) }
      return .object(members.mapValues(normalized))
    case .array(let elements): return .array(elements.map(normalized))
    default: return value
    }
  }
}
