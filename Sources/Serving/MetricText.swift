/// Metrics as Prometheus reads them.
/// - Source: Prometheus text exposition format 0.0.4.
struct MetricText {
  enum Kind: String {
    case counter, gauge
  }

  private(set) var text = ""

  private mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
  }

  mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: some CustomStringConvertible) {
    begin(name, kind, help)
    text += "\(name) \(value)\n"
  }

  /// A line for each value of the label `label`, in their order.
  mutating func add<Value: CustomStringConvertible>(
    _ name: String, _ kind: Kind, _ help: String, by label: String, _ values: [String: Value]
  ) {
    begin(name, kind, help)
    for (key, value) in values.sorted(by: { $0.key < $1.key }) { add(name, [(label, key)], value) }
  }

  /// One line with labels and the value 1.
  mutating func add(info name: String, _ help: String, _ labels: [(name: String, value: String)]) {
    begin(name, .gauge, help)
    add(name, labels, 1)
  }

  private mutating func add(
    _ name: String, _ labels: [(name: String, value: String)], _ value: some CustomStringConvertible
  ) {
    let list = labels.map { #"\#($0.name)="\#(Self.escaped($0.value))""# }.joined(separator: ",")
    text += "\(name){\(list)} \(value)\n"
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}
