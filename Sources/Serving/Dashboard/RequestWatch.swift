import Engine
import SequenceStore
import Synchronization

/// How requests go, by the hour, for each sequence and each tenant, and whether they go as they did in the weeks before.
package final class RequestWatch: Sendable {
  private let history: MetricHistory
  private let state: Mutex<State>

  private struct State {
    /// Since 1970, in hours; nil before the first look.
    var hour: Int64?
    /// What had been counted when the hour began; nil where the server began within it.
    var atStart: RequestCounts?
    var report: AnomalyReport?
  }

  private static let weekCount: Int64 = 6
  private static let hoursPerWeek: Int64 = 168
  /// Hours with fewer requests say nothing.
  private static let leastRequestCount = 100

  /// - Parameter path: of the file that remembers the hours.
  package init(path: String?, report: AnomalyReport? = nil) {
    history = MetricHistory(path: path, sampleLimit: Int(Self.weekCount * Self.hoursPerWeek))
    state = Mutex(State(report: report))
  }

  /// What was found after the last whole hour.
  var report: AnomalyReport? { state.withLock { $0.report } }

  /// Looks at the counts; when an hour is over, it is remembered and judged.
  ///
  /// - Returns: what is found then; nil while an hour lasts.
  func look(at counts: RequestCounts, seconds: Int64, definitions: String) throws(SystemError) -> AnomalyReport? {
    let now = seconds / 3_600
    let (past, isOver) = state.withLock { state -> (RequestCounts?, Bool) in
      guard let hour = state.hour else {
        state.hour = now
        return (nil, false)
      }
      guard now > hour else { return (nil, false) }
      // After a longer pause nobody knows which hour the requests belong to.
      let past = now == hour + 1 ? state.atStart : nil
      (state.hour, state.atStart) = (now, counts)
      return (past, past != nil)
    }
    guard isOver, let past else { return nil }
    try history.add(MetricHistory.Sample(seconds: (now - 1) * 3_600, values: Self.values(counts, since: past)))
    // Who is not asked for any more may still have what began before.
    let known = self.report?.anomalies.compactMap { RequestParty($0.subject) } ?? []
    let others = known.filter { !counts.parties.contains($0) }
    let report = judge(counts.parties + Set(others), lastHour: now - 1, definitions: definitions)
    state.withLock { $0.report = report }
    return report
  }

  private static func values(_ counts: RequestCounts, since past: RequestCounts) -> [String: Double] {
    var values: [String: Double] = [:]
    for (party, series) in counts.changes(since: past) {
      guard series.times.count > 0 else { continue }
      values[MetricName.count(party)] = Double(series.times.count)
      values.merge(series.quality(of: party)) { $1 }
    }
    return values
  }

  // MARK: Judging

  /// Compares the hours of the last week with those of the weeks before.
  ///
  /// - Parameters:
  ///   - lastHour: the last one that is whole: hours since 1970.
  ///   - definitions: that are served now.
  package func judge(_ parties: [RequestParty], lastHour: Int64, definitions: String) -> AnomalyReport {
    var report = AnomalyReport(madeMicros: (lastHour + 1) * ProfilePeriod.hourMicros)
    let earlier = self.report?.open ?? []
    for party in parties {
      let hours = HourlyRequests(party, history, lastHour: lastHour)
      for (kind, breaches) in [(Anomaly.Kind.errors, hours.errors), (.latency, hours.latencies)] {
        let subject = party.subject(kind)
        let known = earlier.first { $0.subject == subject }
        if let anomaly = Self.anomaly(subject, breaches, lastHour, known, definitions) {
          report.anomalies.append(anomaly)
        }
      }
    }
    return report
  }

  private static func anomaly(
    _ subject: Anomaly.Subject, _ breaches: [Breach<Int64>], _ lastHour: Int64, _ known: Anomaly?, _ definitions: String
  ) -> Anomaly? {
    guard let latest = breaches.max(by: { $0.period < $1.period }) else { return nil }
    let days = Set(breaches.map { Day(micros: $0.period * ProfilePeriod.hourMicros) })
    let atMicros = latest.period * ProfilePeriod.hourMicros
    let day = days.begin(of: Day(micros: atMicros))
    let isOpen = latest.period > lastHour - 24
    let goesOn = known.map { $0.isOpen && isOpen } ?? false
    return Anomaly(
      subject, atMicros: atMicros, isWholeDay: false, value: latest.value, expected: latest.expected,
      since: goesOn ? min(known!.since, day) : day, isOpen: isOpen,
      definitions: goesOn ? known!.definitions : definitions)
  }

  /// The hours of one sequence, or of one tenant.
  private struct HourlyRequests {
    private let counts: [Int64: Double]
    private let errorShares: [Int64: Double]
    private let seconds: [Int64: Double]
    private let judged: ClosedRange<Int64>

    init(_ party: RequestParty, _ history: MetricHistory, lastHour: Int64) {
      counts = history.values(MetricName.count(party))
      errorShares = history.values(MetricName.errors(party))
      seconds = history.values(MetricName.latency(party))
      judged = lastHour - 7 * 24 + 1...lastHour
    }

    var errors: [Breach<Int64>] {
      comparisons(errorShares) { $0 }
        .breaches { sample, median in AnomalyRules.shareUnit(median, count: sample.count, points: 1) }
        .filter { $0.value > $0.expected }
    }

    /// Latencies below a millisecond are as good as one.
    var latencies: [Breach<Int64>] {
      let found = comparisons(seconds) { $0.octaves(from: 0.001) }.breaches { _, _ in AnomalyRules.octaveUnit }
      return found.filter { $0.value > $0.expected }.map {
        Breach(period: $0.period, value: $0.value.seconds, expected: $0.expected.seconds)
      }
    }

    private func comparisons(
      _ values: [Int64: Double], _ scale: (Double) -> Double
    ) -> [Comparison<Int64>] {
      func sample(_ hour: Int64) -> PeriodSample? {
        guard let count = counts[hour * 3_600].map({ Int($0) }), count >= leastRequestCount else { return nil }
        return values[hour * 3_600].map { PeriodSample(scale($0), count: count) }
      }
      return judged.compactMap { hour in
        let weeks = (1..<weekCount).compactMap { sample(hour - $0 * hoursPerWeek) }
        guard let now = sample(hour),
          let baseline = Baseline(weeks: weeks, days: (1...7).compactMap { sample(hour - $0 * 24) })
        else { return nil }
        return Comparison(hour, now, baseline)
      }
    }
  }
}

extension RequestParty {
  /// Nil for an anomaly that is not of requests.
  fileprivate init?(_ subject: Anomaly.Subject) {
    guard let party = subject.sequence.map({ Self.sequence($0) }) ?? subject.tenant.map({ Self.tenant($0) }) else {
      return nil
    }
    self = party
  }

  fileprivate func subject(_ kind: Anomaly.Kind) -> Anomaly.Subject {
    switch self {
    case .sequence(let name): Anomaly.Subject(kind, sequence: name)
    case .tenant(let name): Anomaly.Subject(kind, tenant: name)
    }
  }
}
