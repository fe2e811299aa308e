import DeltaLog

/// A UTC day, which names a bucket: days since 1970-01-01.
package struct Day: Sendable, Hashable, Comparable, CustomStringConvertible {
  package var number: Int32

  package init(_ number: Int32) { self.number = number }

  /// The day that holds a time in microseconds since 1970-01-01T00:00Z.
  package init(micros: Int64) {
    self.number = Int32(truncatingIfNeeded: Self.number(micros: micros))
  }

  /// `2026-11-20`.
  package init?(_ text: String) {
    guard let days = CalendarText.days(text), let number = Int32(exactly: days) else { return nil }
    self.number = number
  }

  package var description: String { CalendarText.date(Int64(number)) }

  /// The first microsecond.
  package var startMicros: Int64 { Int64(number) * Self.micros }

  /// The first microsecond of the next day.
  var endMicros: Int64 { startMicros + Self.micros }

  static let micros: Int64 = 86_400_000_000

  @inline(__always) static func number(micros: Int64) -> Int64 {
    let quotient = micros / Self.micros
    return micros % Self.micros < 0 ? quotient - 1 : quotient
  }

  package static func < (left: Day, right: Day) -> Bool { left.number < right.number }
}

/// The days that a batch run replaces.
package enum DayRange: Sendable, Hashable {
  /// Every day that the store or the input has.
  case all
  case days(ClosedRange<Day>)

  /// `2026-11-20`, `2026-11-20..2026-11-22` (both included) or `all`.
  /// - Throws: `.invalidRange`.
  package init(parsing text: String) throws(StoreError) {
    if text == "all" {
      self = .all
      return
    }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    let ends = parts.count == 3 && parts[1].isEmpty ? [parts[0], parts[2]] : [text, text]
    guard let first = Day(ends[0]), let last = Day(ends[1]), first <= last else { throw .invalidRange(text) }
    self = .days(first...last)
  }

  /// The first microsecond after it; the greatest number where it has no end.
  var endMicros: Int64 {
    switch self {
    case .all: .max
    case .days(let range): range.upperBound.endMicros
    }
  }

  package func overlaps(_ days: ClosedRange<Day>) -> Bool {
    switch self {
    case .all: true
    case .days(let range): range.overlaps(days)
    }
  }

  package func covers(_ days: ClosedRange<Day>) -> Bool { contains(days.lowerBound) && contains(days.upperBound) }

  package func contains(_ day: Day) -> Bool {
    switch self {
    case .all: true
    case .days(let range): range.contains(day)
    }
  }
}

extension DayRange: CustomStringConvertible {
  package var description: String {
    switch self {
    case .all: "all"
    case .days(let range):
      range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "\(range.lowerBound)..\(range.upperBound)"
    }
  }
}
