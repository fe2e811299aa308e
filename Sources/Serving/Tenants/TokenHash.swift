import CLibMD

/// The SHA-256 of a token, which must be recognised but not be kept.
package struct TokenHash: Sendable, Hashable {
  private var bytes = SIMD32<UInt8>()

  /// The hash of a token's bytes.
  package init(_ token: some Collection<UInt8>) {
    let token = Array(token)
    var context = SHA2_CTX()
    unsafe SHA256Init(&context)
    unsafe SHA256Update(&context, token, token.count)
    // SAFETY: the digest's 32 bytes are the vector's.
    unsafe withUnsafeMutableBytes(of: &bytes) { digest in
      unsafe SHA256Final(digest.baseAddress!.assumingMemoryBound(to: UInt8.self), &context)
    }
  }

  /// A hash as 64 hexadecimal digits; nil when it is none.
  package init?(hexadecimal text: String) {
    let digits = text.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
    guard digits.count == 64 else { return nil }
    for place in 0..<32 {
      guard let high = digits[2 * place], let low = digits[2 * place + 1] else { return nil }
      bytes[place] = UInt8(high << 4 | low)
    }
  }

  package var hexadecimal: String {
    bytes.indices.map { place in
      let digits = String(bytes[place], radix: 16)
      return bytes[place] < 16 ? "0" + digits : digits
    }.joined()
  }

  /// Whether both are the same, in a time that does not tell how much of them is.
  package func matches(_ other: TokenHash) -> Bool { (bytes ^ other.bytes).max() == 0 }
}
