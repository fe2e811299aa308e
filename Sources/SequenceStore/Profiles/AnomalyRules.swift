import Glibc

/// What counts as an anomaly. A period is an hour of a day, or a day, of one event type.
///
/// A period is compared with the same hour of the same weekday in the weeks before; while there are too few of those, with
/// the same hour of the days before. What it is compared with are medians, which one bad week does not move. How far
/// periods ordinarily lie from such a median is measured on the past itself, over all hours: that is the spread.
package enum AnomalyRules {
  /// So many days back from the newest hour are looked at again each time: what comes late may put them right.
  static let judgedDayCount = 7
  /// Weeks to compare with.
  static let weekCount = 5
  /// Fewer periods are no baseline.
  static let leastPeriodCount = 3
  /// A deviation that is an anomaly, in spreads.
  package static let limit = 6.0
  /// So many times more must it be while there are no weeks to compare with: days of the week differ.
  static let dayFactor = 2.0

  /// Periods with fewer events say nothing of null shares and lags.
  static let leastRowCount = 100
  /// Periods with fewer values say nothing of a distribution.
  static let leastValueCount = 200
  /// A population stability index that is an anomaly: 0.1 is taken for a moderate shift, 0.25 for a large one.
  static let stabilityLimit = 0.25
  /// A shift must also be so many times what the past's own periods show among themselves.
  static let stabilityFactor = 2.0
  /// Bins that distributions are compared in.
  static let stabilityBinCount = 10

  /// The least deviation of counts that counts as a spread: that of independent events, and a twentieth. So an hour
  /// must lose or gain almost a third of its events, at the least.
  static func countUnit(_ value: Double, expected: Double) -> Double {
    let greater = max(1, value, expected)
    return (greater + (greater / 20) * (greater / 20)).squareRoot()
  }

  /// The least deviation of shares: that of `count` independent events, and a part of `points` percentage points, so
  /// that the limit is as many.
  package static func shareUnit(_ expected: Double, count: Int, points: Double) -> Double {
    let least = points / 100 / limit
    return (expected * (1 - expected) / Double(max(1, count)) + least * least).squareRoot()
  }

  /// The least deviation of times, in octaves: the limit is four times as long.
  package static let octaveUnit = 2 / limit
}

/// A number of a period, and how many events it is of.
package struct PeriodSample: Sendable, Equatable {
  package var value: Double
  package var count: Int

  package init(_ value: Double, count: Int) {
    self.value = value
    self.count = count
  }
}

/// What a period is compared with: the same hour of the same weekday, or of the days before.
package struct Baseline<Element: Sendable>: Sendable {
  package let elements: [Element]
  /// Whether they are of the weeks before.
  package let isOfWeeks: Bool

  /// - Parameters:
  ///   - weeks: what there is of the weeks before.
  ///   - days: what there is of the days before; asked for when those are too few.
  /// - Returns: nil when both are too few.
  package init?(weeks: [Element], days: @autoclosure () -> [Element]) {
    isOfWeeks = weeks.count >= AnomalyRules.leastPeriodCount
    elements = isOfWeeks ? weeks : days()
    if elements.count < AnomalyRules.leastPeriodCount { return nil }
  }

  /// What `value` finds of the elements; nil when that is too little.
  func compactMap<Other>(_ value: (Element) -> Other?) -> Baseline<Other>? {
    let values = elements.compactMap(value)
    return isOfWeeks ? Baseline<Other>(weeks: values, days: []) : Baseline<Other>(weeks: [], days: values)
  }

  /// By how much more than weeks of the same hour the elements may differ.
  var factor: Double { isOfWeeks ? 1 : AnomalyRules.dayFactor }
}

/// A period's number beside those of the periods that it is compared with.
package struct Comparison<Period: Sendable>: Sendable {
  package var period: Period
  package var sample: PeriodSample
  package var baseline: Baseline<PeriodSample>

  package init(_ period: Period, _ sample: PeriodSample, _ baseline: Baseline<PeriodSample>) {
    self.period = period
    self.sample = sample
    self.baseline = baseline
  }
}

/// A period that is not as it was before.
package struct Breach<Period: Sendable>: Sendable {
  package var period: Period
  package var value: Double
  package var expected: Double

  package init(period: Period, value: Double, expected: Double) {
    (self.period, self.value, self.expected) = (period, value, expected)
  }
}

extension Collection {
  /// Those of the comparisons whose number lies more than `AnomalyRules.limit` spreads from the baseline's median.
  ///
  /// - Parameter unit: the least spread of a sample around a median: no past is steadier than that.
  package func breaches<Period>(
    unit: (_ sample: PeriodSample, _ median: Double) -> Double
  ) -> [Breach<Period>] where Element == Comparison<Period> {
    let ordinary = flatMap { comparison in
      comparison.baseline.elements.indices.map { index in
        var others = comparison.baseline.elements
        let left = others.remove(at: index)
        let median = others.map(\.value).median
        return abs(left.value - median) / unit(left, median)
      }
    }
    // A normal distribution's deviations have a median of 0.6745 standard deviations.
    let spread = Swift.max(1, ordinary.median / 0.6745)
    return compactMap { comparison in
      let median = comparison.baseline.elements.map(\.value).median
      let deviation = abs(comparison.sample.value - median) / unit(comparison.sample, median)
      guard deviation > AnomalyRules.limit * spread * comparison.baseline.factor else { return nil }
      return Breach(period: comparison.period, value: comparison.sample.value, expected: median)
    }
  }
}

extension [Double] {
  /// The middle of them, or between the two in the middle; 0 for none.
  var median: Double {
    guard !isEmpty else { return 0 }
    let sorted = sorted()
    let middle = count / 2
    return count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}

extension Double {
  /// Seconds on a scale on which twice as long is 1 more; what is shorter than `least` is as good as that.
  package func octaves(from least: Double) -> Double { log2(Swift.max(least, self)) }
  /// The seconds at a place of that scale.
  package var seconds: Double { exp2(self) }
}

extension Set<Day> {
  /// The first of the days that lead up to `day` without a gap.
  package func begin(of day: Day) -> Day {
    var first = day
    while contains(Day(first.number - 1)) { first = Day(first.number - 1) }
    return first
  }
}
