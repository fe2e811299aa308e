import Buffers
import Definitions
import JSONText

/// What the broker says of a message, as far as the source declares it, put into the message's objects as a last member:
/// `,"_kafka":{"key":"u1","headers":{"trace_id":"9f"},"partition":3,"offset":17,"timestamp":1763641000123}`.
///
/// So definitions name it by paths (`_kafka.key`), and a log of such objects reads as the topic did.
package struct KafkaEnvelope: Sendable {
  private static let member = "_kafka"

  /// Names of what is wanted, and whether the value is a number.
  private var wanted: [(name: String, isNumber: Bool)] = []
  private var headers: [(name: String, isNumber: Bool)] = []

  /// - Parameter fields: those of the source.
  package init(fields: [SourceField]) {
    for field in fields {
      let keys = field.path.text.split(separator: ".").map(String.init)
      guard keys.first == Self.member, keys.count >= 2 else { continue }
      let isNumber = field.type.arrowType.isInteger || field.type.arrowType.isFloat
      if keys[1] == "headers", keys.count == 3 {
        headers.append((keys[2], isNumber))
      } else {
        wanted.append((keys[1], isNumber))
      }
    }
  }

  package var isEmpty: Bool { wanted.isEmpty && headers.isEmpty }

  /// The member for a message, without the comma before it.
  func text(_ message: borrowing KafkaMessage) -> String {
    var members: [String: JSONValue] = [:]
    for (name, isNumber) in wanted {
      switch name {
      case "key": if let key = message.key { members[name] = Self.value(key, isNumber: isNumber) }
      case "partition": members[name] = .integer(Int64(message.partition))
      case "offset": members[name] = .integer(message.offset)
      case "timestamp": if let millis = message.timestampMillis { members[name] = .integer(millis) }
      default: break
      }
    }
    if !headers.isEmpty { members["headers"] = .object(headers(message.headers)) }
    return "\"\(Self.member)\":" + JSONValue.object(members).text
  }

  private func headers(_ found: [String: String]) -> [String: JSONValue] {
    let byName = Dictionary(found.map { (Self.fieldName($0.key), $0.value) }) { $1 }
    var members: [String: JSONValue] = [:]
    for (name, isNumber) in headers {
      if let value = byName[name] { members[name] = Self.value(value, isNumber: isNumber) }
    }
    return members
  }

  /// A header's name as paths can have it: what is no letter, digit or `_` becomes `_`.
  private static func fieldName(_ header: String) -> String {
    String(header.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" ? $0 : "_" })
  }

  /// Text of a number as a number where one is declared.
  private static func value(_ text: String, isNumber: Bool) -> JSONValue {
    if isNumber, let integer = Int64(text) { return .integer(integer) }
    if isNumber, let number = Double(text), number.isFinite { return .number(number) }
    return .string(text)
  }

  /// Appends a payload's lines, each with the member put before its closing brace, and a newline.
  ///
  /// A line that does not begin and end as an object does is left as it is, for the decoder to refuse.
  /// - Returns: how many bytes were put into each object.
  static func append(_ payload: UnsafeRawBufferPointer, member: String?, to block: inout BufferBuilder) -> Int {
    guard let member else {
      unsafe block.append(payload.bytes)
      block.append(UInt8(ascii: "\n"))
      return 0
    }
    var start = 0
    while start <= payload.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: payload[start...])
      let end = start + (unsafe rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.count)
      unsafe appendLine(UnsafeRawBufferPointer(rebasing: payload[start..<end]), member, to: &block)
      start = end + 1
    }
    return member.utf8.count + 1
  }

  private static func appendLine(_ line: UnsafeRawBufferPointer, _ member: String, to block: inout BufferBuilder) {
    defer { block.append(UInt8(ascii: "\n")) }
    let first = unsafe line.firstIndex { !isBlank($0) } ?? 0
    guard let last = unsafe line.lastIndex(where: { !isBlank($0) }), last > first,
      unsafe line[first] == UInt8(ascii: "{") && line[last] == UInt8(ascii: "}")
    else { return unsafe block.append(line.bytes) }
    let isEmpty = unsafe line[(first + 1)..<last].allSatisfy(isBlank)
    unsafe block.append(UnsafeRawBufferPointer(rebasing: line[..<last]).bytes)
    block.append(utf8: (isEmpty ? " " : ",") + member + "}")
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
}
