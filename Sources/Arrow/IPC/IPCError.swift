/// Why bytes are no Arrow IPC stream, or none that is read here.
public struct IPCError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: Hashable, Sendable {
    /// The stream ends where `missing` more bytes belong.
    case truncated(missing: Int)
    /// The flatbuffer of a message breaks its own format or Arrow's schema of it.
    case malformedMetadata(String)
    case unsupportedVersion(Int)
    case unsupportedType(String)
    case unsupportedMessage(String)
    /// Data before the schema, or a second schema.
    case misplacedMessage(String)
    case trailingBytes(Int)
    case nestingTooDeep(limit: Int)
    /// A count of values that is negative, or beyond 2^31 - 1.
    case valueCount(Int64)
    case nullCount(Int64)
    case columnCount(expected: Int, found: Int)
    case bufferOutOfBounds(offset: Int64, byteCount: Int64, bodyByteCount: Int)
    case bufferTooShort(expected: Int, found: Int)
    /// Offsets that fall, begin below zero or end beyond the `limit` bytes or values that they point into.
    case offsets(limit: Int)
    case offsetsBeyond2GiB(Int64)
    case childCount(expected: Int, found: Int)
    case dictionaryMissing(id: Int64)
    case dictionaryUnknown(id: Int64)
    case dictionaryConflict(id: Int64)
    case dictionaryIndex(valueCount: Int)
    case runEnds(valueCount: Int)
    case unsupportedCompression(String)
    case corruptCompression(String)
    case notUTF8
    /// Decoding would take more memory than allowed.
    case memoryLimit(byteCount: Int)
  }

  public var reason: Reason
  /// Where in the stream: the message, or the buffer in its body.
  public var byteOffset: Int
  public var field: String?

  public init(_ reason: Reason, byteOffset: Int, field: String? = nil) {
    self.reason = reason
    self.byteOffset = byteOffset
    self.field = field
  }

  public var description: String {
    "byte \(byteOffset)" + (field.map { ", field '\($0)'" } ?? "") + ": \(reason)"
  }
}

extension IPCError.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .truncated(let missing): "the stream is cut short by \(missing) bytes or more"
    case .malformedMetadata(let what): "the message's metadata is malformed: \(what)"
    case .unsupportedVersion(let version): "metadata version V\(version + 1) is unsupported; write V4 or V5"
    case .unsupportedType(let name): "type \(name) is unsupported; cast it before writing"
    case .unsupportedMessage(let name): "messages of kind \(name) are unsupported"
    case .misplacedMessage(let name): "a message of kind \(name) does not belong here"
    case .trailingBytes(let count): "\(count) bytes follow the end of the stream"
    case .nestingTooDeep(let limit): "types are nested deeper than \(limit)"
    case .valueCount(let count): "a count of \(count) values is outside 0...2147483647; write smaller batches"
    case .nullCount(let count): "a null count of \(count) is outside the count of values"
    case .columnCount(let expected, let found): "a batch has \(found) arrays or buffers where \(expected) belong"
    case .bufferOutOfBounds(let offset, let byteCount, let body):
      "a buffer of \(byteCount) bytes at \(offset) lies outside its body of \(body) bytes"
    case .bufferTooShort(let expected, let found): "a buffer has \(found) bytes where \(expected) belong"
    case .offsets(let limit): "offsets are not ascending within 0...\(limit)"
    case .offsetsBeyond2GiB(let offset): "64-bit offset \(offset) is beyond 2 GiB; write smaller batches"
    case .childCount(let expected, let found): "a child has \(found) values where \(expected) belong"
    case .dictionaryMissing(let id): "dictionary \(id) was not sent before its use"
    case .dictionaryUnknown(let id): "dictionary \(id) belongs to no field"
    case .dictionaryConflict(let id): "dictionary \(id) belongs to fields of different types"
    case .dictionaryIndex(let count): "an index is outside its dictionary of \(count) values"
    case .runEnds(let count): "the ends of runs do not ascend to \(count)"
    case .unsupportedCompression(let name): "\(name) compression of buffers is unsupported; write zstd or none"
    case .corruptCompression(let name): "a \(name) buffer does not decompress to the size it states"
    case .notUTF8: "text is not UTF-8"
    case .memoryLimit(let limit): "decoding takes more than \(limit) bytes beyond the stream itself"
    }
  }
}
