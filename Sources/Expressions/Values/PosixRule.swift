import Buffers

/// The rule that holds after a zone's last recorded change: `CET-1CEST,M3.5.0,M10.5.0/3`.
/// - Source: POSIX.1-2017, environment variable `TZ`; RFC 8536, section 3.3.
struct PosixRule: Sendable {
  private struct Change: Sendable {
    enum Day: Sendable {
      /// Month 1...12, week 1...5 (5: the last), weekday 0...6.
      case weekday(month: Int64, week: Int64, day: Int64)
      /// 1...365, 29 February never counted.
      case julian(Int64)
      /// 0...365.
      case yearday(Int64)
    }

    var day: Day
    /// Seconds after midnight of the clock before the change.
    var time: Int64

    /// Seconds since 1970 of the change in `year`, on the local clock.
    func local(year: Int64) -> Int64 {
      let newYear = CivilTime.daysSince1970(year: year, month: 1, day: 1)
      let days: Int64
      switch day {
      case .julian(let number):
        let isLeap = CivilDate.dayCount(month: 2, year: Int(year)) == 29
        days = newYear + number - 1 + (isLeap && number >= 60 ? 1 : 0)
      case .yearday(let number): days = newYear + number
      case .weekday(let month, let week, let weekday):
        let first = CivilTime.daysSince1970(year: year, month: month, day: 1)
        let toFirst = floorModulo(weekday - floorModulo(first + 4, 7), 7)
        let length = Int64(CivilDate.dayCount(month: Int(month), year: Int(year)))
        var place = toFirst + (week - 1) * 7
        while place >= length { place -= 7 }
        days = first + place
      }
      return days * 86_400 + time
    }
  }

  private var standard: Int64
  private var summer: (offset: Int64, start: Change, end: Change)?

  init?(_ text: String) {
    var bytes = Array(text.utf8)[...]
    guard Self.skipName(&bytes), let west = Self.time(&bytes) else { return nil }
    standard = -west
    if bytes.isEmpty { return }
    guard Self.skipName(&bytes) else { return nil }
    var offset = standard + 3600
    if bytes.first != UInt8(ascii: ",") {
      guard let west = Self.time(&bytes) else { return nil }
      offset = -west
    }
    guard let start = Self.change(&bytes), let end = Self.change(&bytes), bytes.isEmpty else { return nil }
    summer = (offset, start, end)
  }

  func offset(at seconds: Int64) -> Int64 {
    guard let summer else { return standard }
    let year = CivilTime(seconds: seconds + standard).year
    let start = summer.start.local(year: year) - standard
    let end = summer.end.local(year: year) - summer.offset
    let isSummer = start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end
    return isSummer ? summer.offset : standard
  }

  private static func skipName(_ bytes: inout ArraySlice<UInt8>) -> Bool {
    let count = bytes.count
    if bytes.first == UInt8(ascii: "<") {
      bytes = bytes.drop { $0 != UInt8(ascii: ">") }.dropFirst()
    } else {
      bytes = bytes.drop { $0.isNameStart }
    }
    return bytes.count < count
  }

  private static func number(_ bytes: inout ArraySlice<UInt8>) -> Int64? {
    let digits = bytes.prefix(while: \.isDigit)
    guard (1...4).contains(digits.count) else { return nil }
    bytes = bytes.dropFirst(digits.count)
    return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
  }

  /// `[+-]h[h][:mm[:ss]]` in seconds.
  private static func time(_ bytes: inout ArraySlice<UInt8>) -> Int64? {
    let isNegative = bytes.first == UInt8(ascii: "-")
    if isNegative || bytes.first == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
    var total: Int64 = 0
    for unit: Int64 in [3600, 60, 1] {
      guard let part = number(&bytes) else { return nil }
      total += part * unit
      guard bytes.first == UInt8(ascii: ":") else { break }
      bytes = bytes.dropFirst()
    }
    return isNegative ? -total : total
  }

  /// `,Mm.w.d[/time]`, `,Jn[/time]` or `,n[/time]`.
  private static func change(_ bytes: inout ArraySlice<UInt8>) -> Change? {
    guard bytes.first == UInt8(ascii: ",") else { return nil }
    bytes = bytes.dropFirst()
    guard let day = day(&bytes) else { return nil }
    guard bytes.first == UInt8(ascii: "/") else { return Change(day: day, time: 7200) }
    bytes = bytes.dropFirst()
    return time(&bytes).map { Change(day: day, time: $0) }
  }

  private static func day(_ bytes: inout ArraySlice<UInt8>) -> Change.Day? {
    switch bytes.first {
    case UInt8(ascii: "J"):
      bytes = bytes.dropFirst()
      return number(&bytes).flatMap { (1...365).contains($0) ? .julian($0) : nil }
    case UInt8(ascii: "M"):
      bytes = bytes.dropFirst()
      guard let month = number(&bytes), (1...12).contains(month), bytes.first == UInt8(ascii: ".") else { return nil }
      bytes = bytes.dropFirst()
      guard let week = number(&bytes), (1...5).contains(week), bytes.first == UInt8(ascii: ".") else { return nil }
      bytes = bytes.dropFirst()
      guard let day = number(&bytes), (0...6).contains(day) else { return nil }
      return .weekday(month: month, week: week, day: day)
    default: return number(&bytes).flatMap { (0...365).contains($0) ? .yearday($0) : nil }
    }
  }
}
