/// JSON's blanks.
@inline(__always) func isBlank(_ byte: UInt8) -> Bool {
  byte <= 0x20 && (1 &<< UInt64(byte)) & 0x1_0000_2600 != 0
}

extension LineWalker {
  /// Checks the value at `at`, which no field reads, to its end.
  @inline(__always) mutating func skip(_ at: Int, isEscaped: Bool) -> Int {
    let start = tokens[at]
    let first = text[start]
    if first == UInt8(ascii: "\"") {
      return isEscaped && !checkEscapes(start, before: tokens[at &+ 1]) ? tokenCount : at &+ 1
    }
    return first | 0x20 == UInt8(ascii: "{")
      ? (isEscaped ? skipEscapedContainer(at) : skipContainer(at)) : skipScalar(start, at)
  }

  /// Checks a number or literal.
  @inline(__always) mutating func skipScalar(_ start: Int, _ at: Int) -> Int {
    let next = tokens[at &+ 1]
    let first = text[start]
    // Most are whole numbers, short and followed at once by a separator.
    if first &- UInt8(ascii: "1") < 9, isDigits(start &+ 1, next) { return at &+ 1 }
    return skipOtherScalar(start, at)
  }

  /// Whether the text up to `end` is digits, when it is at most sixteen bytes; else false.
  @inline(__always) mutating func isDigits(_ start: Int, _ end: Int) -> Bool {
    let count = TextView.nonDigits(text.word(start)).trailingZeroBitCount &>> 3
    if count < 8 { return start &+ count == end }
    return start &+ 8 &+ TextView.nonDigits(text.word(start &+ 8)).trailingZeroBitCount &>> 3 == end
  }

  @inline(never) mutating func skipOtherScalar(_ start: Int, _ at: Int) -> Int {
    let length: Int
    switch text[start] {
    case UInt8(ascii: "t"): length = text.half(start) == 0x6575_7274 ? 4 : 0
    case UInt8(ascii: "n"): length = text.half(start) == 0x6C6C_756E ? 4 : 0
    case UInt8(ascii: "f"): length = text.half(start &+ 1) == 0x6573_6C61 ? 5 : 0
    default:
      return text.number(start, before: tokens[at &+ 1]) == nil ? fail(.invalidNumber, start) : at &+ 1
    }
    let end = start &+ length
    guard length > 0, end == tokens[at &+ 1] || isBlank(text[end]) else { return fail(.invalidValue, start) }
    return at &+ 1
  }

  @inline(never) mutating func skipContainer(_ open: Int) -> Int { skipContainer(open, isEscaped: false) }

  @inline(never) mutating func skipEscapedContainer(_ open: Int) -> Int { skipContainer(open, isEscaped: true) }

  /// Checks an object or array of any depth without recursion.
  @inline(__always) mutating func skipContainer(_ open: Int, isEscaped: Bool) -> Int {
    let (text, tokens) = (text, tokens)
    var at = open
    var depth = 0
    var isObject = false
    // Bit d of the stack: whether the container at depth d is an object.
    var stack = InlineArray<16, UInt64>(repeating: 0)
    while true {
      // Here `at` is an opening bracket.
      let start = tokens[at]
      guard start < lineEnd else { return fail(.endsEarly, start) }
      guard depth < Self.maximumDepth else { return fail(.tooDeep, start) }
      let bit = UInt64(1) &<< UInt64(depth & 63)
      if isObject { stack[depth &>> 6] |= bit } else { stack[depth &>> 6] &= ~bit }
      depth &+= 1
      isObject = text[start] == UInt8(ascii: "{")
      at &+= 1
      var isOpening = false
      if text[tokens[at]] != (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
        at = skipMembers(at, isObject, isEscaped, &isOpening)
        if isOpening { continue }
      }
      // Here `at` is a closing bracket.
      repeat {
        guard text[tokens[at]] == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
          return fail(.expectedCommaOrEnd, tokens[at])
        }
        at &+= 1
        depth &-= 1
        if depth == 0 { return at }
        isObject = stack[depth &>> 6] &>> UInt64(depth & 63) & 1 == 1
        guard text[tokens[at]] == UInt8(ascii: ",") else { continue }
        at = skipMembers(at &+ 1, isObject, isEscaped, &isOpening)
      } while !isOpening
    }
  }

  /// Checks members or elements up to what follows the last one, or up to an opening bracket, which is said.
  @inline(__always) mutating func skipMembers(
    _ first: Int, _ isObject: Bool, _ isEscaped: Bool, _ isOpening: inout Bool
  ) -> Int {
    let (text, tokens) = (text, tokens)
    var at = first
    while true {
      if isObject {
        let key = tokens[at]
        guard text[key] == UInt8(ascii: "\"") else { return fail(.expectedKey, key) }
        let colon = tokens[at &+ 1]
        guard text[colon] == UInt8(ascii: ":") else { return fail(.expectedColon, colon) }
        if isEscaped, !checkEscapes(key, before: colon) { return tokenCount }
        at &+= 2
      }
      let start = tokens[at]
      let byte = text[start]
      if byte == UInt8(ascii: "\"") {
        if isEscaped, !checkEscapes(start, before: tokens[at &+ 1]) { return tokenCount }
        at &+= 1
      } else if byte | 0x20 == UInt8(ascii: "{") {
        isOpening = true
        return at
      } else {
        at = skipScalar(start, at)
      }
      guard text[tokens[at]] == UInt8(ascii: ",") else { return at }
      at &+= 1
    }
  }
}
