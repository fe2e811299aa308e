import NIOHTTP1

/// How a body is compressed on its way.
enum ContentCoding: String {
  case zstd, gzip

  /// Bodies of fewer bytes stay as they are: nothing would be won.
  static let minimumByteCount = 1 << 10

  /// The coding that a client wants most; nil for none. zstd before gzip when it does not care.
  /// - Source: RFC 9110, 12.5.3.
  init?(accepted headers: HTTPHeaders, byteCount: Int?) {
    let texts = headers["accept-encoding"]
    if texts.isEmpty { return nil }
    let weights = Self.weights(texts)
    let identity = weights["identity"] ?? (weights["*"] == 0 ? 0 : 1)
    if let byteCount, byteCount < Self.minimumByteCount, identity > 0 { return nil }
    let zstd = weights["zstd"] ?? weights["*"] ?? 0
    let gzip = weights["gzip"] ?? weights["x-gzip"] ?? weights["*"] ?? 0
    guard max(zstd, gzip) > 0 else { return nil }
    // Who asks for a coding and says nothing of none at all wants the coding.
    if let identity = weights["identity"], identity > max(zstd, gzip) { return nil }
    self = zstd >= gzip ? .zstd : .gzip
  }

  /// The weights by coding, in lower case; a malformed one counts as 0.
  private static func weights(_ texts: [String]) -> [String: Double] {
    var weights: [String: Double] = [:]
    for item in texts.lazy.flatMap({ $0.utf8.split(separator: UInt8(ascii: ",")) }) {
      let parts = item.split(separator: UInt8(ascii: ";")).map { Substring($0.trimmingSpaces) }
      guard let coding = parts.first, !coding.isEmpty else { continue }
      weights[coding.lowercased()] = weight(parts.dropFirst())
    }
    return weights
  }

  private static func weight(_ parameters: ArraySlice<Substring>) -> Double {
    guard let text = parameters.first(where: { $0.lowercased().hasPrefix("q=") }) else { return 1 }
    guard let weight = Double(text.dropFirst(2)), (0...1).contains(weight) else { return 0 }
    return weight
  }
}

extension Substring.UTF8View {
  fileprivate var trimmingSpaces: Self {
    func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
    var text = drop(while: isSpace)
    while let last = text.last, isSpace(last) { text.removeLast() }
    return text
  }
}
