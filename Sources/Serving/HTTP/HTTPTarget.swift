/// The target of a request: a path and a query, whose escapes are well-formed.
package struct HTTPTarget: Sendable {
  /// The decoded segments of the path: none for `/`, and an empty one after each further `/` that nothing follows.
  package let path: [String]
  package let query: HTTPQuery

  /// - Throws: `RequestError` when it is not a path with well-formed escapes, or something else is escaped than text.
  package init(_ target: String) throws(RequestError) {
    let bytes = try Self.originForm(target)
    let end = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.count
    path = try Self.segments(bytes, end: end)
    query = try HTTPQuery(bytes, start: min(end + 1, bytes.count))
  }

  /// The path and the query of a target: all of it, or what follows scheme and host.
  /// - Source: RFC 9112, 3.2.1 and 3.2.2: servers accept the absolute form, too.
  private static func originForm(_ target: String) throws(RequestError) -> [UInt8] {
    let bytes = Array(target.utf8)
    if bytes.first == UInt8(ascii: "/") { return bytes }
    for scheme in ["http://", "https://"] where target.lowercased().hasPrefix(scheme) {
      let rest = bytes.dropFirst(scheme.utf8.count)
      let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
      guard end > rest.startIndex else { break }
      return rest[end...].first == UInt8(ascii: "/") ? Array(rest[end...]) : [UInt8(ascii: "/")] + rest[end...]
    }
    throw .malformedTarget
  }

  /// - Parameter end: of the path.
  private static func segments(_ bytes: [UInt8], end: Int) throws(RequestError) -> [String] {
    var segments: [String] = []
    if end <= 1 { return segments }
    segments.reserveCapacity(5)
    var start = 1
    for place in 1...end where place == end || bytes[place] == UInt8(ascii: "/") {
      segments.append(try escapedText(bytes[start..<place]))
      start = place + 1
    }
    return segments
  }
}

/// The parameters of a target's query. What a request says of them is decoded when it is asked for: most of it was said by
/// requests before.
package struct HTTPQuery: Sendable {
  private struct Parameter {
    var name: String
    /// As they were written.
    var whole: Range<Int>
    var value: Range<Int>
  }

  private let bytes: [UInt8]
  private let parameters: [Parameter]

  /// - Throws: when an escape is malformed.
  package init(_ text: String) throws(RequestError) { try self.init(Array(text.utf8), start: 0) }

  fileprivate init(_ bytes: [UInt8], start: Int) throws(RequestError) {
    self.bytes = bytes
    var parameters: [Parameter] = []
    if start < bytes.count { parameters.reserveCapacity(8) }
    var place = start
    while place < bytes.count {
      let parameter = try Self.parameter(bytes, from: place)
      if !parameter.whole.isEmpty { parameters.append(parameter) }
      place = parameter.whole.upperBound + 1
    }
    self.parameters = parameters
  }

  /// The parameter that begins at `start`; nothing before a `&`.
  private static func parameter(_ bytes: [UInt8], from start: Int) throws(RequestError) -> Parameter {
    var (end, mark, isPlain) = (start, -1, true)
    while end < bytes.count {
      let byte = bytes[end]
      if byte == UInt8(ascii: "&") { break }
      if byte == UInt8(ascii: "="), mark < 0 { mark = end }
      isPlain = isPlain && byte != UInt8(ascii: "%") && isPrintable(byte)
      end += 1
    }
    if mark < 0 { mark = end }
    let value = min(mark + 1, end)..<end
    if !isPlain { _ = try escapedText(bytes[value]) }
    return Parameter(name: try escapedText(bytes[start..<mark]), whole: start..<end, value: value)
  }

  /// Of the parameters that are there, in the order of the query.
  var names: [String] { parameters.map(\.name) }

  /// A parameter's value, the last one where it is repeated; empty for a name without one.
  package subscript(name: String) -> String? {
    guard let parameter = parameters.last(where: { $0.name == name }) else { return nil }
    // It was read before, when it was found to be well-formed.
    return try? escapedText(bytes[parameter.value])
  }

  /// What is written of all parameters but some. Equal texts say the same.
  func text(without names: [String]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count)
    for parameter in parameters where !names.contains(parameter.name) {
      text.append(UInt8(ascii: "&"))
      text += bytes[parameter.whole]
    }
    return String(decoding: text, as: UTF8.self)
  }
}

extension RequestError {
  fileprivate static let malformedTarget = RequestError(.badRequest, "the request's target is malformed")
}

/// Undoes `%41` escapes in text without control characters, of which none has a meaning here.
/// - Throws: when an escape is broken, or what is escaped is no such text.
/// - Source: RFC 3986, 2.1; a `+` in a query stands for itself.
private func escapedText(_ bytes: ArraySlice<UInt8>) throws(RequestError) -> String {
  guard bytes.contains(UInt8(ascii: "%")) else {
    guard bytes.allSatisfy(isPrintable) else { throw .malformedTarget }
    return String(decoding: bytes, as: UTF8.self)
  }
  var plain: [UInt8] = []
  var rest = bytes
  while let byte = rest.popFirst() {
    guard byte == UInt8(ascii: "%") else {
      plain.append(byte)
      continue
    }
    guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else {
      throw .malformedTarget
    }
    plain.append(high << 4 | low)
  }
  guard plain.allSatisfy(isPrintable), let text = String(validating: plain, as: UTF8.self) else {
    throw .malformedTarget
  }
  return text
}

private func isPrintable(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F }

/// The value of one hexadecimal digit.
private func hexDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}
