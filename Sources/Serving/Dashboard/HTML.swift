/// Markup: text that was escaped, or written as markup in the source.
struct HTML: ExpressibleByStringInterpolation, Sendable {
  private(set) var markup: String

  init(stringLiteral value: String) { markup = value }
  init(stringInterpolation: StringInterpolation) { markup = stringInterpolation.markup }

  /// Interpolated values are escaped, unless they are markup.
  struct StringInterpolation: StringInterpolationProtocol {
    var markup = ""

    init(literalCapacity: Int, interpolationCount: Int) { markup.reserveCapacity(literalCapacity * 2) }

    mutating func appendLiteral(_ literal: String) { markup += literal }
    mutating func appendInterpolation(_ value: HTML) { markup += value.markup }
    mutating func appendInterpolation(_ values: [HTML]) { for value in values { markup += value.markup } }
    mutating func appendInterpolation(_ value: HTML?) { markup += value?.markup ?? "" }
    mutating func appendInterpolation(_ value: Int) { markup += String(value) }
    mutating func appendInterpolation(_ text: some StringProtocol) { markup += HTML.escaped(text) }
  }

  /// - Source: HTML Living Standard, 13.3; safe in text and in quoted attributes.
  static func escaped(_ text: some StringProtocol) -> String {
    var escaped = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.unicodeScalars.append(character)
      }
    }
    return escaped
  }
}
