import Definitions
import DeltaLog
import JSONText

/// Something that is not as it was in the weeks before.
package struct Anomaly: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    /// How many events there are.
    case volume
    /// How late nine in ten of them are at most, in seconds.
    case lag
    /// The share of events that have no value in a column.
    case nulls
    /// How far a column's values lie from what they were: a population stability index.
    case distribution
    /// The share of a sequence's or a tenant's requests that the server could not answer.
    case errors
    /// How long 99 of 100 of a sequence's or a tenant's requests take at most, in seconds.
    case latency
  }

  /// What it is about.
  package struct Subject: Sendable, Hashable {
    package var kind: Kind
    /// Nil for requests, as are the next two.
    package var dataset: String?
    package var eventType: String?
    /// Of null shares and distributions.
    package var column: String?
    /// Of requests for it.
    package var sequence: String?
    /// Of requests by it.
    package var tenant: String?

    package init(
      _ kind: Kind, dataset: String? = nil, eventType: String? = nil, column: String? = nil, sequence: String? = nil,
      tenant: String? = nil
    ) {
      self.kind = kind
      self.dataset = dataset
      self.eventType = eventType
      self.column = column
      self.sequence = sequence
      self.tenant = tenant
    }
  }

  package var subject: Subject
  /// The latest period: when it began, in microseconds, and whether it is a day.
  package var atMicros: Int64
  package var isWholeDay: Bool
  package var value: Double
  package var expected: Double
  /// The day on which it began.
  package var since: Day
  /// Whether the latest day is like that.
  package var isOpen: Bool
  /// Those of the day on which it began, as `version:digest`; nil where nobody knows.
  package var definitions: String?

  package init(
    _ subject: Subject, atMicros: Int64, isWholeDay: Bool, value: Double, expected: Double, since: Day, isOpen: Bool,
    definitions: String?
  ) {
    self.subject = subject
    self.atMicros = atMicros
    self.isWholeDay = isWholeDay
    self.value = value
    self.expected = expected
    self.since = since
    self.isOpen = isOpen
    self.definitions = definitions
  }
}

extension Anomaly {
  /// Whether it is about a dataset's events, or about a sequence that shows them.
  package func isAbout(dataset name: String, _ definitions: DefinitionSet?) -> Bool {
    guard let sequence = subject.sequence else { return subject.dataset == name }
    let types = definitions?.sequence(sequence)?.eventTypes ?? []
    return types.contains { definitions?.eventType($0)?.dataset == name }
  }
}

extension Anomaly.Subject: CustomStringConvertible {
  /// `nulls of save.item_id`, `latency of home_feed`, `errors of tenant ranking`.
  package var description: String {
    let name =
      sequence ?? tenant.map { "tenant \($0)" } ?? [eventType, column].compactMap(\.self).joined(separator: ".")
    return "\(kind.rawValue) of \(name)"
  }
}

extension Anomaly: CustomStringConvertible {
  /// One line for people.
  package var description: String {
    let time = CalendarText.timestamp(micros: atMicros)
    let period = isWholeDay ? "on \(Day(micros: atMicros))" : "at \(time.prefix(13).replacing("T", with: " ")) h"
    return "\(subject): \(valueText) \(period), \(expectedText); since \(since)"
      + (definitions.map { ", definitions \($0)" } ?? "") + (isOpen ? "" : ", over")
  }

  /// What it was, in the kind's unit.
  package var valueText: String {
    switch subject.kind {
    case .volume: "\(Self.rounded(value)) events"
    case .lag, .latency: "\(Self.rounded(value)) s"
    case .nulls, .errors: "\(Self.rounded(value * 100)) %"
    case .distribution: "index \(Self.rounded(value))"
    }
  }

  /// What it usually is.
  package var expectedText: String {
    switch subject.kind {
    case .volume: "usually \(Self.rounded(expected))"
    case .lag, .latency: "usually \(Self.rounded(expected)) s"
    case .nulls, .errors: "usually \(Self.rounded(expected * 100)) %"
    case .distribution: "usually below \(Self.rounded(expected))"
    }
  }

  /// To three digits, or as a whole number.
  private static func rounded(_ value: Double) -> String {
    DecimalText.format(value, places: abs(value) >= 100 ? 0 : abs(value) >= 10 ? 1 : abs(value) >= 1 ? 2 : 3)
  }
}

// MARK: As JSON

extension Anomaly {
  package var json: JSONValue {
    let optional = [
      "dataset": subject.dataset, "event_type": subject.eventType, "column": subject.column,
      "sequence": subject.sequence, "tenant": subject.tenant, "definitions": definitions,
    ]
    let members: [String: JSONValue] = [
      "kind": .string(subject.kind.rawValue), "at": .string(CalendarText.timestamp(micros: atMicros)),
      "period": .string(isWholeDay ? "day" : "hour"), "value": .number(value), "expected": .number(expected),
      "since": .string(since.description), "open": .bool(isOpen),
    ]
    return .object(members.merging(optional.compactMapValues { $0.map { .string($0) } }) { first, _ in first })
  }

  /// Nil for anything else.
  package init?(_ json: JSONValue) {
    guard let kind = json["kind"]?.string.flatMap({ Kind(rawValue: $0) }),
      let atMicros = json["at"]?.string.flatMap({ CalendarText.micros($0) }), let value = json["value"]?.double,
      let expected = json["expected"]?.double, let since = json["since"]?.string.flatMap({ Day($0) }),
      let isOpen = json["open"]?.bool
    else { return nil }
    self.init(
      Subject(
        kind, dataset: json["dataset"]?.string, eventType: json["event_type"]?.string, column: json["column"]?.string,
        sequence: json["sequence"]?.string, tenant: json["tenant"]?.string),
      atMicros: atMicros, isWholeDay: json["period"]?.string == "day", value: value, expected: expected, since: since,
      isOpen: isOpen, definitions: json["definitions"]?.string)
  }
}
