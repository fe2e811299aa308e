import Buffers
import JSONText
import NIOCore
import NIOHTTP1

/// What a request is about, as far as a route needs it.
package struct HTTPQuestion: Sendable {
  package var method: HTTPMethod
  /// The decoded segments of the path.
  package var path: [String]
  /// The decoded query; of a repeated name the last value.
  package var query: [String: String]
  package var accept: String

  /// - Returns: nil when the target is not a path with well-formed escapes.
  package init?(_ head: HTTPRequestHead) {
    let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts[0].hasPrefix("/") else { return nil }
    method = head.method
    var path: [String] = []
    for segment in parts[0].split(separator: "/", omittingEmptySubsequences: true) {
      guard let text = percentDecoded(segment) else { return nil }
      path.append(text)
    }
    self.path = path
    var query: [String: String] = [:]
    for pair in parts.count > 1 ? parts[1].split(separator: "&") : [] {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = percentDecoded(sides[0]), let value = percentDecoded(sides.count > 1 ? sides[1] : "") else {
        return nil
      }
      query[name] = value
    }
    self.query = query
    accept = head.headers["accept"].joined(separator: ",")
  }
}

/// Undoes `%41` escapes; nil when one is broken or the bytes are no UTF-8.
/// - Source: RFC 3986, 2.1; a `+` in a query stands for itself.
func percentDecoded(_ text: Substring) -> String? {
  guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
  var bytes: [UInt8] = []
  var rest = text.utf8[...]
  while let byte = rest.popFirst() {
    guard byte == UInt8(ascii: "%") else {
      bytes.append(byte)
      continue
    }
    guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else { return nil }
    bytes.append(high << 4 | low)
  }
  return String(validating: bytes, as: UTF8.self)
}

private func hexDigit(_ byte: UInt8) -> UInt8? { Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init) }

/// A response, whole.
package struct HTTPAnswer: Sendable {
  package var status: HTTPResponseStatus
  package var contentType: String
  package var body: Buffer
  package var headers: [(name: String, value: String)] = []

  package init(_ status: HTTPResponseStatus, contentType: String, body: Buffer) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }

  package init(_ status: HTTPResponseStatus = .ok, json: JSONValue) {
    self.init(status, contentType: "application/json", text: json.text + "\n")
  }

  package init(_ status: HTTPResponseStatus = .ok, contentType: String = "text/plain; charset=utf-8", text: String) {
    self.init(status, contentType: contentType, body: Buffer(Array(text.utf8)))
  }

  /// An error that a client can act on.
  package init(_ status: HTTPResponseStatus, error message: String) {
    self.init(status, json: ["error": .string(message), "status": .integer(Int64(status.code))])
  }
}
