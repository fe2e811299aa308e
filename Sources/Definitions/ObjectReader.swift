import JSONText

/// Gathers the faults of a whole reading.
final class Faults {
  private(set) var errors: [DefinitionError] = []

  func add(_ reason: DefinitionError.Reason, at place: DefinitionError.Place) {
    errors.append(DefinitionError(place: place, reason: reason))
  }
}

/// Reads a JSON object member by member; a fault is noted and a placeholder returned, so that all faults are found.
///
/// Every member must be there (null where it may be absent), and no other: `finish` refuses those nobody read.
struct ObjectReader {
  let members: [String: JSONValue]
  let place: DefinitionError.Place
  let faults: Faults
  private var known: [String] = []

  /// - Parameter value: anything; what is no object is one fault and reads as all placeholders.
  init(_ value: JSONValue, at place: DefinitionError.Place, faults: Faults) {
    if case .object(let members) = value {
      self.members = members
      isObject = true
    } else {
      faults.add(.wrongKind(found: value.kind, expected: "an object"), at: place)
      members = [:]
      isObject = false
    }
    self.place = place
    self.faults = faults
  }

  private let isObject: Bool

  /// A member as it is; nil, noted, when it is missing.
  mutating func take(_ name: String) -> JSONValue? {
    known.append(name)
    if let value = members[name] { return value }
    if isObject { faults.add(.missingMember(name), at: place) }
    return nil
  }

  /// Knows a member without reading it.
  mutating func skip(_ name: String) { known.append(name) }

  private func refuse(_ value: JSONValue, as name: String, expected: String) {
    faults.add(.wrongKind(found: value.kind, expected: expected), at: place.at(name))
  }

  mutating func optionalString(_ name: String) -> String? {
    guard let value = take(name), value != .null else { return nil }
    if case .string(let text) = value { return text }
    refuse(value, as: name, expected: "a string")
    return nil
  }

  mutating func string(_ name: String) -> String {
    guard let value = take(name) else { return "" }
    if case .string(let text) = value { return text }
    refuse(value, as: name, expected: "a string")
    return ""
  }

  mutating func optionalInteger(_ name: String, in range: ClosedRange<Int64> = 0...Int64.max) -> Int64? {
    guard let value = take(name), value != .null else { return nil }
    return integer(value, at: place.at(name), in: range)
  }

  mutating func integer(_ name: String, in range: ClosedRange<Int64> = 0...Int64.max) -> Int64 {
    take(name).flatMap { integer($0, at: place.at(name), in: range) } ?? range.lowerBound
  }

  /// A member that is left out where it does not apply.
  mutating func integerIfThere(_ name: String, in range: ClosedRange<Int64>) -> Int64? {
    known.append(name)
    return members[name].flatMap { integer($0, at: place.at(name), in: range) }
  }

  /// The whole number that `value` is; nil, noted, when it is none of the range.
  func integer(_ value: JSONValue, at place: DefinitionError.Place, in range: ClosedRange<Int64>) -> Int64? {
    guard case .integer(let number) = value else {
      faults.add(.wrongKind(found: value.kind, expected: "a whole number"), at: place)
      return nil
    }
    guard range.contains(number) else {
      faults.add(.outOfRange(number, range), at: place)
      return nil
    }
    return number
  }

  mutating func number(_ name: String) -> Double {
    guard let value = take(name) else { return 0 }
    if let number = value.double { return number }
    refuse(value, as: name, expected: "a number")
    return 0
  }

  /// A string that `parse` turns into a value; `expected` says which strings it takes.
  mutating func parsed<Value>(
    _ name: String, _ what: String, expected: @autoclosure () -> String, _ parse: (String) -> Value?
  ) -> Value? {
    guard let value = take(name) else { return nil }
    guard case .string(let text) = value else {
      refuse(value, as: name, expected: "a string")
      return nil
    }
    if let parsed = parse(text) { return parsed }
    faults.add(.malformed(what: what, text: text, expected: expected()), at: place.at(name))
    return nil
  }

