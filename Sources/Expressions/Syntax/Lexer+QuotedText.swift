extension Lexer {
  /// A string or bytes literal when one begins here: `b`, `r`, one or three quotes.
  mutating func quotedText() throws(ExpressionError) -> Token.Kind? {
    let start = position
    var ahead = 0
    let isBytes = peek() | 0x20 == UInt8(ascii: "b")
    if isBytes { ahead += 1 }
    let isRaw = peek(ahead) | 0x20 == UInt8(ascii: "r")
    if isRaw { ahead += 1 }
    let quote = peek(ahead)
    guard quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
    let isTriple = peek(ahead + 1) == quote && peek(ahead + 2) == quote
    position += ahead + (isTriple ? 3 : 1)
    let content = try text(quote: quote, isTriple: isTriple, isRaw: isRaw, isBytes: isBytes, from: start)
    return isBytes ? .bytes(content) : .string(String(decoding: content, as: UTF8.self))
  }

  /// The content up to the closing quotes, which are consumed.
  private mutating func text(
    quote: UInt8, isTriple: Bool, isRaw: Bool, isBytes: Bool, from start: Int
  ) throws(ExpressionError) -> [UInt8] {
    var content: [UInt8] = []
    while position < source.count {
      let byte = source[position]
      if byte == quote, !isTriple || (peek(1) == quote && peek(2) == quote) {
        position += isTriple ? 3 : 1
        return content
      }
      if !isTriple, byte == 0x0A || byte == 0x0D { break }
      if byte == UInt8(ascii: "\\"), !isRaw {
        try escape(isBytes: isBytes, into: &content)
      } else {
        content.append(byte)
        position += 1
      }
    }
    throw error(.unterminatedText, from: start)
  }

  private mutating func escape(isBytes: Bool, into content: inout [UInt8]) throws(ExpressionError) {
    let start = position
    let kind = peek(1)
    position += 2
    switch kind {
    case UInt8(ascii: "x"), UInt8(ascii: "X"): try code(digits: 2, isBytes, isOctet: true, start, &content)
    case UInt8(ascii: "u"): try code(digits: 4, isBytes, isOctet: false, start, &content)
    case UInt8(ascii: "U"): try code(digits: 8, isBytes, isOctet: false, start, &content)
    case UInt8(ascii: "0")...UInt8(ascii: "3"):
      position -= 1
      try code(digits: 3, radix: 8, isBytes, isOctet: true, start, &content)
    default:
      guard let byte = Self.simpleEscapes[kind] else { throw invalidEscape(from: start) }
      content.append(byte)
    }
  }

  private static let simpleEscapes: [UInt8: UInt8] = [
    UInt8(ascii: "a"): 0x07, UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C, UInt8(ascii: "n"): 0x0A,
    UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09, UInt8(ascii: "v"): 0x0B, UInt8(ascii: "\\"): 0x5C,
    UInt8(ascii: "?"): 0x3F, UInt8(ascii: "\""): 0x22, UInt8(ascii: "'"): 0x27, UInt8(ascii: "`"): 0x60,
  ]

  /// A numeric escape: an octet in bytes, a code point in a string.
  private mutating func code(
    digits: Int, radix: UInt32 = 16, _ isBytes: Bool, isOctet: Bool, _ start: Int, _ content: inout [UInt8]
  ) throws(ExpressionError) {
    var value: UInt32 = 0
    for _ in 0..<digits {
      guard let digit = peek().hexValue, digit < radix, value < 0x1000_0000 else { throw invalidEscape(from: start) }
      value = value * radix + digit
      position += 1
    }
    if isBytes {
      guard isOctet else { throw invalidEscape(from: start) }
      content.append(UInt8(truncatingIfNeeded: value))
    } else {
      guard let scalar = Unicode.Scalar(value) else { throw invalidEscape(from: start) }
      content.append(contentsOf: String(Character(scalar)).utf8)
    }
  }

  private mutating func invalidEscape(from start: Int) -> ExpressionError {
    position = min(max(position, start + 2), source.count)
    return error(.invalidEscape(String(decoding: source[start..<position], as: UTF8.self)), from: start)
  }
}
