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

/// Dates and times as the log's partition values and statistics write them.
package enum CalendarText {
  /// Days since 1970-01-01 of `2026-11-20`.
  package static func days(_ text: String) -> Int64? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].utf8.count >= 4, let year = digits(parts[0]), let month = digits(parts[1]),
      let day = digits(parts[2]), let date = CivilDate(checking: Int(year), Int(month), Int(day))
    else { return nil }
    return Int64(date.daysSince1970)
  }

  /// Days since 1970-01-01 of the first of a month, 1...12.
  package static func days(year: Int64, month: Int64) -> Int64 {
    Int64(CivilDate(year: Int(year), month: Int(month), day: 1).daysSince1970)
  }

  /// Of the date `days` after 1970-01-01.
  package static func yearAndMonth(_ days: Int64) -> (year: Int64, month: Int64) {
    let date = CivilDate(daysSince1970: Int(days))
    return (Int64(date.year), Int64(date.month))
  }

  /// Microseconds since 1970-01-01T00:00Z of `2026-11-20 01:02:03.456789` or `2026-11-20T01:02:03.456789Z`, with or
  /// without a fraction, seconds, or an offset `+01:00`; without one it is UTC.
  package static func micros(_ text: String) -> Int64? {
    guard let gap = text.firstIndex(where: { $0 == " " || $0 == "T" }) else {
      return days(text).flatMap { micros(days: $0, 0) }
    }
    guard let days = days(String(text[..<gap])) else { return nil }
    var clock = text[text.index(after: gap)...]
    var offsetMinutes: Int64 = 0
    if clock.hasSuffix("Z") {
      clock = clock.dropLast()
    } else if let sign = clock.firstIndex(where: { $0 == "+" || $0 == "-" }) {
      let parts = clock[clock.index(after: sign)...].split(separator: ":")
      guard parts.count == 2, let hours = digits(parts[0]), let minutes = digits(parts[1]), (0...23).contains(hours),
        (0...59).contains(minutes)
      else { return nil }
      offsetMinutes = (clock[sign] == "-" ? -1 : 1) * (hours * 60 + minutes)
      clock = clock[..<sign]
    }
    return timeOfDay(clock).flatMap { micros(days: days, $0 - offsetMinutes * 60_000_000) }
  }

  /// Nil beyond 292,000 years from 1970.
  private static func micros(days: Int64, _ rest: Int64) -> Int64? {
    let (midnight, isBeyond) = days.multipliedReportingOverflow(by: 86_400_000_000)
    let (micros, isAfter) = midnight.addingReportingOverflow(rest)
    return isBeyond || isAfter ? nil : micros
  }

  private static func timeOfDay(_ clock: Substring) -> Int64? {
    let halves = clock.split(separator: ".", omittingEmptySubsequences: false)
    let parts = halves[0].split(separator: ":", omittingEmptySubsequences: false).map { digits($0) ?? -1 }
    guard (2...3).contains(parts.count), (0...23).contains(parts[0]), (0...59).contains(parts[1]) else { return nil }
    let seconds = parts.count == 3 ? parts[2] : 0
    guard (0...60).contains(seconds), halves.count <= 2 else { return nil }
    var fraction: Int64 = 0
    if halves.count == 2 {
      guard (1...9).contains(halves[1].utf8.count),
        let value = digits((halves[1] + "00000").prefix(6))
      else { return nil }
      fraction = value
    }
    return ((parts[0] * 60 + parts[1]) * 60 + seconds) * 1_000_000 + fraction
  }

  /// The date `days` after 1970-01-01, as `2026-11-20`.
  package static func date(_ days: Int64) -> String {
    var text: [UInt8] = []
    append(date: days, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// The time `micros` after 1970-01-01T00:00Z, as `2026-11-20T01:02:03.456Z`, rounded down to milliseconds.
  package static func timestamp(micros: Int64) -> String {
    let (days, rest) = divided(micros, by: 86_400_000_000)
    let millis = rest / 1_000
    var text: [UInt8] = []
    text.reserveCapacity(32)
    append(date: days, to: &text)
    append(millis / 3_600_000, width: 2, after: "T", to: &text)
    append(millis / 60_000 % 60, width: 2, after: ":", to: &text)
    append(millis / 1_000 % 60, width: 2, after: ":", to: &text)
    append(millis % 1_000, width: 3, after: ".", to: &text)
    text.append(UInt8(ascii: "Z"))
    return String(decoding: text, as: UTF8.self)
  }

  private static func divided(_ value: Int64, by unit: Int64) -> (Int64, Int64) {
    let (quotient, rest) = value.quotientAndRemainder(dividingBy: unit)
    return rest < 0 ? (quotient - 1, rest + unit) : (quotient, rest)
  }

  private static func append(date days: Int64, to text: inout [UInt8]) {
    let date = CivilDate(daysSince1970: Int(days))
    if date.year < 0 { text.append(UInt8(ascii: "-")) }
    append(abs(Int64(date.year)), width: 4, to: &text)
    append(Int64(date.month), width: 2, after: "-", to: &text)
    append(Int64(date.day), width: 2, after: "-", to: &text)
  }

  /// Appends the digits of a number that is not negative, zeroes before it.
  private static func append(_ value: Int64, width: Int, after mark: Unicode.Scalar? = nil, to text: inout [UInt8]) {
    if let mark { text.append(UInt8(ascii: mark)) }
    var unit: Int64 = 1
    for _ in 1..<width { unit *= 10 }
    while value / unit >= 10 { unit *= 10 }
    while unit > 0 {
      text.append(UInt8(ascii: "0") + UInt8(value / unit % 10))
      unit /= 10
    }
  }

  private static func digits(_ text: some StringProtocol) -> Int64? {
    guard !text.isEmpty, text.utf8.count < 10,
      text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    return Int64(text)
  }
}
