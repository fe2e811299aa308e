/// Metrics read as strictly as their format is written down, to check that others will be able to.
///
/// - Source: Prometheus text exposition format 0.0.4.
public struct PrometheusSamples {
  /// Values by series: a name and its labels in braces, sorted by name.
  public private(set) var values: [String: Double] = [:]
  /// By family: counter, gauge, histogram, …
  public private(set) var kinds: [String: String] = [:]

  /// - Throws: `ProgramFailure`: which line is wrong, and why.
  public init(_ text: String) throws {
    guard text.hasSuffix("\n") else { throw ProgramFailure(description: "the last line has no end") }
    var parser = Parser()
    for (number, line) in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      do throws(Fault) { try parser.add(line) } catch {
        throw ProgramFailure(description: "line \(number + 1): \(error.reason): \(line)")
      }
    }
    (values, kinds) = (parser.values, parser.kinds)
  }

  /// The value of a series, labels in any order; nil when there is none.
  public subscript(name: String, labels: KeyValuePairs<String, String>) -> Double? {
    values[Self.series(name, labels.map { ($0.key, $0.value) })]
  }

  /// The names of the families.
  public var names: Set<String> { Set(kinds.keys) }

  fileprivate static func series(_ name: String, _ labels: [(String, String)]) -> String {
    name + "{" + labels.sorted { $0.0 < $1.0 }.map { "\($0.0)=\($0.1)" }.joined(separator: ",") + "}"
  }

  private struct Fault: Error {
    var reason: String
    init(_ reason: String) { self.reason = reason }
  }

  private struct Parser {
    var values: [String: Double] = [:]
    var kinds: [String: String] = [:]
    private var helped: Set<String> = []
    /// The family whose samples may come.
    private var family = ""

    mutating func add(_ line: Substring) throws(Fault) {
      if line.hasPrefix("# HELP ") { return try addHelp(line.dropFirst(7)) }
      if line.hasPrefix("# TYPE ") { return try addKind(line.dropFirst(7)) }
      guard !line.hasPrefix("#"), !line.isEmpty else { throw Fault("neither a comment that counts nor a sample") }
      try addSample(line)
    }

    private mutating func addHelp(_ text: Substring) throws(Fault) {
      let words = text.split(separator: " ", maxSplits: 1)
      guard words.count == 2, words[0].wholeMatch(of: /[a-zA-Z_:][a-zA-Z0-9_:]*/) != nil else { throw Fault("HELP") }
      guard helped.insert(String(words[0])).inserted else { throw Fault("a second HELP") }
    }

    private mutating func addKind(_ text: Substring) throws(Fault) {
      let words = text.split(separator: " ").map(String.init)
      guard words.count == 2, ["counter", "gauge", "histogram"].contains(words[1]) else { throw Fault("TYPE") }
      guard helped.contains(words[0]) else { throw Fault("TYPE before HELP") }
      guard kinds.updateValue(words[1], forKey: words[0]) == nil else { throw Fault("a second TYPE") }
      family = words[0]
    }

    private mutating func addSample(_ line: Substring) throws(Fault) {
      guard let match = line.wholeMatch(of: /([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? ([^ ]+)/) else {
        throw Fault("syntax")
      }
      guard let value = Double(match.3) else { throw Fault("no number") }
      let name = String(match.1)
      let labels = try labels(match.2.map { $0.dropFirst().dropLast() } ?? "")
      try check(name, value, labels)
      guard values.updateValue(value, forKey: PrometheusSamples.series(name, labels)) == nil else {
        throw Fault("a series twice")
      }
    }

    private func check(_ name: String, _ value: Double, _ labels: [(String, String)]) throws(Fault) {
      let isHistogram = kinds[family] == "histogram"
      let names = isHistogram ? ["_bucket", "_sum", "_count"].map { family + $0 } : [family]
      guard names.contains(name) else { throw Fault("outside its family, after '\(family)'") }
      guard Set(labels.map(\.0)).count == labels.count else { throw Fault("a label twice") }
      if kinds[family] == "counter", value < 0 || !name.hasSuffix("_total") { throw Fault("no counter") }
    }

    private func labels(_ text: Substring) throws(Fault) -> [(String, String)] {
      var labels: [(String, String)] = []
      var rest = text
      while !rest.isEmpty {
        guard let match = rest.prefixMatch(of: /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/) else {
          throw Fault("labels")
        }
        labels.append((String(match.1), String(match.2)))
        rest = rest[match.range.upperBound...]
      }
      return labels
    }
  }
}
