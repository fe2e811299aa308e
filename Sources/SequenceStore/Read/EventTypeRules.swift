import Arrow

/// What a request wants of each event type, by numbers instead of names.
struct EventTypeRules {
  private struct Rule {
    var name: String
    var isAsked: Bool
    /// Events that may be given out.
    var cap: Int
    /// Events that were.
    var count = 0
  }

  private let caps: [String: Int]
  private let asked: Set<String>?
  private var rules: [Rule] = []

  init(_ request: SequenceRequest) { (caps, asked) = (request.caps, request.eventTypes) }

  /// Whether no event is left out for its type: the request says nothing of types.
  var areAllAsked: Bool { caps.isEmpty && asked == nil }

  /// What events have where types do not matter.
  static let none: Int32 = -1

  mutating func number(of name: String) -> Int32 {
    if let known = rules.firstIndex(where: { $0.name == name }) { return Int32(known) }
    rules.append(
      Rule(name: name, isAsked: asked?.contains(name) ?? true, cap: caps[name] ?? .max))
    return Int32(rules.count - 1)
  }

  /// All names, by their numbers.
  var names: ArrowArray { ArrowArray(rules.map(\.name)) }

  mutating func restart() { for place in rules.indices { rules[place].count = 0 } }

  func isAsked(_ type: Int32) -> Bool { type < 0 || rules[Int(type)].isAsked }

  /// Counts an event that would be given out; false when its type's cap is reached.
  mutating func admit(_ type: Int32) -> Bool {
    guard type >= 0 else { return true }
    if rules[Int(type)].count >= rules[Int(type)].cap { return false }
    rules[Int(type)].count += 1
    return true
  }
}
