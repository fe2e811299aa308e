import Arrow
import Buffers

extension JSONOutput {
  /// Appends `YYYY-MM-DD` without quotes; a year past 9999 or before 0 bears a sign.
  mutating func append(daysSince1970 days: Int) {
    let date = CivilDate(daysSince1970: days)
    if (0...9_999).contains(date.year) {
      append(date.year, digits: 4)
    } else {
      append(UInt8(ascii: date.year < 0 ? "-" : "+"))
      append(UInt64(date.year.magnitude))
    }
    append(UInt8(ascii: "-"))
    append(date.month, digits: 2)
    append(UInt8(ascii: "-"))
    append(date.day, digits: 2)
  }

  /// Appends `hh:mm:ss` and, unless it is zero, a fraction of three, six or nine digits.
  mutating func append(timeOfDay value: Int64, _ unit: TimeUnit) {
    let (seconds, fraction) = value.quotientAndRemainder(dividingBy: unit.perSecond)
    append(Int(seconds / 3_600), digits: 2)
    append(UInt8(ascii: ":"))
    append(Int(seconds / 60 % 60), digits: 2)
    append(UInt8(ascii: ":"))
    append(Int(seconds % 60), digits: 2)
    append(fraction: fraction, unit)
  }

  private mutating func append(fraction: Int64, _ unit: TimeUnit) {
    guard fraction != 0 else { return }
    var (digits, value) = (9, fraction * (1_000_000_000 / unit.perSecond))
    while value % 1_000 == 0 { (digits, value) = (digits - 3, value / 1_000) }
    append(UInt8(ascii: "."))
    append(Int(value), digits: digits)
  }

  /// Appends a quoted RFC 3339 timestamp; without a zone it is a local time and has no `Z`.
  mutating func append(timestamp value: Int64, _ unit: TimeUnit, isUTC: Bool) {
    let perDay = unit.perSecond * 86_400
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: perDay)
    let day = remainder < 0 ? quotient - 1 : quotient
    append(UInt8(ascii: "\""))
    append(daysSince1970: Int(day))
    append(UInt8(ascii: "T"))
    append(timeOfDay: remainder < 0 ? remainder + perDay : remainder, unit)
    if isUTC { append(UInt8(ascii: "Z")) }
    append(UInt8(ascii: "\""))
  }

  /// Appends a quoted duration in seconds, such as `"1.500s"`.
  /// - Source: the JSON form of `google.protobuf.Duration`, which CEL's durations share.
  mutating func append(duration value: Int64, _ unit: TimeUnit) {
    append(UInt8(ascii: "\""))
    if value < 0 { append(UInt8(ascii: "-")) }
    let (seconds, fraction) = value.magnitude.quotientAndRemainder(dividingBy: UInt64(unit.perSecond))
    append(seconds)
    append(fraction: Int64(fraction), unit)
    append("s\"")
  }
}
