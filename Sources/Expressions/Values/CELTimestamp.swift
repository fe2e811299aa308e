import Buffers

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
    guard let date = CivilDate(checking: Int(year), Int(month), Int(day)), hour < 24, minute < 60, second < 60 else {
      return nil
    }
    let days = Int64(date.daysSince1970)
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
    let date = CivilDate(daysSince1970: Int(days))
    (year, month, day) = (Int64(date.year), Int64(date.month), Int64(date.day))
    yearday = days - Self.daysSince1970(year: year, month: 1, day: 1)
  }

  static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
    Int64(CivilDate(year: Int(year), month: Int(month), day: Int(day)).daysSince1970)
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
