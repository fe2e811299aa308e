import DeltaLog
import Engine
import JSONText

/// What was found to be unlike before, and what was looked at.
package struct AnomalyReport: Sendable, Equatable {
  /// How far a dataset was judged, or the requests for a sequence.
  package struct Scope: Sendable, Equatable {
    /// In microseconds.
    package var untilMicros: Int64
    /// Hours and days of event types that were judged.
    package var judgedCount: Int
    /// Those that there was nothing to compare with yet.
    package var newCount: Int

    package init(untilMicros: Int64, judgedCount: Int, newCount: Int) {
      self.untilMicros = untilMicros
      self.judgedCount = judgedCount
      self.newCount = newCount
    }
  }

  package var madeMicros: Int64
  /// By dataset, or by sequence.
  package var scopes: [String: Scope]
  /// The latest first.
  package var anomalies: [Anomaly]

  package init(madeMicros: Int64, scopes: [String: Scope] = [:], anomalies: [Anomaly] = []) {
    self.madeMicros = madeMicros
    self.scopes = scopes
    self.anomalies = anomalies
  }

  /// Those that still are.
  package var open: [Anomaly] { anomalies.filter(\.isOpen) }
}

extension AnomalyReport {
  package var json: JSONValue {
    let scopes = scopes.mapValues { scope -> JSONValue in
      [
        "until": .string(CalendarText.timestamp(micros: scope.untilMicros)),
        "judged": .integer(Int64(scope.judgedCount)), "new": .integer(Int64(scope.newCount)),
      ]
    }
    return [
      "made": .string(CalendarText.timestamp(micros: madeMicros)), "scopes": .object(scopes),
      "anomalies": .array(anomalies.map(\.json)),
    ]
  }

  /// Nil for anything else.
  package init?(_ json: JSONValue) {
    guard let made = json["made"]?.string.flatMap({ CalendarText.micros($0) }), let scopes = json["scopes"]?.object,
      let anomalies = json["anomalies"]?.array
    else { return nil }
    self.init(
      madeMicros: made, scopes: scopes.compactMapValues { Scope($0) }, anomalies: anomalies.compactMap { Anomaly($0) })
  }

  /// Nil when it is not there, or is none.
  package init?(file: String) {
    guard let text = try? OpenFile.text(of: file), let json = try? JSONValue(parsing: text) else { return nil }
    self.init(json)
  }
}

extension AnomalyReport.Scope {
  fileprivate init?(_ json: JSONValue) {
    guard let until = json["until"]?.string.flatMap({ CalendarText.micros($0) }),
      let judged = json["judged"]?.integer.flatMap({ Int(exactly: $0) }),
      let new = json["new"]?.integer.flatMap({ Int(exactly: $0) }),
      max(judged, new) <= ColumnProfile.countLimit
    else { return nil }
    self.init(untilMicros: until, judgedCount: judged, newCount: new)
  }
}

extension StoreDirectory {
  /// What is unlike before among the events, as `seq-store profile` finds it.
  package var eventAnomalies: String { profiles + "/anomalies.json" }
  /// The same among the requests, as `seq-serve` finds it.
  package var requestAnomalies: String { path + "/serving/anomalies.json" }

  /// What is known to be unlike before, of events and of requests.
  package var anomalies: [Anomaly] {
    [eventAnomalies, requestAnomalies].flatMap { AnomalyReport(file: $0)?.anomalies ?? [] }
  }
}
