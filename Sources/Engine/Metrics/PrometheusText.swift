/// Metrics as Prometheus reads them.
///
///     # HELP name what it says
///     # TYPE name counter
///     name{label="value",…} 17
///
/// A family without samples is left out.
/// - Source: Prometheus text exposition format 0.0.4.
package struct PrometheusText: Sendable {
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  package enum Kind: String, Sendable {
    case counter, gauge, histogram
  }

  package typealias Labels = [(name: String, value: String)]

  private(set) package var text = ""
  /// What every sample has beside its own labels.
  private let common: [String]

  package init(labels: Labels = []) { common = labels.map(Self.label) }

  /// A family of one sample.
  package mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: some CustomStringConvertible) {
    begin(name, kind, help)
    add(name, [], value)
  }

  /// A sample for each value of the label `label`, in their order.
  package mutating func add<Value: CustomStringConvertible>(
    _ name: String, _ kind: Kind, _ help: String, by label: String, _ values: [String: Value]
  ) {
    add(name, kind, help, values.sorted { $0.key < $1.key }.map { ([(label, $0.key)], $0.value) })
  }

  /// A sample for each set of labels, no two of which are the same.
  package mutating func add<Value: CustomStringConvertible>(
    _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: Labels, value: Value)]
  ) {
    guard !samples.isEmpty else { return }
    begin(name, kind, help)
    for (labels, value) in samples { add(name, labels, value) }
  }

  /// A family whose one sample says something by its labels.
  package mutating func add(info name: String, _ help: String, _ labels: Labels) {
    add(name, .gauge, help, [(labels, 1)])
  }

  package mutating func add(_ name: String, _ help: String, _ histograms: [(labels: Labels, value: Histogram)]) {
    guard !histograms.isEmpty else { return }
    begin(name, .histogram, help)
    for (labels, histogram) in histograms {
      for (bound, count) in histogram.cumulative { add(name + "_bucket", labels + [("le", bound)], count) }
      add(name + "_sum", labels, histogram.sum)
      add(name + "_count", labels, histogram.count)
    }
  }

  private mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
  }

  private mutating func add(_ name: String, _ labels: Labels, _ value: some CustomStringConvertible) {
    let list = common + labels.map(Self.label)
    text += name + (list.isEmpty ? "" : "{\(list.joined(separator: ","))}") + " \(value)\n"
  }

  private static func label(_ label: (name: String, value: String)) -> String {
    let value = label.value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    return "\(label.name)=\"\(value)\""
  }
}
