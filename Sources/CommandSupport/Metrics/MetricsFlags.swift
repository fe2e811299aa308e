public import ArgumentParser
import Definitions
import Engine

/// The flags that say where a stage tells how it does.
public struct MetricsFlags: ParsableArguments {
  @Option(help: ArgumentHelp("Answer Prometheus at this address; port 0 picks a free one.", valueName: "host:port"))
  package var metricsListen: SocketAddress?

  @Option(help: ArgumentHelp("Write metrics to this file every five seconds, and at the end.", valueName: "file"))
  package var metricsFile: String?

  @Option(
    help: ArgumentHelp("Add this label to all metrics: it tells several of one stage apart.", valueName: "name=value"))
  package var metricsLabel: [MetricsLabel] = []

  public init() {}

  public func validate() throws {
    let names = metricsLabel.map(\.name)
    for (place, name) in names.enumerated() where names[..<place].contains(name) {
      throw ValidationError("--metrics-label names '\(name)' twice")
    }
  }

  /// Runs a stage, and shows its metrics meanwhile if somebody asked for them.
  ///
  /// - Parameters:
  ///   - definitions: those that the stage runs; nil when it needs none.
  ///   - body: runs the stage, with the metrics to keep, and answers its account. Signals that other threads are to take are
  ///     blocked by then.
  package func observing(
    _ stage: String, _ definitions: DefinitionSet?, _ body: (StageMetrics?) throws -> RunReport
  ) throws -> RunReport {
    guard metricsListen != nil || metricsFile != nil else { return try body(nil) }
    let metrics = StageMetrics(
      stage: stage, definitions: definitions, labels: metricsLabel.map { ($0.name, $0.value) })
    let export = try MetricsExport(metrics, listenAt: metricsListen, file: metricsFile) {
      standardError.line("\(stage): \($0)")
    }
    defer { export.finish() }
    let report = try body(metrics)
    metrics.ended(report)
    return report
  }
}

/// A label of metrics on the command line, as `shard=03`.
public struct MetricsLabel: ExpressibleByArgument, Sendable, Equatable {
  package var name: String
  package var value: String

  public init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, Self.isName(parts[0]), parts[0] != "stage" else { return nil }
    (name, value) = (parts[0], parts[1])
  }

  private static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, !(0x30...0x39).contains(first), !text.hasPrefix("__") else { return false }
    return text.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
    }
  }
}
