import Definitions
import DeltaLog
import JSONText
import NIOHTTP1

/// The parameters of a request for events: those of a target's query, where everything is text, or of a JSON body, where
/// values have types. What they mean is told by `SequenceQuery` alone.
///
///     query                       body
///     last=100                    "last": 100
///     columns=ts,item_id          "columns": ["ts", "item_id"]
///     caps=save:10,click:5        "caps": {"save": 10, "click": 5}
///     until=2026-11-20T00:00:00Z  "until": "2026-11-20T00:00:00Z", or milliseconds since 1970 as a number
///     degrade=1                   "degrade": true
struct RequestParameters {
  private enum Values {
    case query(HTTPQuery)
    case body([String: JSONValue])
  }

  private let values: Values

  init(query: HTTPQuery) { values = .query(query) }

  init(body: [String: JSONValue]) { values = .body(body) }

  /// - Throws: 400 for one that is not known.
  func check(known: [String]) throws(RequestError) {
    let names =
      switch values {
      case .query(let query): query.names
      case .body(let body): Array(body.keys)
      }
    if let unknown = names.sorted().first(where: { !known.contains($0) }) {
      throw RequestError(
        .badRequest, "there is no parameter '\(unknown)'; use \(known.sorted().joined(separator: ", "))")
    }
  }

  /// What is there under a name.
  private enum Value {
    case text(String)
    case json(JSONValue)

    /// As an error quotes it.
    var quoted: String {
      switch self {
      case .text(let text): text
      case .json(.string(let text)): text
      case .json(let value): value.text
      }
    }
  }

  private func value(_ name: String) -> Value? {
    switch values {
    case .query(let query): query[name].map { .text($0) }
    case .body(let body): body[name].map { .json($0) }
    }
  }

  /// What `read` makes of a value.
  /// - Throws: 400 that says what the value is not, when that is nothing.
  private func parse<T>(_ name: String, _ what: String, _ read: (Value) -> T?) throws(RequestError) -> T? {
    guard let value = value(name) else { return nil }
    guard let parsed = read(value) else { throw RequestError(.badRequest, "\(name) '\(value.quoted)' is \(what)") }
    return parsed
  }

  // MARK: Forms

  func text(_ name: String) throws(RequestError) -> String? {
    try parse(name, "no text") { value in
      switch value {
      case .text(let text): text
      case .json(let value): value.string
      }
    }
  }

  /// A number above 0.
  func count(_ name: String) throws(RequestError) -> Int? {
    try parse(name, "no number above 0") { value in
      switch value {
      case .text(let text): Self.count(text)
      case .json(let value): Self.count(value)
      }
    }
  }

  /// A time in microseconds since 1970.
  func time(_ name: String) throws(RequestError) -> Int64? {
    try parse(name, "neither RFC 3339 nor milliseconds since 1970") { value in
      switch value {
      case .text(let text): Int64(text).flatMap { Self.micros(ofMillis: $0) } ?? CalendarText.micros(text)
      case .json(let value):
        value.whole.flatMap { Self.micros(ofMillis: $0) } ?? value.string.flatMap { CalendarText.micros($0) }
      }
    }
  }

  /// A duration above 0, in microseconds.
  func duration(_ name: String) throws(RequestError) -> Int64? {
    try parse(name, "no duration such as 30d, 12h or 90m") { value in
      let text: String? =
        switch value {
        case .text(let text): text
        case .json(let value): value.string
        }
      return text.flatMap { DurationText.parse($0) }.flatMap { $0 > 0 ? $0 : nil }
    }
  }

  /// True or false; false when it is absent.
  func flag(_ name: String) throws(RequestError) -> Bool {
    try parse(name, "neither 0 nor 1") { value in
      switch value {
      case .text(let text): ["1": true, "0": false][text]
      case .json(let value): value.bool
      }
    } ?? false
  }

  /// One of some words.
  func choice<T>(
    _ name: String, _ words: @autoclosure () -> [(word: String, value: T)]
  ) throws(RequestError) -> T? {
    if value(name) == nil { return nil }
    let words = words()
    let names = words.map(\.word)
    let what = names.count == 2 ? "neither \(names[0]) nor \(names[1])" : "none of \(names.joined(separator: ", "))"
    return try parse(name, what) { value in words.first { $0.word == value.quoted }?.value }
  }

