/// A value of protobuf's text format.
/// - Source: protobuf.dev, "Text Format Language Specification".
indirect enum Textproto {
  case message([(name: String, value: Textproto)])
  /// A string or bytes, adjacent literals joined.
  case text([UInt8])
  /// A number or an identifier, sign included.
  case word(String)

  struct Malformed: Error { var position: Int }

  /// The fields named `name`, in order.
  subscript(all name: String) -> [Textproto] {
    guard case .message(let fields) = self else { return [] }
    return fields.filter { $0.name == name }.map(\.value)
  }

  subscript(name: String) -> Textproto? { self[all: name].first }

  var fieldNames: [String] {
    if case .message(let fields) = self { fields.map(\.name) } else { [] }
  }

  var bytes: [UInt8]? { if case .text(let bytes) = self { bytes } else { nil } }
  var string: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
  var word: String? { if case .word(let word) = self { word } else { nil } }
  var isTrue: Bool { word == "true" }

  static func parse(_ source: [UInt8]) throws -> Textproto {
    var parser = TextprotoParser(source: source)
    return try parser.message(until: nil)
  }
}

private struct TextprotoParser {
  let source: [UInt8]
  var position = 0

  init(source: [UInt8]) { self.source = source }

  mutating func message(until end: UInt8?) throws -> Textproto {
    var fields: [(name: String, value: Textproto)] = []
    while true {
      skipBlanks()
      guard position < source.count else {
        guard end == nil else { throw Textproto.Malformed(position: position) }
        return .message(fields)
      }
      if source[position] == end {
        position += 1
        return .message(fields)
      }
      let name = try fieldName()
      _ = take(":")
      for value in try values() { fields.append((name, value)) }
      if !take(",") { _ = take(";") }
    }
  }

  private mutating func values() throws -> [Textproto] {
    guard take("[") else { return [try value()] }
    var values: [Textproto] = []
    while !take("]") {
      values.append(try value())
      _ = take(",")
    }
    return values
  }

  private mutating func value() throws -> Textproto {
    if take("{") { return try message(until: UInt8(ascii: "}")) }
    if take("<") { return try message(until: UInt8(ascii: ">")) }
    if let quote = peek(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") { return .text(try quoted()) }
    return .word(try word())
  }

  private mutating func fieldName() throws -> String {
    guard take("[") else { return try word() }
    let start = position
    while position < source.count, source[position] != UInt8(ascii: "]") { position += 1 }
    position += 1
    return String(decoding: source[start..<position - 1], as: UTF8.self)
  }

  private mutating func word() throws -> String {
    skipBlanks()
    let start = position
    while position < source.count, Self.isWord(source[position]) { position += 1 }
    guard position > start else { throw Textproto.Malformed(position: position) }
    return String(decoding: source[start..<position], as: UTF8.self)
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "_.+-".utf8.contains(byte)
    }
  }

  private mutating func quoted() throws -> [UInt8] {
    var bytes: [UInt8] = []
    while let quote = peek(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") {
      position += 1
      while position < source.count, source[position] != quote {
        if source[position] == UInt8(ascii: "\\") {
          try escape(into: &bytes)
        } else {
          bytes.append(source[position])
          position += 1
        }
      }
      position += 1
    }
    return bytes
  }

  private mutating func escape(into bytes: inout [UInt8]) throws {
    position += 1
    let kind = source[position]
    switch kind {
    case UInt8(ascii: "0")...UInt8(ascii: "7"): bytes.append(UInt8(truncatingIfNeeded: number(radix: 8, most: 3)))
    case UInt8(ascii: "x"), UInt8(ascii: "X"):
      position += 1
      bytes.append(UInt8(truncatingIfNeeded: number(radix: 16, most: 2)))
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      position += 1
      guard let scalar = Unicode.Scalar(UInt32(number(radix: 16, most: kind == UInt8(ascii: "u") ? 4 : 8))) else {
        throw Textproto.Malformed(position: position)
      }
      bytes += Array(String(Character(scalar)).utf8)
    default:
      let plain: [UInt8: UInt8] = [
        UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10,
        UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9, UInt8(ascii: "v"): 11,
      ]
      bytes.append(plain[kind] ?? kind)
      position += 1
    }
  }

  private mutating func number(radix: Int, most: Int) -> Int {
    var end = position
    while end < source.count, end < position + most,
      Int(String(decoding: [source[end]], as: UTF8.self), radix: radix) != nil
    { end += 1 }
    defer { position = end }
    return Int(String(decoding: source[position..<end], as: UTF8.self), radix: radix) ?? 0
  }

  private mutating func skipBlanks() {
    while position < source.count {
      if source[position] == UInt8(ascii: "#") {
        while position < source.count, source[position] != 0x0A { position += 1 }
      } else if [0x20, 0x09, 0x0A, 0x0D].contains(source[position]) {
        position += 1
      } else {
        return
      }
    }
  }

  private mutating func peek() -> UInt8? {
    skipBlanks()
    return position < source.count ? source[position] : nil
  }

  private mutating func take(_ symbol: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: symbol) else { return false }
    position += 1
    return true
  }
}
