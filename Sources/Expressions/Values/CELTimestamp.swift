private let nanosPerSecond: Int128 = 1_000_000_000
private let secondsPerDay: Int64 = 86_400

extension CELTimestamp {
  /// 0001-01-01T00:00:00Z to the last nanosecond of the year 9999.
  static let nanosecondRange: ClosedRange<Int128> =
    -62_135_596_800 * nanosPerSecond...253_402_300_800 * nanosPerSecond - 1

  init(seconds: Int64, nanos: Int64 = 0) {
    self.init(nanoseconds: Int128(seconds) * nanosPerSecond + Int128(nanos))
  }

  /// The value, or an overflow where it lies outside the years 1 to 9999.
  func inRange(_ function: String) throws(EvaluationError) -> CELTimestamp {
    guard Self.nanosecondRange.contains(nanoseconds) else { throw .overflow(function: function) }
    return self
  }

  /// Whole seconds, rounded towards the past.
  var seconds: Int64 { Int64(clamping: floorDivide(nanoseconds, nanosPerSecond)) }

  /// 0..<1,000,000,000.
  var nanos: Int { Int(nanoseconds - floorDivide(nanoseconds, nanosPerSecond) * nanosPerSecond) }

  /// RFC 3339 in UTC, with as many digits of a second as it takes.
  package var text: String {
    let civil = CivilTime(seconds: seconds)
    let fraction = nanos == 0 ? "" : "." + trimmedFraction(nanos)
    return "\(pad(civil.year, 4))-\(pad(civil.month, 2))-\(pad(civil.day, 2))T"
      + "\(pad(civil.hour, 2)):\(pad(civil.minute, 2)):\(pad(civil.second, 2))\(fraction)Z"
  }

  /// Parses RFC 3339: `2026-01-31T23:59:59.123456789+01:00`.
  package init?(_ text: String) {
    var bytes = Array(text.utf8)[...]
    guard let year = digits(4, &bytes), skip("-", &bytes), let month = digits(2, &bytes), skip("-", &bytes),
      let day = digits(2, &bytes), skip("T", &bytes), let hour = digits(2, &bytes), skip(":", &bytes),
      let minute = digits(2, &bytes), skip(":", &bytes), let second = digits(2, &bytes),
      let nanos = fraction(&bytes), let offset = zone(&bytes), bytes.isEmpty
    else { return nil }
    guard (1...12).contains(month), (1...CivilTime.days(month: month, year: year)).contains(day), hour < 24,
      minute < 60,
      second < 60
    else { return nil }
    let days = CivilTime.daysSince1970(year: year, month: month, day: day)
    self.init(seconds: days * secondsPerDay + hour * 3600 + minute * 60 + second - offset, nanos: nanos)
    guard Self.nanosecondRange.contains(nanoseconds) else { return nil }
  }
}

/// `.` and 1 to 9 digits, as nanoseconds; 0 when there is no dot.
private func fraction(_ bytes: inout ArraySlice<UInt8>) -> Int64? {
  guard skip(".", &bytes) else { return 0 }
  let found = bytes.prefix { $0.isDigit }
  guard (1...9).contains(found.count) else { return nil }
  bytes = bytes.dropFirst(found.count)
  return (0..<9).reduce(0) { sum, place in
    sum * 10 + (place < found.count ? Int64(found[found.startIndex + place] - UInt8(ascii: "0")) : 0)
  }
}

/// `Z` or `±hh:mm`, as seconds east of UTC.
private func zone(_ bytes: inout ArraySlice<UInt8>) -> Int64? {
  if skip("Z", &bytes) { return 0 }
  let isWest = bytes.first == UInt8(ascii: "-")
  guard skip("+", &bytes) || skip("-", &bytes), let hours = digits(2, &bytes), skip(":", &bytes),
    let minutes = digits(2, &bytes), hours < 24, minutes < 60
  else { return nil }
  return (isWest ? -1 : 1) * (hours * 3600 + minutes * 60)
}

private func digits(_ count: Int, _ bytes: inout ArraySlice<UInt8>) -> Int64? {
  let found = bytes.prefix(count)
  guard found.count == count, found.allSatisfy(\.isDigit) else { return nil }
  bytes = bytes.dropFirst(count)
  return found.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
}

private func skip(_ character: Unicode.Scalar, _ bytes: inout ArraySlice<UInt8>) -> Bool {
  guard bytes.first == UInt8(ascii: character) else { return false }
  bytes = bytes.dropFirst()
  return true
}

/// A point of the proleptic Gregorian calendar.
/// - Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
struct CivilTime {
  var year: Int64
  /// 1...12.
  var month: Int64
  /// 1...31.
  var day: Int64
  var hour: Int64
  var minute: Int64
  var second: Int64
  /// 0 is Sunday.
  var weekday: Int64
  /// From 0.
  var yearday: Int64

  /// - Parameter seconds: since 1970-01-01T00:00:00 of the same clock.
  init(seconds: Int64) {
    let days = floorDivide(seconds, secondsPerDay)
    let left = seconds - days * secondsPerDay
    (hour, minute, second) = (left / 3600, left / 60 % 60, left % 60)
    weekday = floorModulo(days + 4, 7)
    let shifted = days + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    yearday = days - Self.daysSince1970(year: year, month: 1, day: 1)
  }

  static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = floorDivide(shifted, 400)
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  static func days(month: Int64, year: Int64) -> Int64 {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Int(month) - 1]
  }
}

func floorDivide<T: SignedInteger>(_ value: T, _ divisor: T) -> T {
  let quotient = value / divisor
  return value % divisor < 0 ? quotient - 1 : quotient
}

func floorModulo<T: SignedInteger>(_ value: T, _ divisor: T) -> T {
  let rest = value % divisor
  return rest < 0 ? rest + divisor : rest
}

/// Nanoseconds as digits after a point, without the last zeroes.
func trimmedFraction(_ nanos: Int) -> String {
  var text = pad(Int64(nanos), 9)
  while text.last == "0" { text.removeLast() }
  return text
}

private func pad(_ number: Int64, _ width: Int) -> String {
  let digits = String(number.magnitude)
  return (number < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
}
