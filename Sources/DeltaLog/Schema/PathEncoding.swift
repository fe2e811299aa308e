/// Percent-encoding of the paths in the log and of partition values in directory names.
/// - Source: RFC 3986 for the log's paths; Hive's `escapePathName` for directory names.
package enum PathEncoding {
  /// `text` with each `%XX` as its byte. A `%` that two hexadecimal digits do not follow stays.
  package static func decode(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
    let bytes = Array(text.utf8)
    var decoded: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count, let high = hex(bytes[index + 1]),
        let low = hex(bytes[index + 2])
      {
        decoded.append(high << 4 | low)
        index += 3
      } else {
        decoded.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  private static func hex(_ byte: UInt8) -> UInt8? { Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) } }

  /// A relative file path as the log wants it: a URI whose reserved bytes are percent-encoded, `/` and `=` are not.
  package static func encode(path: String) -> String { encode(path) { isUnreserved($0) || "/=+:@,".utf8.contains($0) } }

  /// A partition value as part of a directory's name: null is Hive's word for it.
  package static func directoryValue(_ value: String?) -> String {
    guard let value, !value.isEmpty else { return "__HIVE_DEFAULT_PARTITION__" }
    return encode(value) { $0 > 0x7F || isUnreserved($0) || " +@,!()$&;".utf8.contains($0) }
  }

  /// A part of a URL's path, or a value of its query: only commas stand as they are beside what has no meaning anywhere.
  package static func encode(component: String) -> String {
    encode(component) { isUnreserved($0) || $0 == UInt8(ascii: ",") }
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-._~".utf8.contains(byte)
    }
  }

  private static func encode(_ text: String, keeping isKept: (UInt8) -> Bool) -> String {
    var encoded: [UInt8] = []
    for byte in text.utf8 {
      if isKept(byte) { encoded.append(byte) } else { encoded.append(contentsOf: "%\(hexPair(byte))".utf8) }
    }
    return String(decoding: encoded, as: UTF8.self)
  }

  private static func hexPair(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return digits.count == 1 ? "0" + digits : digits
  }

  /// What tells two files apart, whichever way their path was written: decoded, without a `file:` scheme.
  package static func fileKey(_ path: String) -> String {
    let decoded = decode(path)
    guard decoded.hasPrefix("file:") else { return decoded }
    let rest = decoded.dropFirst("file:".count)
    return rest.hasPrefix("///") ? String(rest.dropFirst(2)) : String(rest)
  }
}
