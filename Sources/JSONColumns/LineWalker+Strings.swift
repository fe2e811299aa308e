extension LineWalker {
  /// Resolves the escapes of the string between two quotes into `target`, which has room for as many bytes as the text
  /// has; without a target only checks them. Half of a surrogate pair alone becomes U+FFFD.
  /// - Returns: the number of bytes, or -1 after `fail`.
  @inline(never) mutating func unescape(_ open: Int, _ close: Int, into target: UnsafeMutablePointer<UInt8>?) -> Int {
    var count = 0
    var offset = open + 1
    func put(_ byte: UInt8) {
      if let target = unsafe target { unsafe target[count] = byte }
      count += 1
    }
    while offset < close {
      let byte = text[offset]
      guard byte == UInt8(ascii: "\\") else {
        put(byte)
        offset += 1
        continue
      }
      let letter = text[offset + 1]
      if letter == UInt8(ascii: "u") {
        guard let (scalar, length) = unicodeEscape(offset, close) else { return badEscape(offset) }
        for unit in UTF8.encode(scalar)! { put(unit) }
        offset += length
      } else {
        guard let plain = Self.simpleEscape(letter) else { return badEscape(offset) }
        put(plain)
        offset += 2
      }
    }
    return count
  }

  private mutating func badEscape(_ offset: Int) -> Int {
    _ = fail(.invalidEscape, offset)
    return -1
  }

  private static func simpleEscape(_ letter: UInt8) -> UInt8? {
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: nil
    }
  }

  /// The scalar of the `\u` escape at `offset`, or of the surrogate pair that begins there, and how long its text is.
  private mutating func unicodeEscape(_ offset: Int, _ close: Int) -> (Unicode.Scalar, Int)? {
    guard let first = hex(offset + 2, close) else { return nil }
    if let scalar = Unicode.Scalar(first) { return (scalar, 6) }
    if first < 0xDC00, text[offset + 6] == UInt8(ascii: "\\"), text[offset + 7] == UInt8(ascii: "u"),
      let second = hex(offset + 8, close), (0xDC00..<0xE000).contains(second)
    {
      return (Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))!, 12)
    }
    return ("\u{FFFD}", 6)
  }

  private mutating func hex(_ start: Int, _ close: Int) -> UInt32? {
    guard start + 4 <= close else { return nil }
    var value: UInt32 = 0
    for offset in start..<start + 4 {
      let byte = text[offset]
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - 0x30)
      case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
        value = value << 4 | UInt32((byte | 0x20) - 0x57)
      default: return nil
      }
    }
    return value
  }

  /// Checks the escapes of a string that no field reads.
  @inline(never) mutating func checkEscapes(_ open: Int, before next: Int) -> Bool {
    let close = closingQuote(open, before: next)
    guard text.hasEscape(open, close) else { return true }
    return unsafe unescape(open, close, into: nil) >= 0
  }

  /// Reads a member whose key holds escapes, has fewer than two bytes or stands off its colon; its value is at `at`.
  @inline(never) mutating func oddMember(_ node: Int, _ key: Int, _ at: Int, _ row: Int) -> Int {
    let close = closingQuote(key, before: tokens[at &- 1])
    var name = [UInt8](repeating: 0, count: close - key)
    var count = 0
    unsafe name.withUnsafeMutableBufferPointer { room in
      count = unsafe unescape(key, close, into: room.baseAddress)
    }
    guard count >= 0 else { return tokenCount }
    for child in plan.children[node] where plan.keys[child].elementsEqual(name.prefix(count)) {
      return value(child, at, row)
    }
    return skip(at, isEscaped: isEscaped)
  }

  @inline(never) mutating func escapedString(_ column: Int, _ open: Int, _ close: Int, _ row: Int) -> Bool {
    let count = unsafe unescape(open, close, into: slots[column].room())
    guard count >= 0 else { return false }
    slots[column].end += count
    slots[column].mark(row)
    return true
  }
}
