import Arrow
import Buffers
import JSONText

/// Values as the expectations that pyarrow wrote state them.
///
/// Bytes are `{"$b64": …}`, decimals `{"$decimal": …}`, dates, times and timestamps `{"$iso": …}` cut to microseconds, NaN
/// and infinities `{"$float": …}`, maps arrays of [key, value]; of a repeated name the last counts.
struct PyarrowValue {
  /// Whether times are the stored integers.
  var rawTimes = false

  func value(_ array: ArrowArray, _ index: Int) -> JSONValue {
    if array.isNull(index) { return .null }
    switch array.storage {
    case .null: return .null
    case .boolean(let bits): return .bool(bits[index])
    case .fixed: return fixed(array, index)
    case .variable: return array.type == .utf8 ? .string(array.string(index)) : base64(array.bytes(index))
    case .list(_, let child), .fixedSizeList(let child): return list(array, child, index)
    case .structure(let children):
      guard case .structure(let fields) = array.type else { return .null }
      return .object(Dictionary(zip(fields.map(\.name), children.map { value($0, index) })) { _, last in last })
    case .dictionary(_, let values): return value(values, array.dictionaryIndex(index))
    }
  }

  private func list(_ array: ArrowArray, _ child: ArrowArray, _ index: Int) -> JSONValue {
    if case .map = array.type {
      return .array(array.range(index).map { entry in .array(child.children.map { value($0, entry) }) })
    }
    return .array(array.range(index).map { value(child, $0) })
  }

  private func fixed(_ array: ArrowArray, _ index: Int) -> JSONValue {
    let values = array.values
    if rawTimes, array.type.isTemporal {
      return .integer(
        array.type.byteWidth == 4 ? Int64(values.load(index, as: Int32.self)) : values.load(index, as: Int64.self))
    }
    switch array.type {
    case .int8: return .integer(Int64(values.load(index, as: Int8.self)))
    case .uint8: return .integer(Int64(values.load(index, as: UInt8.self)))
    case .int16: return .integer(Int64(values.load(index, as: Int16.self)))
    case .uint16: return .integer(Int64(values.load(index, as: UInt16.self)))
    case .int32: return .integer(Int64(values.load(index, as: Int32.self)))
    case .uint32: return .integer(Int64(values.load(index, as: UInt32.self)))
    case .int64: return .integer(values.load(index, as: Int64.self))
    case .uint64: return integer(values.load(index, as: UInt64.self))
    case .float16: return number(Double(values.load(index, as: Float16.self)))
    case .float32: return number(Double(values.load(index, as: Float.self)))
    case .float64: return number(values.load(index, as: Double.self))
    case .date32: return iso(day(Int64(values.load(index, as: Int32.self))))
    case .time32: return iso(time(Int64(values.load(index, as: Int32.self)) * 1_000))
    case .time64(let unit): return iso(time(values.load(index, as: Int64.self) / (unit.perSecond / 1_000_000)))
    case .timestamp(let unit, let zone): return timestamp(values.load(index, as: Int64.self), unit, zone)
    case .decimal128(_, let scale):
      return .object(["$decimal": .string(decimal(values.load(index, as: Int128.self), scale))])
    default: return base64(array.bytes(index))
    }
  }

  private func integer(_ value: UInt64) -> JSONValue {
    Int64(exactly: value).map { .integer($0) } ?? .number(Double(value))
  }

  private func number(_ value: Double) -> JSONValue {
    if value.isNaN { return .object(["$float": "NaN"]) }
    if value.isInfinite { return .object(["$float": value < 0 ? "-Infinity" : "Infinity"]) }
    return .number(value)
  }

  private func decimal(_ value: Int128, _ scale: Int) -> String {
    var digits = String(value.magnitude)
    if scale > 0 {
      digits = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
      digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -scale))
    }
    return (value < 0 ? "-" : "") + digits
  }

  private func base64(_ bytes: Buffer) -> JSONValue {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var text = ""
    for start in stride(from: 0, to: bytes.byteCount, by: 3) {
      let count = min(3, bytes.byteCount - start)
      var word: UInt32 = 0
      for k in 0..<3 { word = word << 8 | (k < count ? UInt32(bytes.load(start + k, as: UInt8.self)) : 0) }
      for k in 0..<4 { text.append(k <= count ? alphabet[Int(word >> UInt32(18 - 6 * k)) & 63] : "=") }
    }
    return .object(["$b64": .string(text)])
  }

  // MARK: Times

  private func iso(_ text: String) -> JSONValue { .object(["$iso": .string(text)]) }

  private func padded(_ value: Int64, _ width: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }

  /// - Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
  private func day(_ days: Int64) -> String {
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let doe = z - era * 146_097
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100)
    let mp = (5 * doy + 2) / 153
    let month = mp < 10 ? mp + 3 : mp - 9
    let year = yoe + era * 400 + (month <= 2 ? 1 : 0)
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(doy - (153 * mp + 2) / 5 + 1, 2))"
  }

  private func time(_ micros: Int64) -> String {
    let seconds = micros / 1_000_000
    let clock = "\(padded(seconds / 3_600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
    return micros % 1_000_000 == 0 ? clock : clock + "." + padded(micros % 1_000_000, 6)
  }

  private func timestamp(_ value: Int64, _ unit: TimeUnit, _ zone: String?) -> JSONValue {
    let micros =
      unit == .nano ? (value >= 0 ? value / 1_000 : (value - 999) / 1_000) : value * (1_000_000 / unit.perSecond)
    let perDay: Int64 = 86_400_000_000
    let days = (micros >= 0 ? micros : micros - (perDay - 1)) / perDay
    return iso(day(days) + "T" + time(micros - days * perDay) + (zone == nil ? "" : "+00:00"))
  }
}

extension DataType {
  fileprivate var isTemporal: Bool {
    switch self {
    case .date32, .time32, .time64, .timestamp: true
    default: false
    }
  }
}

/// Whether a value is the expected one: numbers by value, whatever their form.
func isSame(_ value: JSONValue, _ expected: JSONValue) -> Bool {
  switch (value, expected) {
  case (.array(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy(isSame)
  case (.object(let a), .object(let b)):
    a.count == b.count && a.allSatisfy { key, value in b[key].map { isSame(value, $0) } ?? false }
  case (.number, .integer), (.integer, .number), (.number, .number): value.double == expected.double
  default: value == expected
  }
}
