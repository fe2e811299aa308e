import Arrow
import Buffers
import JSONText

/// Partition values: text in the log, typed columns for a reader.
/// - Source: Delta `PROTOCOL.md`, "Partition Value Serialization".
package enum PartitionValue {
  /// `count` copies of the value that `text` means as `field`'s type; nil and empty text are null.
  /// - Throws: `.partitionValue`.
  package static func column(_ text: String?, field: Field, count: Int) throws(DeltaError) -> ArrowArray {
    guard let text, !text.isEmpty else { return ArrowArray(nulls: field.type, count: count) }
    func wrong() -> DeltaError { DeltaError(.partitionValue(column: field.name, value: text, type: "\(field.type)")) }
    func fixed<Value: BitwiseCopyable>(_ value: Value?) throws(DeltaError) -> ArrowArray {
      guard let value else { throw wrong() }
      var values = BufferBuilder(capacity: count * MemoryLayout<Value>.stride)
      values.append(repeating: value, count: count)
      return ArrowArray(field.type, count: count, storage: .fixed(values.finish()))
    }
    switch field.type {
    case .int8: return try fixed(Int8(text))
    case .int16: return try fixed(Int16(text))
    case .int32: return try fixed(Int32(text))
    case .int64: return try fixed(Int64(text))
    case .float32: return try fixed(Float(text))
    case .float64: return try fixed(Double(text))
    case .date32: return try fixed(CalendarText.days(text).map { Int32(truncatingIfNeeded: $0) })
    case .timestamp(.micro, _): return try fixed(CalendarText.micros(text))
    case .decimal128(let precision, let scale): return try fixed(decimal(text, precision: precision, scale: scale))
    case .boolean:
      guard let value = flag(text) else { throw wrong() }
      return ArrowArray(.boolean, count: count, storage: .boolean(Bitmap(repeating: value, count: count)))
    case .utf8: return repeated(Array(text.utf8), as: .utf8, count: count)
    case .binary:
      return repeated(text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }, as: .binary, count: count)
    default: throw wrong()
    }
  }

  private static func flag(_ text: String) -> Bool? {
    switch text.lowercased() {
    case "true": true
    case "false": false
    default: nil
    }
  }

  private static func repeated(_ bytes: [UInt8], as type: DataType, count: Int) -> ArrowArray {
    var offsets = BufferBuilder(capacity: (count + 1) * 4)
    var data = BufferBuilder(capacity: count * bytes.count)
    offsets.append(Int32(0))
    for _ in 0..<count {
      data.append(contentsOf: bytes.span)
      offsets.append(Int32(data.byteCount))
    }
    return ArrowArray(type, count: count, storage: .variable(offsets: offsets.finish(), data: data.finish()))
  }

  /// Unscaled digits of a plain decimal text.
  private static func decimal(_ text: String, precision: Int, scale: Int) -> Int128? {
    let isNegative = text.hasPrefix("-")
    let parts = text.drop { $0 == "-" || $0 == "+" }.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), !parts[0].isEmpty else { return nil }
    let fraction = parts.count == 2 ? String(parts[1]) : ""
    let significant = fraction.count > scale ? String(fraction.prefix(scale)) : fraction
    guard fraction.dropFirst(scale).allSatisfy({ $0 == "0" }) else { return nil }
    let digits = parts[0] + significant + String(repeating: "0", count: scale - significant.count)
    guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      digits.drop(while: { $0 == "0" }).count <= precision, let value = Int128(digits)
    else { return nil }
    return isNegative ? -value : value
  }
}
