import SequenceStore
import Testing

/// What is found among simulated weeks, and what is not.
@Suite struct AnomalyDetectorTests {
  private static let dayMicros: Int64 = 86_400_000_000
  private static let weeks = 6

  /// What is found at the end of `days` days.
  private func found(_ weeks: SimulatedWeeks, days: Int) -> AnomalyDetector.Result {
    AnomalyDetector(
      "events", weeks.profiles, untilMicros: SimulatedWeeks.start.startMicros + Int64(days) * Self.dayMicros
    ).run()
  }

  private func subject(_ kind: Anomaly.Kind, _ eventType: String, _ column: String? = nil) -> Anomaly.Subject {
    Anomaly.Subject(kind, dataset: "events", eventType: eventType, column: column)
  }

  struct Plant: CustomTestStringConvertible, Sendable {
    var fault: SimulatedWeeks.Fault
    var kind: Anomaly.Kind
    var column: String?
    var testDescription: String { "\(kind) of \(fault.eventType)" }
  }

  /// Something goes wrong at 9 o'clock of the last day but one.
  private static let plantedHour = (weeks * 7 - 2) * 24 + 9

  static let plants = [
    Plant(fault: .init(eventType: "click", hour: plantedHour, volume: 0.4), kind: .volume),
    Plant(fault: .init(eventType: "view", hour: plantedHour, volume: 0), kind: .volume),
    Plant(fault: .init(eventType: "view", hour: plantedHour, volume: 2), kind: .volume),
    Plant(fault: .init(eventType: "search", hour: plantedHour - 9, volume: 0.3), kind: .volume),
    Plant(fault: .init(eventType: "save", hour: plantedHour, nulls: 1), kind: .nulls, column: "item"),
    Plant(fault: .init(eventType: "view", hour: plantedHour, nulls: 0.15), kind: .nulls, column: "item"),
    Plant(fault: .init(eventType: "click", hour: plantedHour, lagShift: 12), kind: .lag),
    Plant(fault: .init(eventType: "save", hour: plantedHour, priceShift: 6), kind: .distribution, column: "price"),
    Plant(
      fault: .init(eventType: "click", hour: plantedHour, exchangesCategories: true), kind: .distribution,
      column: "category"),
  ]

  @Test(arguments: plants) func whatGoesWrongIsFoundOnItsDay(plant: Plant) throws {
    let weeks = SimulatedWeeks(days: Self.weeks * 7, seed: 3, fault: plant.fault)
    let found = found(weeks, days: Self.weeks * 7)
    let expected = subject(plant.kind, plant.fault.eventType, plant.column)
    let anomaly = try #require(found.anomalies.first { $0.subject == expected }, "\(found.anomalies)")
    #expect(anomaly.isOpen && anomaly.since == Day(SimulatedWeeks.start.number + Int32(Self.weeks * 7 - 2)))
    #expect(found.anomalies.count { $0.isOpen } == 1, "\(found.anomalies)")
  }

  @Test func aTypeThatIsRareIsMissedByTheDay() throws {
    let fault = SimulatedWeeks.Fault(eventType: "report", hour: (Self.weeks * 7 - 2) * 24, volume: 0)
    let weeks = SimulatedWeeks(days: Self.weeks * 7, seed: 4, fault: fault)
    let anomaly = try #require(found(weeks, days: Self.weeks * 7).anomalies.first)
    #expect(anomaly.subject == subject(.volume, "report") && anomaly.isWholeDay && anomaly.value == 0)
  }

  @Test func daysAreComparedUntilThereAreWeeks() throws {
    let fault = SimulatedWeeks.Fault(eventType: "save", hour: 8 * 24, nulls: 1)
    let weeks = SimulatedWeeks(days: 9, seed: 5, fault: fault)
    let result = found(weeks, days: 9)
    #expect(result.anomalies.contains { $0.subject == subject(.nulls, "save", "item") && $0.isOpen })
    #expect(result.newCount > 0)
    let early = found(SimulatedWeeks(days: 3, seed: 5), days: 3)
    #expect(early.judgedCount == 0 && early.newCount > 0 && early.anomalies.isEmpty)
  }

  /// Twenty ordinary weeks of five event types, looked at week by week.
  @Test(arguments: [1, 2, 3] as [UInt64]) func ordinaryWeeksRaiseHardlyAnAlarm(seed: UInt64) {
    let weeks = SimulatedWeeks(days: 20 * 7, seed: seed)
    var (alarms, judged): ([Anomaly], Int) = ([], 0)
    for week in 2...20 {
      let result = found(weeks, days: week * 7)
      alarms += result.anomalies
      judged += result.judgedCount
    }
    #expect(judged > 16_000 && alarms.count <= 1, "\(alarms)")
  }

  @Test func whatGoesOnKeepsItsBeginning() throws {
    let hour = (Self.weeks * 7 - 2) * 24
    let fault = SimulatedWeeks.Fault(eventType: "save", hour: hour, nulls: 1)
    let weeks = SimulatedWeeks(days: Self.weeks * 7 + 12, seed: 6, fault: fault)
    var earlier: [Anomaly] = []
    for days in Self.weeks * 7...Self.weeks * 7 + 11 {
      let micros = SimulatedWeeks.start.startMicros + Int64(days) * Self.dayMicros
      earlier = AnomalyDetector("events", weeks.profiles, untilMicros: micros).run(earlier: earlier).anomalies
    }
    let anomaly = try #require(earlier.first { $0.subject == subject(.nulls, "save", "item") })
    #expect(anomaly.since == Day(SimulatedWeeks.start.number + Int32(Self.weeks * 7 - 2)) && anomaly.isOpen)
  }

  @Test func anomaliesAreTheSameAfterTheirJSON() throws {
    let weeks = SimulatedWeeks(days: Self.weeks * 7, seed: 3, fault: Self.plants[0].fault)
    let anomalies = found(weeks, days: Self.weeks * 7).anomalies
    let report = AnomalyReport(
      madeMicros: 1_000_000, scopes: ["events": .init(untilMicros: 3_600_000_000, judgedCount: 5, newCount: 2)],
      anomalies: anomalies)
    #expect(!anomalies.isEmpty && AnomalyReport(report.json) == report)
    #expect(AnomalyReport("nothing") == nil)
    #expect(anomalies[0].description.hasPrefix("volume of click: "), "\(anomalies[0])")
  }
}
