import JSONText
import SequenceStore
import Serving
import TestSupport
import Testing

/// Requests of an hour beside those of the weeks before.
@Suite struct RequestWatchTests {
  private static let firstHour: Int64 = 490_000
  private static let hourCount: Int64 = 5 * 168
  private let folder = TemporaryDirectory()

  private static let parties: [RequestParty] = [
    .sequence("ads"), .sequence("feed"), .tenant("feed"), .tenant("ranking"),
  ]

  /// What is found after five weeks of requests for two sequences by two tenants, when the last three hours of one of them
  /// are `last`.
  private func found(
    seed: UInt64, of party: RequestParty = .sequence("feed"), last: (errors: Double, p99: Double)?
  ) -> AnomalyReport {
    var random = SeededRandom(seed: seed)
    var lines = ""
    for hour in 0..<Self.hourCount {
      var values: [String: JSONValue] = [:]
      for party in Self.parties {
        let isNight = hour % 24 < 6
        values["requests/\(party)"] = .number(Double(isNight ? 40 : 5_000) + Double(random.next() % 500))
        values["errors/\(party)"] = .number(Double(random.next() % 40) / 10_000)
        values["p99/\(party)"] = .number(0.004 + Double(random.next() % 20) / 1e4)
      }
      if let last, hour >= Self.hourCount - 3 {
        values["errors/\(party)"] = .number(last.errors)
        values["p99/\(party)"] = .number(last.p99)
      }
      let sample: JSONValue = ["t": .integer((Self.firstHour + hour) * 3_600), "values": .object(values)]
      lines += sample.text + "\n"
    }
    folder.write(lines, to: "hours.ndjson")
    let watch = RequestWatch(path: folder.path + "/hours.ndjson")
    return watch.judge(Self.parties, lastHour: Self.firstHour + Self.hourCount - 1, definitions: "3:ab")
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64]) func ordinaryHoursRaiseNoAlarm(seed: UInt64) {
    #expect(found(seed: seed, last: nil).anomalies.isEmpty)
  }

  @Test(arguments: [(0.2, 0.005, Anomaly.Kind.errors), (0.001, 0.1, .latency)])
  func whatGoesWrongIsFound(errors: Double, p99: Double, kind: Anomaly.Kind) throws {
    let ofTenant = found(seed: 5, of: .tenant("feed"), last: (errors, p99)).anomalies
    #expect(ofTenant.map(\.subject) == [Anomaly.Subject(kind, tenant: "feed")])
    #expect(ofTenant.map { Anomaly($0.json) } == ofTenant)
    let report = found(seed: 5, last: (errors, p99))
    let anomaly = try #require(report.anomalies.first)
    #expect(report.anomalies.count == 1 && anomaly.subject == Anomaly.Subject(kind, sequence: "feed"))
    #expect(anomaly.isOpen && anomaly.definitions == "3:ab")
    #expect(anomaly.since == Day(micros: (Self.firstHour + Self.hourCount - 1) * 3_600_000_000))
    #expect(abs(anomaly.value - (kind == .errors ? errors : p99)) < 1e-6 && anomaly.expected < 0.02)
  }
}
