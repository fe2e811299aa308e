/// Cuts an expression's text into tokens.
struct Lexer {
  let source: [UInt8]
  var position = 0

  init(_ source: [UInt8]) { self.source = source }

  /// All tokens and an `.end`.
  mutating func tokens() throws(ExpressionErrors) -> [Token] {
    var tokens: [Token] = []
    while true {
      skipBlanks()
      guard position < source.count else { break }
      do throws(ExpressionError) { tokens.append(try next()) } catch { throw ExpressionErrors([error]) }
    }
    tokens.append(Token(kind: .end, range: source.count..<source.count))
    return tokens
  }

  func peek(_ ahead: Int = 0) -> UInt8 { position + ahead < source.count ? source[position + ahead] : 0 }

  private mutating func skipBlanks() {
    while position < source.count {
      switch source[position] {
      case 0x20, 0x09, 0x0A, 0x0C, 0x0D: position += 1
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"):
        while position < source.count, source[position] != 0x0A { position += 1 }
      default: return
      }
    }
  }

  private mutating func next() throws(ExpressionError) -> Token {
    let start = position
    let kind: Token.Kind
    if let text = try quotedText() {
      kind = text
    } else if peek().isDigit || (peek() == UInt8(ascii: ".") && peek(1).isDigit) {
      kind = try number()
    } else if peek().isNameStart {
      kind = .identifier(name())
    } else if peek() == UInt8(ascii: "`") {
      kind = try quotedIdentifier()
    } else {
      kind = try symbol()
    }
    return Token(kind: kind, range: start..<position)
  }

  private mutating func name() -> String {
    let start = position
    while peek().isNameStart || peek().isDigit { position += 1 }
    return String(decoding: source[start..<position], as: UTF8.self)
  }

  private mutating func quotedIdentifier() throws(ExpressionError) -> Token.Kind {
    let start = position
    position += 1
    while position < source.count, source[position] != UInt8(ascii: "`") {
      guard source[position].isQuotedName else { throw error(.unexpectedCharacter(character()), from: position) }
      position += 1
    }
    guard position < source.count, position > start + 1 else { throw error(.unterminatedText, from: start) }
    position += 1
    return .quotedIdentifier(String(decoding: source[start + 1..<position - 1], as: UTF8.self))
  }

  private mutating func symbol() throws(ExpressionError) -> Token.Kind {
    let pair = String(decoding: [peek(), peek(1)], as: UTF8.self)
    if ["==", "!=", "<=", ">=", "&&", "||"].contains(pair) {
      position += 2
      return .symbol(pair)
    }
    guard "<>!+-*/%?:()[]{},.".utf8.contains(peek()) else {
      throw error(.unexpectedCharacter(character()), from: position)
    }
    position += 1
    return .symbol(String(decoding: source[position - 1..<position], as: UTF8.self))
  }

  /// The whole character at the position, for a message.
  private func character() -> String {
    String(String(decoding: source[position..<min(position + 4, source.count)], as: UTF8.self).prefix(1))
  }

  func error(_ reason: ExpressionError.Reason, from start: Int) -> ExpressionError {
    ExpressionError(reason, at: start..<max(position, min(start + 1, source.count)), in: source)
  }
}

extension Lexer {
  /// An int, uint or double literal without a sign.
  fileprivate mutating func number() throws(ExpressionError) -> Token.Kind {
    let start = position
    if peek() == UInt8(ascii: "0"), peek(1) | 0x20 == UInt8(ascii: "x"), peek(2).hexValue != nil {
      position += 2
      while peek().hexValue != nil { position += 1 }
      return try integer(source[start + 2..<position], radix: 16, from: start)
    }
    skipDigits()
    let isDouble = skipFraction() || skipExponent()
    guard isDouble else { return try integer(source[start..<position], radix: 10, from: start) }
    _ = skipExponent()
    let text = String(decoding: source[start..<position], as: UTF8.self)
    guard let value = Double(text.first == "." ? "0" + text : text), value.isFinite, !peek().isNameStart else {
      throw error(.invalidNumber(text), from: start)
    }
    return .double(value)
  }

  private mutating func skipDigits() { while peek().isDigit { position += 1 } }

  private mutating func skipFraction() -> Bool {
    guard peek() == UInt8(ascii: "."), peek(1).isDigit else { return false }
    position += 1
    skipDigits()
    return true
  }

  private mutating func skipExponent() -> Bool {
    guard peek() | 0x20 == UInt8(ascii: "e") else { return false }
    let signed = peek(1) == UInt8(ascii: "+") || peek(1) == UInt8(ascii: "-")
    guard peek(signed ? 2 : 1).isDigit else { return false }
    position += signed ? 2 : 1
    skipDigits()
    return true
  }

  private mutating func integer(
    _ digits: ArraySlice<UInt8>, radix: Int, from start: Int
  ) throws(ExpressionError) -> Token.Kind {
    let isUnsigned = peek() | 0x20 == UInt8(ascii: "u")
    if isUnsigned { position += 1 }
    let text = String(decoding: digits, as: UTF8.self)
    guard let value = UInt64(text, radix: radix), !peek().isNameStart else {
      throw error(.invalidNumber(String(decoding: source[start..<position], as: UTF8.self)), from: start)
    }
    return isUnsigned ? .uint(value) : .int(magnitude: value)
  }
}

extension UInt8 {
  var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

  var isNameStart: Bool {
    self == UInt8(ascii: "_") || (self | 0x20 >= UInt8(ascii: "a") && self | 0x20 <= UInt8(ascii: "z"))
  }

  /// Whether backticks may hold it.
  fileprivate var isQuotedName: Bool { isNameStart || isDigit || ".-/ ".utf8.contains(self) }

  var hexValue: UInt32? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(self - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(self - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(self - UInt8(ascii: "A")) + 10
    default: nil
    }
  }
}
