import Buffers

/// Hands out the arrays' counts and buffers of one batch in order.
struct IPCBatchCursor {
  struct Node {
    let count: Int
    let nullCount: Int
  }

  let rowCount: Int
  /// How the buffers are compressed.
  let codec: IPCCodec?
  let byteOffset: Int
  /// Where the buffer handed out last begins in the stream.
  private(set) var bufferOffset: Int
  private let body: Buffer
  private let bodyOffset: Int
  private let nodes: FlatVector
  private let buffers: FlatVector
  private var nextNodeIndex = 0
  private var nextBufferIndex = 0

  init(_ message: IPCMessage, _ batch: FlatTable) throws(IPCError) {
    let count = try batch.integer(0, default: Int64(0))
    guard (0...Int64(Int32.max)).contains(count) else {
      throw IPCError(.valueCount(count), byteOffset: message.byteOffset)
    }
    rowCount = Int(count)
    nodes = try batch.vector(1, elementByteCount: 16)
    buffers = try batch.vector(2, elementByteCount: 16)
    codec = try batch.table(3).map { table throws(IPCError) in try Self.codec(table, message.byteOffset) }
    byteOffset = message.byteOffset
    body = message.body
    bodyOffset = message.bodyOffset
    bufferOffset = message.bodyOffset
  }

  private static func codec(_ table: FlatTable, _ byteOffset: Int) throws(IPCError) -> IPCCodec {
    let number = try table.integer(0, default: UInt8(0))
    guard let codec = IPCCodec(rawValue: number), try table.integer(1, default: UInt8(0)) == 0 else {
      throw IPCError(.unsupportedCompression("number \(number)"), byteOffset: byteOffset)
    }
    return codec
  }

  func error(_ reason: IPCError.Reason, _ column: IPCColumn) -> IPCError {
    IPCError(reason, byteOffset: bufferOffset, field: column.field.name)
  }

  mutating func nextNode(_ column: IPCColumn) throws(IPCError) -> Node {
    guard nextNodeIndex < nodes.count else {
      throw error(.columnCount(expected: nextNodeIndex + 1, found: nodes.count), column)
    }
    let count = try nodes.word(0, of: nextNodeIndex)
    let nullCount = try nodes.word(1, of: nextNodeIndex)
    nextNodeIndex += 1
    guard (0...Int64(Int32.max)).contains(count) else { throw error(.valueCount(count), column) }
    guard (0...count).contains(nullCount) else { throw error(.nullCount(nullCount), column) }
    return Node(count: Int(count), nullCount: Int(nullCount))
  }

  /// The byte count that the next buffer states, without taking it.
  func peekByteCount(_ column: IPCColumn) throws(IPCError) -> Int64 {
    guard nextBufferIndex < buffers.count else {
      throw error(.columnCount(expected: nextBufferIndex + 1, found: buffers.count), column)
    }
    return try buffers.word(1, of: nextBufferIndex)
  }

  /// The next buffer's bytes as they lie in the body.
  mutating func nextBuffer(_ column: IPCColumn) throws(IPCError) -> Buffer {
    let byteCount = try peekByteCount(column)
    let offset = try buffers.word(0, of: nextBufferIndex)
    nextBufferIndex += 1
    let limit = Int64(body.byteCount)
    guard offset >= 0, byteCount >= 0, byteCount <= limit, offset <= limit - byteCount else {
      throw error(.bufferOutOfBounds(offset: offset, byteCount: byteCount, bodyByteCount: body.byteCount), column)
    }
    bufferOffset = bodyOffset + Int(offset)
    return body.slice(Int(offset)..<Int(offset + byteCount))
  }
}
