import Arrow

/// A name that an expression may read.
package struct ExpressionVariable: Sendable, Hashable {
  /// It may hold dots: `payload.dwell_ms`.
  package var name: String
  package var type: CELType

  package init(_ name: String, _ type: CELType) {
    self.name = name
    self.type = type
  }
}

/// Where names are looked up: a schema's columns, further variables, and the container that shortens names.
struct Scope {
  private var variables: [String: CELType] = [:]
  private var unreadable: [String: DataType] = [:]
  private let containers: [String]

  init(schema: Schema, variables extra: [ExpressionVariable], container: String) {
    for field in schema.fields where variables[field.name] == nil && unreadable[field.name] == nil {
      if let type = CELType(field) { variables[field.name] = type } else { unreadable[field.name] = field.type }
    }
    for variable in extra { variables[variable.name] = variable.type }
    containers = Self.prefixes(of: container)
  }

  /// `a.b.`, `a.` and the empty one, for `a.b`.
  private static func prefixes(of container: String) -> [String] {
    let parts = container.split(separator: ".")
    return (0...parts.count).reversed().map { count in parts.prefix(count).map { "\($0)." }.joined() }
  }

  /// The variable that `name` means: that of the innermost container.
  func find(_ name: String, isAbsolute: Bool) -> ExpressionVariable? {
    for prefix in isAbsolute ? [""] : containers {
      if let type = variables[prefix + name] { return ExpressionVariable(prefix + name, type) }
    }
    return nil
  }

  /// The type of a column that CEL has no values for.
  func unreadableColumn(_ name: String) -> DataType? { unreadable[name] }

  /// What `name` was meant to be, when that can be guessed.
  func nearest(to name: String) -> String? { nearestName(to: name, among: variables.keys.sorted()) }
}

/// The candidate that differs from `name` in the fewest letters, when few enough to be a slip; else one that begins or
/// ends with it.
func nearestName(to name: String, among candidates: [String]) -> String? {
  let limit = max(1, name.utf8.count / 3)
  let ranked = candidates.map { (distance: editDistance(Array(name.utf8), Array($0.utf8)), name: $0) }
  guard let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= limit else {
    return candidates.first { $0.hasSuffix("." + name) || $0.hasPrefix(name + ".") }
  }
  return best.name
}

/// How many insertions, deletions and replacements turn one into the other.
private func editDistance(_ first: [UInt8], _ second: [UInt8]) -> Int {
  var row = Array(0...second.count)
  for (i, left) in first.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, right) in second.enumerated() {
      let cost = diagonal + (left == right ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(cost, row[j] + 1, row[j + 1] + 1)
    }
  }
  return row[second.count]
}
