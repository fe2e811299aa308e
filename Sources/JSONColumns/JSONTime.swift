import Arrow

extension JSONOutput {
  /// Appends `YYYY-MM-DD` without quotes; a year past 9999 or before 0 bears a sign.
  mutating func append(daysSince1970 days: Int) {
    let (year, month, day) = civilDate(days)
    if (0...9_999).contains(year) {
      append(year, digits: 4)
    } else {
      append(UInt8(ascii: year < 0 ? "-" : "+"))
      append(UInt64(year.magnitude))
    }
    append(UInt8(ascii: "-"))
    append(month, digits: 2)
    append(UInt8(ascii: "-"))
    append(day, digits: 2)
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

/// Year, month and day of a day since 1970-01-01, in the proleptic Gregorian calendar.
/// - Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
func civilDate(_ days: Int) -> (year: Int, month: Int, day: Int) {
  let shifted = days + 719_468
  let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
  let dayOfEra = shifted - era * 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let shiftedMonth = (5 * dayOfYear + 2) / 153
  let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
}
