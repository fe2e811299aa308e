import Buffers

/// Microseconds since 1970-01-01T00:00:00Z of a timestamp such as `2026-11-20T10:00:00.125+02:00`.
///
/// `T` and `Z` may be small, and a blank may stand for `T`. Digits after the sixth of a fraction are dropped. Second 60 of
/// a leap second is the first moment of the next minute. Nil when the text is anything else.
/// - Source: RFC 3339, section 5.6.
func rfc3339Micros(_ text: TextView, _ range: Range<Int>) -> Int64? {
  let start = range.lowerBound
  guard range.count >= 20,
    let year = decimal(text, start, 4), text[start + 4] == UInt8(ascii: "-"),
    let month = decimal(text, start + 5, 2), text[start + 7] == UInt8(ascii: "-"),
    let day = decimal(text, start + 8, 2), let date = CivilDate(checking: year, month, day),
    text[start + 10] | 0x20 == UInt8(ascii: "t") || text[start + 10] == UInt8(ascii: " "),
    let hour = decimal(text, start + 11, 2), hour < 24, text[start + 13] == UInt8(ascii: ":"),
    let minute = decimal(text, start + 14, 2), minute < 60, text[start + 16] == UInt8(ascii: ":"),
    let second = decimal(text, start + 17, 2), second <= 60
  else { return nil }
  var offset = start + 19
  guard let fraction = fractionMicros(text, &offset, range.upperBound),
    let zone = zoneMinutes(text, offset..<range.upperBound)
  else { return nil }
  let minutes = (date.daysSince1970 * 24 + hour) * 60 + minute - zone
  return Int64((minutes * 60 + second) * 1_000_000 + fraction)
}

/// The value of `count` decimal digits.
private func decimal(_ text: TextView, _ start: Int, _ count: Int) -> Int? {
  var value = 0
  for offset in start..<start + count {
    let digit = text[offset] &- UInt8(ascii: "0")
    guard digit < 10 else { return nil }
    value = value * 10 + Int(digit)
  }
  return value
}

/// Reads `.` and digits, if they are there, and steps past them.
private func fractionMicros(_ text: TextView, _ offset: inout Int, _ end: Int) -> Int? {
  guard text[offset] == UInt8(ascii: ".") else { return 0 }
  offset += 1
  let first = offset
  var (micros, unit) = (0, 100_000)
  while offset < end, let digit = decimal(text, offset, 1) {
    micros += digit * unit
    unit /= 10
    offset += 1
  }
  return offset > first ? micros : nil
}

/// Minutes east of UTC of `Z`, `+hh:mm` or `-hh:mm`.
private func zoneMinutes(_ text: TextView, _ range: Range<Int>) -> Int? {
  let start = range.lowerBound
  if range.count == 1, text[start] | 0x20 == UInt8(ascii: "z") { return 0 }
  guard range.count == 6, text[start] == UInt8(ascii: "+") || text[start] == UInt8(ascii: "-"),
    let hours = decimal(text, start + 1, 2), hours < 24, text[start + 3] == UInt8(ascii: ":"),
    let minutes = decimal(text, start + 4, 2), minutes < 60
  else { return nil }
  return (hours * 60 + minutes) * (text[start] == UInt8(ascii: "-") ? -1 : 1)
}
