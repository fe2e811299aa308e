import Definitions
import DeltaLog

/// Finds what is not as it was among a dataset's events of the last days.
package struct AnomalyDetector {
  private let dataset: String
  private let profiles: DatasetProfiles
  private let untilMicros: Int64
  private let judged: [ProfilePeriod]

  /// - Parameter untilMicros: periods that end later are not judged: their events may still be on their way.
  package init(_ dataset: String, _ profiles: DatasetProfiles, untilMicros: Int64) {
    self.dataset = dataset
    self.profiles = profiles
    self.untilMicros = untilMicros
    let last = Day(micros: untilMicros - 1)
    judged = (0..<Int32(AnomalyRules.judgedDayCount)).reversed().flatMap { back in
      let day = Day(last.number - back)
      return (0..<24).map { ProfilePeriod(day: day, hour: $0) } + [ProfilePeriod(day: day, hour: nil)]
    }.filter { $0.endMicros <= untilMicros }
  }

  package struct Result: Sendable {
    /// The latest first.
    package var anomalies: [Anomaly] = []
    /// Periods of types that were judged.
    package var judgedCount = 0
    /// Periods without anything to compare with yet.
    package var newCount = 0
  }

  /// - Parameters:
  ///   - history: that says which definitions days were written with.
  ///   - earlier: what was found the last time; what goes on since then keeps its beginning.
  package func run(history: TableHistory = TableHistory(), earlier: [Anomaly] = []) -> Result {
    var result = Result()
    for eventType in profiles.eventTypes.sorted() {
      let series = TypeSeries(eventType, in: profiles)
      let periods = judged.filter(series.hasBegun)
      let pairs = periods.compactMap { period in series.baseline(of: period).map { (period, $0) } }
      result.judgedCount += pairs.count
      result.newCount += periods.count - pairs.count
      // A day's counts are steadier than an hour's.
      for isDay in [false, true] {
        let check = TypeCheck(series, pairs.filter { ($0.0.hour == nil) == isDay })
        for (subject, breaches) in check.breaches(dataset: dataset, eventType: eventType) {
          result.anomalies += anomaly(subject, breaches, history, earlier).map { [$0] } ?? []
        }
      }
    }
    result.anomalies = Self.unique(result.anomalies)
    return result
  }

  /// The latest of a subject's breaches, with the day on which their run began.
  private func anomaly(
    _ subject: Anomaly.Subject, _ breaches: [Breach<ProfilePeriod>], _ history: TableHistory, _ earlier: [Anomaly]
  ) -> Anomaly? {
    guard let latest = breaches.max(by: { $0.period.endMicros < $1.period.endMicros }) else { return nil }
    var since = Set(breaches.map(\.period.day)).begin(of: latest.period.day)
    if let known = earlier.first(where: { $0.subject == subject && $0.isOpen }), known.since < since,
      Day(micros: known.atMicros) >= Day(since.number - 1)
    {
      since = known.since
    }
    let isWholeDay = latest.period.hour == nil
    let start = latest.period.endMicros - ProfilePeriod.hourMicros * (isWholeDay ? 24 : 1)
    return Anomaly(
      subject, atMicros: start, isWholeDay: isWholeDay, value: latest.value, expected: latest.expected, since: since,
      isOpen: latest.period.endMicros > untilMicros - (isWholeDay ? 48 : 24) * ProfilePeriod.hourMicros,
      definitions: history.definitions(of: since))
  }

  /// Of those of one subject the one that began first, with what is the latest of both.
  private static func unique(_ all: [Anomaly]) -> [Anomaly] {
    var bySubject: [Anomaly.Subject: Anomaly] = [:]
    for anomaly in all {
      guard var known = bySubject[anomaly.subject] else {
        bySubject[anomaly.subject] = anomaly
        continue
      }
      let (first, isOpen) = (min(known.since, anomaly.since), known.isOpen || anomaly.isOpen)
      let definitions = known.since <= anomaly.since ? known.definitions : anomaly.definitions
      if anomaly.atMicros > known.atMicros { known = anomaly }
      (known.since, known.isOpen, known.definitions) = (first, isOpen, definitions)
      bySubject[anomaly.subject] = known
    }
    return bySubject.values.sorted { ($1.atMicros, $0.subject.description) < ($0.atMicros, $1.subject.description) }
  }
}

