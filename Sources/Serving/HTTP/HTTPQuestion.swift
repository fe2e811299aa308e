import Buffers
import NIOHTTP1

/// What a request is about, as far as a route needs it.
package struct HTTPQuestion: Sendable {
  package var method: HTTPMethod
  /// The decoded segments of the path: none for `/`, and an empty one after each further `/` that nothing follows.
  package var path: [String]
  /// The decoded query; of a repeated name the last value.
  package var query: [String: String]
  package var accept: String
  package var contentType: String
  /// The body of a POST, whole; of other methods it is passed over.
  package var body = Buffer.empty
  /// What the caller may read.
  package var access: Access

  /// - Throws: `RequestError` when the target is not a path with well-formed escapes.
  init(_ head: HTTPRequestHead, access: Access = .everything) throws(RequestError) {
    let parts = try Self.originForm(head.uri).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    method = head.method
    path = try Self.segments(parts[0])
    query = try parts.count > 1 ? Self.parameters(parts[1]) : [:]
    accept = head.headers["accept"].joined(separator: ",")
    contentType = head.headers.first(name: "content-type") ?? ""
    self.access = access
  }

  /// The path and the query of a target: all of it, or what follows scheme and host.
  /// - Source: RFC 9112, 3.2.1 and 3.2.2: servers accept the absolute form, too.
  private static func originForm(_ target: String) throws(RequestError) -> Substring {
    if target.hasPrefix("/") { return target[...] }
    for scheme in ["http://", "https://"] where target.lowercased().hasPrefix(scheme) {
      let rest = target.dropFirst(scheme.count)
      let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
      guard end > rest.startIndex else { break }
      return rest[end...].hasPrefix("/") ? rest[end...] : "/" + rest[end...]
    }
    throw .malformedTarget
  }

  private static func segments(_ path: Substring) throws(RequestError) -> [String] {
    if path == "/" { return [] }
    var segments: [String] = []
    for segment in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      segments.append(try decoded(segment))
    }
    return segments
  }

  private static func parameters(_ text: Substring) throws(RequestError) -> [String: String] {
    var query: [String: String] = [:]
    for pair in text.split(separator: "&") {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      query[try decoded(sides[0])] = try decoded(sides.count > 1 ? sides[1] : "")
    }
    return query
  }

  /// Text without control characters, of which none has a meaning here.
  private static func decoded(_ text: Substring) throws(RequestError) -> String {
    guard let decoded = percentDecoded(text), decoded.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      throw .malformedTarget
    }
    return decoded
  }
}

extension RequestError {
  fileprivate static let malformedTarget = RequestError(.badRequest, "the request's target is malformed")
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

/// The value of one hexadecimal digit.
func hexDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}
