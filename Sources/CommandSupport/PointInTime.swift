public import ArgumentParser
import Expressions

/// A time on the command line: RFC 3339, or a day, which stands for its first moment in UTC.
public struct PointInTime: ExpressibleByArgument, Sendable, Equatable {
  /// Since 1970-01-01T00:00Z, rounded down.
  package let micros: Int64

  public init?(argument: String) {
    guard let time = CELTimestamp(argument) ?? CELTimestamp(argument + "T00:00:00Z") else { return nil }
    let (micros, rest) = time.nanoseconds.quotientAndRemainder(dividingBy: 1_000)
    self.micros = Int64(micros) - (rest < 0 ? 1 : 0)
  }
}