  /// A version of a sequence: its number, or its name and number as in `home_feed@1`.
  func version(_ name: String, of sequence: String) throws(RequestError) -> Int? {
    try parse(name, "no version such as 1 or \(sequence)@1") { value in
      if case .json(let value) = value, value.string == nil { return Self.count(value) }
      let text = value.quoted
      return Self.count(text.hasPrefix(sequence + "@") ? String(text.dropFirst(sequence.count + 1)) : text)
    }
  }

  /// Names, each once.
  func names(_ name: String) throws(RequestError) -> [String]? {
    let names: [String]? = try parse(name, "no list of names") { value in
      switch value {
      case .text(let text): text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      case .json(let value):
        value.array.flatMap { array in
          let names = array.compactMap(\.string)
          return names.count == array.count && !names.isEmpty ? names : nil
        }
      }
    }
    if let names { try Self.checkDistinct(names, in: name) }
    return names
  }

  /// Numbers above 0 by name.
  func counts(_ name: String) throws(RequestError) -> [(name: String, count: Int)]? {
    guard let pairs = try pairs(name, "no list such as click:5,save:10", text: Self.count, json: Self.count) else {
      return nil
    }
    var counts: [(name: String, count: Int)] = []
    for (label, count) in pairs {
      guard let label else { throw RequestError(.badRequest, "\(name) has a number without a name; write click:5") }
      counts.append((label, count))
    }
    return counts
  }

  /// Shares in 0...1: one for all, or by name.
  func shares(_ name: String) throws(RequestError) -> [(name: String?, value: Double)]? {
    try pairs(name, "no share such as 0.95 or item:0.95", text: Self.share, json: Self.share)
  }

  private func pairs<T>(
    _ name: String, _ what: String, text: (String) -> T?, json: (JSONValue) -> T?
  ) throws(RequestError) -> [(name: String?, value: T)]? {
    let pairs: [(name: String?, value: T?)]? = try parse(name, what) { value in
      switch value {
      case .text(let list):
        list.split(separator: ",", omittingEmptySubsequences: false).map { item in
          let sides = item.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
          return sides.count == 1 ? (nil, text(String(item))) : (String(sides[0]), text(String(sides[1])))
        }
      case .json(.object(let members)): members.sorted { $0.key < $1.key }.map { ($0.key, json($0.value)) }
      case .json(let value): [(nil, json(value))]
      }
    }
    guard let pairs else { return nil }
    try Self.checkDistinct(pairs.map { $0.name ?? "" }, in: name)
    var parsed: [(name: String?, value: T)] = []
    for pair in pairs {
      guard let number = pair.value else {
        throw RequestError(.badRequest, "\(name) '\(value(name)!.quoted)' is \(what)")
      }
      parsed.append((pair.name, number))
    }
    return parsed
  }

  private static func checkDistinct(_ names: [String], in parameter: String) throws(RequestError) {
    var seen: Set<String> = []
    for name in names where !seen.insert(name).inserted {
      throw RequestError(.badRequest, "\(parameter) names '\(name)' twice")
    }
  }

  // MARK: Numbers

  private static func count(_ text: String) -> Int? {
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let count = Int(text) else {
      return nil
    }
    return count > 0 ? count : nil
  }

  private static func count(_ value: JSONValue) -> Int? {
    value.whole.flatMap { $0 > 0 ? Int($0) : nil }
  }

  private static func share(_ text: String) -> Double? {
    // Only digits, a point and an exponent: Swift also reads "nan" and "0x1p-2".
    guard text.utf8.allSatisfy(Set("0123456789.eE+-".utf8).contains) else { return nil }
    return Double(text).flatMap { (0...1).contains($0) ? $0 : nil }
  }

  private static func share(_ value: JSONValue) -> Double? {
    value.double.flatMap { (0...1).contains($0) ? $0 : nil }
  }

  private static func micros(ofMillis millis: Int64) -> Int64? {
    let (micros, overflow) = millis.multipliedReportingOverflow(by: 1_000)
    return overflow ? nil : micros
  }
}

extension JSONValue {
  /// A whole number, written with a fraction of 0 or without; nil for another value.
  var whole: Int64? { integer ?? double.flatMap { Int64(exactly: $0) } }
}
