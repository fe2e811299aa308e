/// What to read of a Kafka topic.
package struct KafkaSettings: Sendable {
  /// `host:port`, comma-separated.
  package var brokers: String
  package var topic: String
  /// The consumer group that shares the partitions; nil reads all of them.
  package var group: String?
  package var start: KafkaStart
  /// Where to end; nil goes on for ever.
  package var end: KafkaEnd?
  /// Settings of librdkafka, in order: TLS, SASL, anything.
  package var options: [(name: String, value: String)] = []
  /// Whether the store decides where to begin; the group's offsets are then neither used nor committed.
  package var resumes = false

  package init(brokers: String, topic: String, group: String? = nil, start: KafkaStart? = nil, end: KafkaEnd? = nil) {
    self.brokers = brokers
    self.topic = topic
    self.group = group
    self.start = start ?? (group == nil ? .begin : .stored)
    self.end = end
  }

  /// How often new partitions are looked for; as librdkafka's setting says, else twice a minute.
  var refreshSeconds: Double {
    let set = options.last { $0.name == Self.refreshOption }.flatMap { Double($0.value) }
    return (set ?? Self.defaultRefreshMillis) / 1e3
  }

  static let refreshOption = "topic.metadata.refresh.interval.ms"
  static let defaultRefreshMillis = 30_000.0

  /// The topic's name in positions.
  package var sourceName: String { "kafka:\(topic)" }
}

/// Where to begin with a partition.
package enum KafkaStart: Sendable, Equatable {
  /// At the group's committed offset; at the begin where there is none.
  case stored
  case begin
  case end
  /// At the first message of this time or later, in milliseconds since 1970.
  case time(Int64)
}

/// Where to end.
package enum KafkaEnd: Sendable, Equatable {
  /// At what was the end when reading began.
  case now
  /// Before the first message of this time or later, in milliseconds since 1970; waits for the time if it is to come.
  case time(Int64)
}

/// What a broker or librdkafka refused.
package struct KafkaError: Error, CustomStringConvertible {
  /// What was being done or read.
  package var place: String
  package var reason: String
  /// What to do about it.
  package var remedy: String?

  package init(_ place: String, _ reason: String, remedy: String? = nil) {
    self.place = place
    self.reason = reason
    self.remedy = remedy
  }

  package var description: String { "\(place): \(reason)" + (remedy.map { "; \($0)" } ?? "") }
}
