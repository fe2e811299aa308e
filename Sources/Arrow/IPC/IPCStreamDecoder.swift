import Buffers

/// What a decoder may do, and what it is given.
public struct IPCDecodingOptions: Sendable {
  /// Decompresses a buffer to exactly `byteCount` bytes; nil when it cannot.
  public typealias Decompressor = @Sendable (_ codec: IPCCodec, _ bytes: Buffer, _ byteCount: Int) -> Buffer?

  /// Whether utf8 values are checked to be UTF-8; without it they are taken at their word.
  public var validatesText: Bool
  /// How many bytes may be allocated beyond the stream itself: for decompressed, narrowed, moved or joined buffers.
  public var maximumByteCount: Int
  /// Absent, compressed buffers are refused.
  public var decompress: Decompressor?

  public init(validatesText: Bool = false, maximumByteCount: Int = 1 << 30, decompress: Decompressor? = nil) {
    self.validatesText = validatesText
    self.maximumByteCount = maximumByteCount
    self.decompress = decompress
  }
}

/// Decodes a complete stream that lies in memory; `IPCStreamEncoder.swift` gives the grammar.
///
/// Arrays share the stream's memory wherever it is aligned and needs no conversion. Offsets, counts and dictionary
/// indices are checked, so that nothing that reads the arrays can leave them. Also read: metadata version 4 (whose
/// messages may lack the leading -1), big-endian streams, 64-bit offsets (narrowed), compressed buffers, dictionaries
/// that grow or are replaced. An end of input between two messages ends the stream too.
public struct IPCStreamDecoder {
  public static func decode(
    _ stream: Buffer, options: IPCDecodingOptions = IPCDecodingOptions()
  ) throws(IPCError) -> (schema: Schema, batches: [RecordBatch]) {
    var decoder = IPCStreamDecoder(stream)
    guard let first = try decoder.nextMessage() else {
      throw IPCError(.truncated(missing: 8), byteOffset: stream.byteCount)
    }
    guard first.kind == .schema else { throw first.misplaced }
    let known = try IPCSchemaCache.read(first)
    let schema = known.schema
    var reader = try IPCBatchReader(
      known.columns, isBigEndian: known.isBigEndian, options: options, byteOffset: first.byteOffset)
    var batches: [RecordBatch] = []
    while let message = try decoder.nextMessage() {
      switch message.kind {
      case .recordBatch: batches.append(try reader.recordBatch(message, schema: schema))
      case .dictionaryBatch: try reader.addDictionary(message)
      case .none, .schema: throw message.misplaced
      case .tensor, .sparseTensor:
        throw IPCError(.unsupportedMessage("\(message.kind)"), byteOffset: message.byteOffset)
      }
    }
    try reader.checkDictionaries()
    return (schema, batches)
  }

  private let stream: Buffer
  private var position = 0

  private init(_ stream: Buffer) { self.stream = stream }

  /// The next message; nil at the end of the stream.
  private mutating func nextMessage() throws(IPCError) -> IPCMessage? {
    let start = position
    if start == stream.byteCount { return nil }
    var byteCount = try word()
    if byteCount == Int32(bitPattern: IPCFormat.continuation) { byteCount = try word() }
    if byteCount == 0 {
      guard position == stream.byteCount else {
        throw IPCError(.trailingBytes(stream.byteCount - position), byteOffset: position)
      }
      return nil
    }
    guard byteCount > 0 else { throw IPCError(.malformedMetadata("its length is negative"), byteOffset: start) }
    let metadata = FlatBuffer(bytes: try take(Int(byteCount)), byteOffset: position - Int(byteCount))
    let (root, bodyByteCount) = try IPCMessage.root(metadata)
    let bodyOffset = position
    return try IPCMessage(metadata, root, body: take(bodyByteCount), bodyOffset: bodyOffset, byteOffset: start)
  }

  private mutating func word() throws(IPCError) -> Int32 {
    Int32(littleEndian: try take(4).load(0, as: Int32.self))
  }

  private mutating func take(_ byteCount: Int) throws(IPCError) -> Buffer {
    let available = stream.byteCount - position
    guard byteCount <= available else {
      throw IPCError(.truncated(missing: byteCount - available), byteOffset: stream.byteCount)
    }
    defer { position += byteCount }
    return stream.slice(position..<position + byteCount)
  }
}

/// A message whose metadata holds together and whose body is all there.
struct IPCMessage {
  let kind: IPCFormat.Message
  let metadata: FlatBuffer
  let header: FlatTable
  let body: Buffer
  let bodyOffset: Int
  let byteOffset: Int

  /// The message's root table, and the byte count of the body that it states.
  static func root(_ metadata: FlatBuffer) throws(IPCError) -> (FlatTable, bodyByteCount: Int) {
    let root = try metadata.root()
    let version = try root.integer(0, default: Int16(0))
    guard version == IPCFormat.metadataV4 || version == IPCFormat.metadataV5 else {
      throw IPCError(.unsupportedVersion(Int(version)), byteOffset: metadata.byteOffset)
    }
    let byteCount = try root.integer(3, default: Int64(0))
    guard byteCount >= 0 else { throw metadata.error("its body has \(byteCount) bytes") }
    return (root, Int(byteCount))
  }

  init(
    _ metadata: FlatBuffer, _ root: FlatTable, body: Buffer, bodyOffset: Int, byteOffset: Int
  ) throws(IPCError) {
    let number = try root.integer(1, default: UInt8(0))
    guard let kind = IPCFormat.Message(rawValue: number) else {
      throw IPCError(.unsupportedMessage("number \(number)"), byteOffset: byteOffset)
    }
    guard let header = try root.table(2) else { throw metadata.error("it has no header") }
    self.kind = kind
    self.metadata = metadata
    self.header = header
    self.body = body
    self.bodyOffset = bodyOffset
    self.byteOffset = byteOffset
  }

  var misplaced: IPCError { IPCError(.misplacedMessage("\(kind)"), byteOffset: byteOffset) }
}
