import ArgumentParser
import CommandSupport
import Definitions
import Engine
import Glibc
import KafkaConnector

/// The flags of a Kafka topic.
struct KafkaFlags: ParsableArguments {
  @Option(help: ArgumentHelp("Read a topic of these Kafka brokers.", valueName: "host:port,…"))
  var kafka: String?

  @Option(help: ArgumentHelp("The topic; a message is a JSON object, or several lines.", valueName: "name"))
  var topic: String?

  @Option(help: ArgumentHelp("Share the partitions with the group's other members.", valueName: "name"))
  var group: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Begin at: stored, begin, end, -3d, or a time (default: stored in a group, else begin).", valueName: "place"))
  var from: KafkaStart?

  @Option(help: ArgumentHelp("End with what is there now, or before this time.", valueName: "now|time"))
  var until: KafkaEnd?

  @Option(
    help: ArgumentHelp(
      "A setting of librdkafka (TLS, SASL, …), or @file with one a line; may be repeated.", valueName: "key=value"))
  var kafkaOption: [String] = []

  func validate() throws {
    if kafka == nil {
      let given = [("--topic", topic), ("--group", group)].first { $0.1 != nil }?.0
      if let flag = given
        ?? (from != nil ? "--from" : until != nil ? "--until" : kafkaOption.isEmpty ? nil : "--kafka-option")
      {
        throw ValidationError("\(flag) goes with --kafka")
      }
    } else if topic == nil {
      throw ValidationError("--kafka: --topic is missing; name the topic to read")
    }
  }

  /// The topic, from where the flags and the store say; nil without `--kafka`.
  func source(_ source: SourceDefinition, positions: KafkaSource.Positions?) throws -> KafkaSource? {
    guard let kafka, let topic else { return nil }
    guard from != .stored || group != nil || positions != nil else {
      throw ValidationError("--from stored goes with --group or --resume; nothing else stores offsets")
    }
    var settings = KafkaSettings(brokers: kafka, topic: topic, group: group, start: from, end: until)
    settings.options = try kafkaOption.flatMap(Self.options)
    settings.resumes = positions != nil
    _ = Termination()  // before librdkafka starts its threads
    return try KafkaSource(settings, envelope: KafkaEnvelope(fields: source.fields), positions: positions) {
      standardError.line("seq-ingest: \($0)")
    }
  }

  /// The settings that a flag gives: `key=value`, or those of `@file`, where `#` begins a comment.
  private static func options(_ text: String) throws -> [(name: String, value: String)] {
    guard text.hasPrefix("@") else { return [try option(text[...])] }
    return try OpenFile.text(of: String(text.dropFirst())).split(separator: "\n")
      .filter { !$0.hasPrefix("#") && $0.contains { !$0.isWhitespace } }.map(option)
  }

  private static func option(_ text: Substring) throws -> (name: String, value: String) {
    guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
      throw ValidationError("--kafka-option '\(text)': write key=value")
    }
    return (trimmed(text[..<equals]), trimmed(text[text.index(after: equals)...]))
  }

  private static func trimmed(_ text: Substring) -> String {
    let start = text.drop { $0.isWhitespace }
    return String(start.reversed().drop { $0.isWhitespace }.reversed())
  }
}

extension KafkaStart: ExpressibleByArgument {
  package init?(argument: String) {
    switch argument {
    case "stored": self = .stored
    case "begin": self = .begin
    case "end": self = .end
    default:
      guard let millis = Self.millis(argument) else { return nil }
      self = .time(millis)
    }
  }

  /// A time, or `-3d` before now.
  static func millis(_ text: String) -> Int64? {
    if text.hasPrefix("-") {
      return DurationText.parse(String(text.dropFirst())).map { Int64(Glibc.time(nil)) * 1000 - $0 / 1000 }
    }
    return PointInTime(argument: text).map { $0.micros / 1000 }
  }
}

extension KafkaEnd: ExpressibleByArgument {
  package init?(argument: String) {
    if argument == "now" {
      self = .now
    } else {
      guard let millis = KafkaStart.millis(argument) else { return nil }
      self = .time(millis)
    }
  }
}
