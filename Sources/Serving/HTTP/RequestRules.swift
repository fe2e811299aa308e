import NIOHTTP1

/// What a request's head must be beyond its grammar, so that nobody between client and server can read it otherwise.
struct RequestRules: Sendable {
  /// Bytes of a target.
  static let maximumTargetLength = 8 << 10
  /// Bytes of one header field.
  static let maximumFieldLength = 16 << 10
  /// Bytes of all header fields.
  static let maximumHeadLength = 64 << 10
  static let maximumFieldCount = 100

  /// Bytes of a body.
  var maximumBodyLength: Int

  /// - Source: RFC 9112, 3.2, 6.1 and 6.3; RFC 9110, 10.1.1.
  func check(_ head: HTTPRequestHead) throws(RequestError) {
    if head.uri.utf8.count > Self.maximumTargetLength {
      throw RequestError(.uriTooLong, "the target has more than \(Self.maximumTargetLength) bytes")
    }
    try checkVersion(head)
    try checkFraming(head)
    if let expectation = head.headers.first(name: "expect"), expectation.lowercased() != "100-continue" {
      throw RequestError(.expectationFailed, "only 100-continue can be expected")
    }
    if head.headers["authorization"].count > 1 {
      throw RequestError(.badRequest, "there is more than one Authorization")
    }
  }

  private func checkVersion(_ head: HTTPRequestHead) throws(RequestError) {
    let version = head.version
    guard version.major == 2 || (version.major == 1 && version.minor <= 1) else {
      throw RequestError(closing: .httpVersionNotSupported, "\(version) is not spoken here; use HTTP/1.1 or HTTP/2")
    }
    let hostCount = head.headers["host"].count
    if hostCount > 1 || (hostCount == 0 && version == .http1_1) {
      throw RequestError(closing: .badRequest, "a request has one Host; this one has \(hostCount)")
    }
  }

  private func checkFraming(_ head: HTTPRequestHead) throws(RequestError) {
    let encodings = head.headers["transfer-encoding"]
    let lengths = head.headers["content-length"]
    if !encodings.isEmpty {
      guard lengths.isEmpty, head.version == .http1_1 else {
        throw RequestError(closing: .badRequest, "Transfer-Encoding stands for itself, and in HTTP/1.1 only")
      }
      guard encodings.count == 1, encodings[0].lowercased() == "chunked" else {
        throw RequestError(closing: .notImplemented, "chunked is the only Transfer-Encoding")
      }
    }
    if lengths.count > 1 { throw RequestError(closing: .badRequest, "there is more than one Content-Length") }
    if let text = lengths.first {
      guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let length = Int(text)
      else {
        throw RequestError(closing: .badRequest, "Content-Length '\(text)' is no length")
      }
      if length > maximumBodyLength { throw bodyTooLong }
    }
    if head.method == .POST, let coding = head.headers.first(name: "content-encoding"), coding != "identity" {
      throw RequestError(.unsupportedMediaType, "bodies cannot be coded; send this one without Content-Encoding")
    }
  }

  var bodyTooLong: RequestError {
    RequestError(closing: .payloadTooLarge, "the body has more than \(maximumBodyLength) bytes; see --max-body")
  }

  /// What a client is told whose bytes are no request.
  static func refusal(of error: HTTPParserError) -> RequestError {
    if case .headerOverflow = error {
      return RequestError(closing: .requestHeaderFieldsTooLarge, "the head is too large")
    }
    return RequestError(closing: .badRequest, "this is no HTTP: \(error.debugDescription)")
  }
}
