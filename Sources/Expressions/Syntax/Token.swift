/// A lexical element of CEL.
/// - Source: cel-spec `doc/langdef.md`, "Syntax".
struct Token: Equatable {
  enum Kind: Equatable {
    case identifier(String)
    /// A name in backticks, which may follow a dot alone.
    case quotedIdentifier(String)
    /// Digits without a sign: the sign decides whether the number fits.
    case int(magnitude: UInt64)
    case uint(UInt64)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    /// An operator or a punctuation mark.
    case symbol(String)
    case end
  }

  var kind: Kind
  var range: Range<Int>

  func `is`(_ symbol: String) -> Bool { kind == .symbol(symbol) }

  /// As an error message names it.
  var text: String {
    switch kind {
    case .identifier(let name), .quotedIdentifier(let name): "'\(name)'"
    case .int, .uint, .double: "a number"
    case .string, .bytes: "a text"
    case .symbol(let symbol): "'\(symbol)'"
    case .end: "the end"
    }
  }
}
