/// Spans of time as definitions write them: a whole number and a unit, `90d`.
package enum DurationText {
  /// The units with their microseconds, the longest first.
  private static let units: [(symbol: String, micros: Int64)] = [
    ("w", 604_800_000_000), ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000),
    ("ms", 1000), ("us", 1),
  ]

  static let examples = "one such as '90d', '12h', '30m', '15s' or '250ms'"

  /// Microseconds; nil when the text is no duration, or one beyond 292,000 years.
  package static func parse(_ text: String) -> Int64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let count = Int64(digits), let unit = units.first(where: { $0.symbol == text[digits.endIndex...] }) else {
      return nil
    }
    let (micros, overflow) = count.multipliedReportingOverflow(by: unit.micros)
    return overflow ? nil : micros
  }

  /// The longest unit of which it is a whole number, weeks left aside.
  package static func format(_ micros: Int64) -> String {
    guard let unit = units.dropFirst().first(where: { micros % $0.micros == 0 && micros != 0 }) else { return "0s" }
    return "\(micros / unit.micros)\(unit.symbol)"
  }
}

extension Completeness {
  static let examples = "one such as '99.9% after 1d'"

  /// Parses `99.9% after 1d`.
  init?(text: String) {
    let parts = text.split(separator: " ", omittingEmptySubsequences: true)
    guard parts.count == 3, parts[1] == "after", parts[0].hasSuffix("%"),
      let share = Self.share(percent: parts[0].dropLast()),
      let delay = DurationText.parse(String(parts[2]))
    else { return nil }
    self.init(share: share, delayMicros: delay)
  }

  /// `99.9` as 0.999, the nearest number to it; nil outside 0 to 100.
  private static func share(percent: Substring) -> Double? {
    guard percent.allSatisfy({ $0.isASCII && $0.isNumber || $0 == "." }), let share = Double("\(percent)e-2"),
      share > 0,
      share <= 1
    else { return nil }
    return share
  }
}
