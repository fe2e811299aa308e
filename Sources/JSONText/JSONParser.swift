/// Why a text is not one JSON document, and where.
public struct JSONError: Error, Hashable, CustomStringConvertible {
  public var reason: String
  public var byteOffset: Int

  public var description: String { "byte \(byteOffset): \(reason)" }
}

extension JSONValue {
  /// Deeper nesting is refused, so that no input can exhaust the stack.
  public static let maximumDepth = 512

  /// Parses one document that takes the whole of `text`.
  /// - Source: RFC 8259, strictly; a repeated key is refused.
  public init(parsing text: String) throws(JSONError) { self = try Self.parse(Array(text.utf8)) }

  /// Parses one document that takes the whole of `bytes`, which must be UTF-8.
  public init(parsing bytes: RawSpan) throws(JSONError) {
    self = try Self.parse(unsafe bytes.withUnsafeBytes { unsafe Array($0) })
  }

  private static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
    var parser = JSONParser(bytes: bytes)
    let value = try parser.value(depth: 0)
    parser.skipBlanks()
    guard parser.position == bytes.count else { throw parser.error("text after the end of the document") }
    return value
  }
}

private struct JSONParser {
  let bytes: [UInt8]
  var position = 0

  func error(_ reason: String) -> JSONError { JSONError(reason: reason, byteOffset: position) }

  var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func skipBlanks() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  mutating func take(_ byte: UInt8) -> Bool {
    guard current == byte else { return false }
    position += 1
    return true
  }

  mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < JSONValue.maximumDepth else { throw error("nested deeper than \(JSONValue.maximumDepth)") }
    skipBlanks()
    switch current {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case nil: throw error("the document ends early")
    default: return try number()
    }
  }

  mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
    let end = position + text.utf8CodeUnitCount
    guard end <= bytes.count, bytes[position..<end].elementsEqual("\(text)".utf8) else { throw error("no JSON value") }
    position = end
    return value
  }

  mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    var members: [String: JSONValue] = [:]
    position += 1
    skipBlanks()
    if take(UInt8(ascii: "}")) { return .object(members) }
    repeat {
      skipBlanks()
      guard current == UInt8(ascii: "\"") else { throw error("a key is missing") }
      let key = try string()
      skipBlanks()
      guard take(UInt8(ascii: ":")) else { throw error("':' is missing after key '\(key)'") }
      guard members.updateValue(try value(depth: depth + 1), forKey: key) == nil else {
        throw error("key '\(key)' is repeated")
      }
      skipBlanks()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw error("'}' is missing") }
    return .object(members)
  }

  mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    var elements: [JSONValue] = []
    position += 1
    skipBlanks()
    if take(UInt8(ascii: "]")) { return .array(elements) }
    repeat {
      elements.append(try value(depth: depth + 1))
      skipBlanks()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw error("']' is missing") }
    return .array(elements)
  }

  mutating func string() throws(JSONError) -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = current {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else { throw error("a string is not UTF-8") }
        return string
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<0x20: throw error("a control character in a string")
      default: text.append(byte)
      }
    }
    throw error("a string does not end")
  }

  mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    guard let byte = current else { throw error("a string does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text.append(contentsOf: String(Character(try scalar())).utf8)
    default: throw error("'\\' before a character that cannot be escaped")
    }
  }

  /// The scalar of one `\u` escape or a surrogate pair of them.
  mutating func scalar() throws(JSONError) -> Unicode.Scalar {
    let first = try hex()
    guard (0xD800..<0xE000).contains(first) else { return Unicode.Scalar(first)! }
    guard first < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw error("a lone surrogate") }
    let second = try hex()
    guard (0xDC00..<0xE000).contains(second) else { throw error("a lone surrogate") }
    return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))!
  }

  mutating func hex() throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error("'\\u' needs four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  mutating func number() throws(JSONError) -> JSONValue {
    let start = position
    var isWhole = true
    _ = take(UInt8(ascii: "-"))
    let leading = position
    guard digits() > 0 else {
      position = start
      throw error("no JSON value")
    }
    guard bytes[leading] != UInt8(ascii: "0") || position == leading + 1 else { throw error("a number begins with 0") }
    if take(UInt8(ascii: ".")) {
      isWhole = false
      guard digits() > 0 else { throw error("a digit is missing after '.'") }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isWhole = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      guard digits() > 0 else { throw error("a digit is missing in an exponent") }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole, let value = Int64(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else { throw error("number \(text) is out of range") }
    return .number(value)
  }

  mutating func digits() -> Int {
    let start = position
    while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
    return position - start
  }
}