  /// The same, or null.
  mutating func optionalParsed<Value>(
    _ name: String, _ what: String, expected: @autoclosure () -> String, _ parse: (String) -> Value?
  ) -> Value? {
    if members[name] == .null {
      known.append(name)
      return nil
    }
    return parsed(name, what, expected: expected(), parse)
  }

  mutating func choice<Value: RawRepresentable & CaseIterable>(_ name: String, _ what: String) -> Value?
  where Value.RawValue == String {
    parsed(name, what, expected: "one of \(list(Value.allCases.map(\.rawValue)))") { Value(rawValue: $0) }
  }

  mutating func optionalChoice<Value: RawRepresentable & CaseIterable>(_ name: String, _ what: String) -> Value?
  where Value.RawValue == String {
    optionalParsed(name, what, expected: "one of \(list(Value.allCases.map(\.rawValue)))") { Value(rawValue: $0) }
  }

  mutating func strings(_ name: String) -> [String] {
    elements(name).compactMap { value, place in
      if case .string(let text) = value { return text }
      faults.add(.wrongKind(found: value.kind, expected: "a string"), at: place)
      return nil
    }
  }

  /// The objects of an array, each read by `read` to its last member.
  mutating func objects<Value>(_ name: String, _ read: (inout ObjectReader) -> Value) -> [Value] {
    elements(name).map { value, place in
      var reader = ObjectReader(value, at: place, faults: faults)
      defer { reader.finish() }
      return read(&reader)
    }
  }

  /// The same for a member that is left out when there are none.
  mutating func objectsIfThere<Value>(_ name: String, _ read: (inout ObjectReader) -> Value) -> [Value] {
    if members[name] == nil {
      skip(name)
      return []
    }
    return objects(name, read)
  }

  /// The object that is a member, or nil for null.
  mutating func optionalObject<Value>(_ name: String, _ read: (inout ObjectReader) -> Value) -> Value? {
    guard let value = take(name), value != .null else { return nil }
    var reader = ObjectReader(value, at: place.at(name), faults: faults)
    defer { reader.finish() }
    return read(&reader)
  }

  /// The same for a member that is left out where it does not apply.
  mutating func objectIfThere<Value>(_ name: String, _ read: (inout ObjectReader) -> Value) -> Value? {
    if members[name] == nil {
      skip(name)
      return nil
    }
    return object(name, read)
  }

  /// The object that is a member; nil, noted, when it is none.
  mutating func object<Value>(_ name: String, _ read: (inout ObjectReader) -> Value) -> Value? {
    guard let value = take(name) else { return nil }
    var reader = ObjectReader(value, at: place.at(name), faults: faults)
    defer { reader.finish() }
    return read(&reader)
  }

  /// Notes a list that is too long or too short.
  func checkCount(_ values: [String], in range: ClosedRange<Int>, _ name: String) {
    if range.contains(values.count) || members[name]?.array == nil { return }
    let limits = Int64(range.lowerBound)...Int64(range.upperBound)
    faults.add(.outOfRange(Int64(values.count), limits), at: place.at(name))
  }

  /// The elements of an array with their places.
  mutating func elements(_ name: String) -> [(JSONValue, DefinitionError.Place)] {
    guard let value = take(name) else { return [] }
    guard case .array(let elements) = value else {
      refuse(value, as: name, expected: "an array")
      return []
    }
    return elements.enumerated().map { ($1, place.at("\(name)[\($0)]")) }
  }

  /// Refuses the members that were not read.
  func finish() {
    for name in members.keys.sorted() where !known.contains(name) {
      faults.add(.unknownMember(name, known: known), at: place)
    }
  }
}

extension JSONValue {
  /// For messages.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .integer, .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object(let members):
      if let type = members["python"]?.string {
        "a Python \(type)"
      } else if let kind = members["ref"]?.string, let name = members["name"]?.string {
        "the \(kind.replacing("_", with: " ")) '\(name)'"
      } else if let kind = members["kind"]?.string {
        withArticle(kind)
      } else {
        members["entries"] == nil ? "an object" : "a dictionary"
      }
    }
  }
}