/// Compares periods of one event type, all hours or all days, with those before.
private struct TypeCheck {
  private let series: TypeSeries
  private let pairs: [(period: ProfilePeriod, baseline: Baseline<ProfilePeriod>)]

  init(_ series: TypeSeries, _ pairs: [(ProfilePeriod, Baseline<ProfilePeriod>)]) {
    self.series = series
    self.pairs = pairs.map { (period: $0.0, baseline: $0.1) }
  }

  func breaches(dataset: String, eventType: String) -> [(Anomaly.Subject, [Breach<ProfilePeriod>])] {
    func subject(_ kind: Anomaly.Kind, _ column: String? = nil) -> Anomaly.Subject {
      Anomaly.Subject(kind, dataset: dataset, eventType: eventType, column: column)
    }
    let columns = Set(pairs.flatMap { series.profile($0.period).columns.keys }).subtracting([SystemColumns.seenAt])
    return [(subject(.volume), volume), (subject(.lag), lag)]
      + columns.sorted().flatMap { [(subject(.nulls, $0), nulls($0)), (subject(.distribution, $0), distribution($0))] }
  }

  /// - Parameter sample: a period's number; nil where it has too few events to have one.
  private func comparisons(_ sample: (EventProfile) -> PeriodSample?) -> [Comparison<ProfilePeriod>] {
    pairs.compactMap { period, baseline in
      guard let before = baseline.compactMap({ sample(series.profile($0)) }), let now = sample(series.profile(period))
      else { return nil }
      return Comparison(period, now, before)
    }
  }

  private var volume: [Breach<ProfilePeriod>] {
    comparisons { PeriodSample(Double($0.rowCount), count: $0.rowCount) }
      .breaches { sample, median in AnomalyRules.countUnit(sample.value, expected: median) }
  }

  /// Events that come later than before. Lags are compared by their logarithms, from a tenth of a second on.
  private var lag: [Breach<ProfilePeriod>] {
    let found = comparisons { profile in
      guard let lag = profile.lag, lag.rowCount >= AnomalyRules.leastRowCount else { return nil }
      return lag.quantile(0.9).map { PeriodSample($0.octaves(from: 0.1), count: lag.rowCount) }
    }.breaches { _, _ in AnomalyRules.octaveUnit }
    return found.filter { $0.value > $0.expected }.map {
      Breach(period: $0.period, value: $0.value.seconds, expected: $0.expected.seconds)
    }
  }

  private func nulls(_ column: String) -> [Breach<ProfilePeriod>] {
    comparisons { profile in
      guard let column = profile.columns[column], column.rowCount >= AnomalyRules.leastRowCount else { return nil }
      return PeriodSample(column.nullShare, count: column.rowCount)
    }.breaches { sample, median in AnomalyRules.shareUnit(median, count: sample.count, points: 5) }
  }

  // MARK: Distributions

  private func distribution(_ column: String) -> [Breach<ProfilePeriod>] {
    pairs.compactMap { period, baseline in
      guard let before = baseline.compactMap({ series.profile($0).columns[column] })?.elements,
        let now = series.profile(period).columns[column], now.bins != .presence
      else { return nil }
      let sum = Self.sum(before)
      guard now.valueCount >= AnomalyRules.leastValueCount, sum.valueCount >= AnomalyRules.leastValueCount,
        now.bins == sum.bins
      else { return nil }
      let stability = PopulationStability(expected: sum, found: now)
      guard stability.index - 2 * stability.noise > AnomalyRules.stabilityLimit else { return nil }
      let usual = max(AnomalyRules.stabilityLimit, AnomalyRules.stabilityFactor * Self.ownIndex(before))
      return stability.index > usual ? Breach(period: period, value: stability.index, expected: usual) : nil
    }
  }

  /// The greatest index of one of the periods against the others.
  private static func ownIndex(_ profiles: [ColumnProfile]) -> Double {
    profiles.indices.map { index in
      var others = profiles
      let left = others.remove(at: index)
      return PopulationStability(expected: sum(others), found: left).index
    }.max() ?? 0
  }

  private static func sum(_ profiles: [ColumnProfile]) -> ColumnProfile {
    profiles.dropFirst().reduce(into: profiles[0]) { $0.add($1) }
  }
}
