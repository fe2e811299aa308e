/// Why bytes are no Parquet file that this module reads, or values none that it writes.
package struct ParquetError: Error, Hashable, Sendable {
  package enum Reason: Hashable, Sendable {
    /// The magic bytes `PAR1` are missing at the start or the end.
    case notParquet
    /// Modular encryption, of the footer or of a column.
    case encrypted
    /// A structure ends before it is whole.
    case truncated(String, needed: Int, available: Int)
    /// A Thrift structure, field or value that the format does not allow.
    case malformed(String)
    /// A required Thrift field is absent.
    case missingField(structure: String, field: String)
    /// Two counts that must be equal.
    case countMismatch(String, expected: Int, actual: Int)
    /// A number outside what the format or the data before it allows.
    case outOfRange(String, value: Int, limit: Int)
    /// A size beyond the reader's limits.
    case limitExceeded(String, value: Int, limit: Int)
    case checksumMismatch(expected: UInt32, actual: UInt32)
    case decompressionFailed(codec: String)
    case invalidSchema(String)
    case unsupportedType(String)
    case unsupportedEncoding(Int)
    case unsupportedCodec(String)
    case unsupported(String)
  }

  package var reason: Reason
  /// The leaf column's dotted path.
  package var column: String?
  /// Where in the file the structure at fault begins.
  package var byteOffset: Int?
  /// The file's name, which its opener adds.
  package var file: String?

  package init(_ reason: Reason, column: String? = nil, byteOffset: Int? = nil, file: String? = nil) {
    self.reason = reason
    self.column = column
    self.byteOffset = byteOffset
    self.file = file
  }

  /// The same error, its empty places filled in.
  package func located(column: String? = nil, byteOffset: Int? = nil, file: String? = nil) -> ParquetError {
    ParquetError(
      reason, column: self.column ?? column, byteOffset: self.byteOffset ?? byteOffset, file: self.file ?? file)
  }
}

extension ParquetError: CustomStringConvertible {
  /// `views/part-0.parquet: byte 4096, column 'surface': encoding 9 is unsupported; rewrite it as PLAIN`
  package var description: String {
    var place: [String] = []
    if let byteOffset { place.append("byte \(byteOffset)") }
    if let column { place.append("column '\(column)'") }
    let parts: [String?] = [file, place.isEmpty ? nil : place.joined(separator: ", "), reason.description]
    return parts.compactMap { $0 }.joined(separator: ": ")
  }
}

extension ParquetError.Reason: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notParquet: "not a Parquet file; check the path and that it was written to its end"
    case .encrypted: "encrypted Parquet is unsupported; decrypt it first"
    case .truncated(let what, let needed, let available):
      "\(what) needs \(needed) bytes and has \(available); the file is cut short or corrupt"
    case .malformed(let what): "malformed \(what); the file is corrupt"
    case .missingField(let structure, let field): "\(structure) lacks its field '\(field)'; the file is corrupt"
    case .countMismatch(let what, let expected, let actual):
      "\(actual) \(what) where \(expected) belong; the file is corrupt"
    case .outOfRange(let what, let value, let limit):
      "\(what) \(value) is outside 0...\(limit); the file is corrupt"
    case .limitExceeded(let what, let value, let limit):
      "\(what) of \(value) exceeds the limit of \(limit); raise the limit if the file is trusted"
    case .checksumMismatch(let expected, let actual):
      "page checksum is \(actual), its header says \(expected); the file is corrupt"
    case .decompressionFailed(let codec): "page is no valid \(codec) data; the file is corrupt"
    case .invalidSchema(let what): "schema: \(what); rewrite the file"
    case .unsupportedType(let name): "type \(name) is unsupported; cast the column before writing it"
    case .unsupportedEncoding(let code): "encoding \(code) is unsupported; rewrite it as PLAIN"
    case .unsupportedCodec(let name): "codec \(name) is unsupported; rewrite it with ZSTD"
    case .unsupported(let what): "\(what) is unsupported; rewrite the file without it"
    }
  }
}
