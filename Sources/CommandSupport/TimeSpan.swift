public import ArgumentParser
import Definitions

/// A span of time as people write it, and as the definitions do: `90d`, `12h`, `30m`, `15s` or `250ms`.
public struct TimeSpan: ExpressibleByArgument, Sendable, Equatable {
  package let micros: Int64

  package init(micros: Int64) { self.micros = micros }

  package init(days: Int64) { micros = days * 86_400_000_000 }

  public init?(argument: String) {
    guard let micros = DurationText.parse(argument) else { return nil }
    self.micros = micros
  }

  package var seconds: Double { Double(micros) / 1e6 }

  public var defaultValueDescription: String { DurationText.format(micros) }
}
