import Engine
import Glibc
import JSONText

/// The one line with which a stage ends, on standard error.
package struct Summary {
  package enum Format: String, CaseIterable, Sendable {
    case text, json
  }

  private let command: String
  private let format: Format
  private let start = Summary.now

  package init(command: String, format: Format) {
    self.command = command
    self.format = format
  }

  private static var now: Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// - Parameters:
  ///   - more: further facts, in the order in which to print them.
  ///   - details: facts that only the JSON has.
  package func print(_ report: RunReport, _ more: [(String, JSONValue)] = [], details: [(String, JSONValue)] = []) {
    standardError.line(line(report, format == .json ? more + details : more, seconds: Self.now - start))
  }

  /// The line for a run that took `seconds`.
  package func line(_ report: RunReport, _ more: [(String, JSONValue)] = [], seconds: Double) -> String {
    switch format {
    case .text: return "\(command): " + text(report, more, seconds: seconds)
    case .json:
      var facts = Self.facts(report)
      facts["command"] = .string(command)
      facts["seconds"] = .number((seconds * 1e3).rounded() / 1e3)
      for (name, value) in more { facts[name] = value }
      return JSONValue.object(facts).text
    }
  }

  private func text(_ report: RunReport, _ more: [(String, JSONValue)], seconds: Double) -> String {
    var parts = ["\(report.rowsIn) rows in", "\(report.rowsOut) out"]
    if report.retractions > 0 { parts.append("\(report.retractions) retractions") }
    if report.rejectedCount > 0 { parts.append("\(report.rejectedCount) rejected (\(Self.list(report.rejected)))") }
    if !report.mismatches.isEmpty { parts.append("values of a wrong type: \(Self.list(report.mismatches))") }
    if !report.expressionErrors.isEmpty { parts.append("expression errors: \(Self.list(report.expressionErrors))") }
    for (name, coverage) in report.coverage.sorted(by: { $0.key < $1.key }) {
      parts.append("\(name) found \(Self.percent(coverage.share))")
    }
    for (name, count) in report.repeatedKeys.sorted(by: { $0.key < $1.key }) {
      parts.append("\(name): \(count) repeated keys, the last row wins")
    }
    for (name, value) in more { parts.append("\(value.string ?? value.text) \(name)") }
    if report.wasStopped { parts.append("stopped by a signal") }
    let rate = report.bytesIn > 0 && seconds > 0 ? ", \(Int(Double(report.bytesIn) / 1e6 / seconds)) MB/s" : ""
    return parts.joined(separator: ", ") + rate
  }

  private static func list(_ counts: [String: Int]) -> String {
    counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(5).map { "\($0.value) \($0.key)" }
      .joined(separator: "; ")
  }

  private static func percent(_ share: Double) -> String { "\((share * 1_000).rounded(.down) / 10) %" }

  private static func facts(_ report: RunReport) -> [String: JSONValue] {
    func counts(_ values: [String: Int]) -> JSONValue { .object(values.mapValues { .integer(Int64($0)) }) }
    return [
      "bytes_in": .integer(Int64(report.bytesIn)), "rows_in": .integer(Int64(report.rowsIn)),
      "rows_out": .integer(Int64(report.rowsOut)), "retractions": .integer(Int64(report.retractions)),
      "rejected": counts(report.rejected), "mismatches": counts(report.mismatches),
      "expression_errors": counts(report.expressionErrors), "kept": counts(report.kept),
      "repeated_keys": counts(report.repeatedKeys), "stopped": .bool(report.wasStopped),
      "coverage": .object(
        report.coverage.mapValues {
          ["hits": .integer(Int64($0.hits)), "misses": .integer(Int64($0.misses))]
        }),
    ]
  }
}
