import Buffers

/// Dates and times as the log's partition values and statistics write them.
package enum CalendarText {
  /// Days since 1970-01-01 of `2026-11-20`.
  package static func days(_ text: String) -> Int64? {
    var reader = CalendarReader(text)
    guard let days = reader.days(), reader.isAtEnd else { return nil }
    return days
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
    var reader = CalendarReader(text)
    guard let days = reader.days() else { return nil }
    if reader.isAtEnd { return micros(days: days, 0) }
    guard reader.skip("T") || reader.skip(" "), let clock = reader.clockMicros(), let offset = reader.offsetMinutes(),
      reader.isAtEnd
    else { return nil }
    return micros(days: days, clock - offset * 60_000_000)
  }

  /// Nil beyond 292,000 years from 1970.
  private static func micros(days: Int64, _ rest: Int64) -> Int64? {
    let (midnight, isBeyond) = days.multipliedReportingOverflow(by: 86_400_000_000)
    let (micros, isAfter) = midnight.addingReportingOverflow(rest)
    return isBeyond || isAfter ? nil : micros
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
}

/// Reads dates and times, a part after the other.
private struct CalendarReader {
  private let bytes: [UInt8]
  private var place = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  var isAtEnd: Bool { place == bytes.count }

  /// Passes over a character, if it is the next.
  mutating func skip(_ mark: Unicode.Scalar) -> Bool {
    guard place < bytes.count, bytes[place] == UInt8(ascii: mark) else { return false }
    place += 1
    return true
  }

  /// The number that the next digits write, with how many there are; nil for fewer or more than `count`.
  private mutating func number(digits count: ClosedRange<Int>) -> (value: Int64, digits: Int)? {
    let start = place
    var value: Int64 = 0
    while place < bytes.count, case let digit = bytes[place] &- UInt8(ascii: "0"), digit < 10 {
      if place - start == count.upperBound { return nil }
      value = value * 10 + Int64(digit)
      place += 1
    }
    return count.contains(place - start) ? (value, place - start) : nil
  }

  private mutating func number(in range: ClosedRange<Int64>) -> Int64? {
    guard let (value, _) = number(digits: 1...2), range.contains(value) else { return nil }
    return value
  }

  /// Days since 1970-01-01.
  mutating func days() -> Int64? {
    guard let (year, _) = number(digits: 4...9), skip("-"), let month = number(in: 1...12), skip("-"),
      let day = number(in: 1...31), let date = CivilDate(checking: Int(year), Int(month), Int(day))
    else { return nil }
    return Int64(date.daysSince1970)
  }

  /// Microseconds since midnight.
  mutating func clockMicros() -> Int64? {
    guard let hours = number(in: 0...23), skip(":"), let minutes = number(in: 0...59) else { return nil }
    var micros = (hours * 60 + minutes) * 60_000_000
    if skip(":") {
      guard let seconds = number(in: 0...60) else { return nil }
      micros += seconds * 1_000_000
    }
    guard skip(".") else { return micros }
    guard var (fraction, digits) = number(digits: 1...9) else { return nil }
    while digits < 6 { (fraction, digits) = (fraction * 10, digits + 1) }
    while digits > 6 { (fraction, digits) = (fraction / 10, digits - 1) }
    return micros + fraction
  }

  /// East of UTC; 0 where nothing is said.
  mutating func offsetMinutes() -> Int64? {
    if isAtEnd || skip("Z") { return 0 }
    let isEast = skip("+")
    guard isEast || skip("-"), let hours = number(in: 0...23), skip(":"), let minutes = number(in: 0...59) else {
      return nil
    }
    return (isEast ? 1 : -1) * (hours * 60 + minutes)
  }
}
