/// An hour of a day, or a day.
package struct ProfilePeriod: Sendable, Hashable {
  var day: Day
  /// 0…23; nil for all of the day.
  var hour: Int?

  func before(days: Int) -> ProfilePeriod { ProfilePeriod(day: Day(day.number - Int32(days)), hour: hour) }

  var endMicros: Int64 { day.startMicros + Int64(hour.map { $0 + 1 } ?? 24) * Self.hourMicros }

  package static let hourMicros: Int64 = 3_600_000_000
}

/// One event type's profiles, by period.
struct TypeSeries {
  private let profiles: DatasetProfiles
  private let eventType: String
  /// From here on all hours count: on the day of its first event the type may have begun late.
  private let firstDay: Day?
  private var days: [Day: EventProfile] = [:]

  init(_ eventType: String, in profiles: DatasetProfiles) {
    self.eventType = eventType
    self.profiles = profiles
    for (day, hours) in profiles.days {
      for (key, profile) in hours where key.eventType == eventType { days[day, default: EventProfile()].add(profile) }
    }
    firstDay = days.keys.min().map { Day($0.number + 1) }
  }

  /// What the period's events are like: of none, where there are none.
  func profile(_ period: ProfilePeriod) -> EventProfile {
    guard let hour = period.hour else { return days[period.day] ?? EventProfile() }
    return profiles.days[period.day]?[TypeHour(eventType, hour: hour)] ?? EventProfile()
  }

  /// The periods to compare one with; nil where there are too few.
  func baseline(of period: ProfilePeriod) -> Baseline<ProfilePeriod>? {
    Baseline(
      weeks: (1...AnomalyRules.weekCount).map { period.before(days: $0 * 7) }.filter(isKnown),
      days: (1...7).map { period.before(days: $0) }.filter(isKnown))
  }

  /// A day of which the table has nothing at all was no ordinary one.
  private func isKnown(_ period: ProfilePeriod) -> Bool {
    guard let firstDay, period.day >= firstDay else { return false }
    return profiles.days[period.day] != nil
  }

  /// Whether there were events before.
  func hasBegun(by period: ProfilePeriod) -> Bool { firstDay.map { $0 <= period.day } ?? false }
}
