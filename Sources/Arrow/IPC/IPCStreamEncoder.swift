import Buffers

// An Arrow IPC stream:
//
//   stream    schema message, then dictionary and record batches in any order that sends a dictionary before its
//             use, then the end: int32 -1, int32 0
//   message   int32 -1, int32 metadata byte count, metadata, body
//   metadata  a flatbuffer (`FlatBuffer.swift`), filled up so that the body begins at a multiple of 64
//   body      the buffers of the batch's arrays in depth-first order, each filled up to a multiple of 64
//
// Source: Arrow columnar format, "Serialization and Interprocess Communication (IPC)".

/// An encoded stream that still lies in pieces, most of them the arrays' own memory.
public struct IPCStreamPieces: Sendable {
  /// Each begins at the next multiple of `alignment`, zeroes between; none is empty.
  public private(set) var pieces: [Buffer] = []
  /// Of the whole stream.
  public private(set) var byteCount = 0

  public static let alignment = IPCMessageWriter.alignment

  fileprivate mutating func append(_ piece: Buffer) {
    pieces.append(piece)
    byteCount = (byteCount + Self.alignment - 1) / Self.alignment * Self.alignment + piece.byteCount
  }

  /// The stream in one buffer.
  ///
  /// - Parameter isPadded: whether it ends at a multiple of `alignment` too, as a part that others follow must.
  public func joined(isPadded: Bool = false) -> Buffer {
    var builder = BufferBuilder(capacity: byteCount)
    for piece in pieces {
      builder.pad(to: Self.alignment)
      builder.append(piece)
    }
    if isPadded { builder.pad(to: Self.alignment) }
    return builder.finish()
  }
}

/// Encodes record batches of one schema as a stream: all at once, or the schema, each batch and the end in turn.
///
/// A dictionary is sent before the first batch that uses it and again, whole, before a batch that has another.
public struct IPCStreamEncoder {
  private let columns: [IPCColumn]
  private var stream = IPCStreamPieces()
  private var isEnded = false
  /// The dictionaries as last sent, by number.
  private var dictionaries: [ArrowArray?]

  /// Begins a stream, whose first bytes are those of `take()`.
  ///
  /// - Parameters:
  ///   - runs: the names of fields that are written run-end encoded. Their columns are dictionaries, whose indices
  ///     number the runs: each is the one before, or the next.
  ///   - metadata: follows that of the schema, which is written once for many streams.
  public init(_ schema: Schema, runs: Set<String> = [], metadata: [(key: String, value: String)] = []) {
    let written = IPCSchemaCache.written(schema, runs: runs, more: metadata.count)
    columns = written.columns
    dictionaries = Array(repeating: nil, count: written.dictionaryCount)
    stream.append(IPCMessageWriter.schema(written.head, metadata: metadata))
  }

  /// The stream's bytes since the last call; they follow those of that call.
  public mutating func take() -> Buffer {
    defer { stream = IPCStreamPieces() }
    return stream.joined(isPadded: !isEnded)
  }

  /// Ends the stream.
  public mutating func end() {
    stream.append(IPCMessageWriter.end)
    isEnded = true
  }

  /// - Precondition: every batch has the schema's types.
  public static func encode(schema: Schema, batches: [RecordBatch]) -> Buffer {
    pieces(schema: schema, batches: batches).joined()
  }

  /// As `encode(schema:batches:)`, without copying the arrays together.
  public static func pieces(schema: Schema, batches: [RecordBatch]) -> IPCStreamPieces {
    var encoder = IPCStreamEncoder(schema)
    for batch in batches { encoder.append(batch) }
    encoder.end()
    return encoder.stream
  }

  /// - Precondition: the batch has the schema's types.
  public mutating func append(_ batch: RecordBatch) {
    precondition(
      batch.columns.count == columns.count
        && columns.indices.allSatisfy { columns[$0].field.type == batch.columns[$0].type },
      "a batch differs from the stream's schema")
    for index in columns.indices where columns[index].containsDictionary {
      appendDictionaries(columns[index], batch.columns[index])
    }
    let body = IPCBody(batch.columns, as: columns, rowCount: batch.rowCount)
    append(IPCMessageWriter.recordBatch(body), body)
  }

  private mutating func append(_ message: Buffer, _ body: IPCBody) {
    stream.append(message)
    for piece in body.pieces { stream.append(piece) }
  }

  /// Sends the dictionaries of `array` that differ from those sent last, the innermost first.
  private mutating func appendDictionaries(_ column: IPCColumn, _ array: ArrowArray) {
    guard column.containsDictionary else { return }
    guard let id = column.dictionaryID, case .dictionary(_, let values) = array.storage else {
      for (child, values) in zip(column.children, array.children) { appendDictionaries(child, values) }
      return
    }
    appendDictionaries(column.dictionaryValues, values)
    if let last = dictionaries[Int(id)], last.isIdentical(to: values) { return }
    dictionaries[Int(id)] = values
    let body = IPCBody([values], rowCount: values.count)
    append(IPCMessageWriter.dictionaryBatch(body, id: id), body)
  }
}

extension ArrowArray {
  /// Whether both are the same memory; equal values elsewhere do not count.
  func isIdentical(to other: ArrowArray) -> Bool {
    guard count == other.count, nullCount == other.nullCount, type == other.type else { return false }
    switch (validity, other.validity) {
    case (nil, nil): break
    case (let bits?, let others?): if !bits.isIdentical(to: others) { return false }
    default: return false
    }
    switch (storage, other.storage) {
    case (.null, .null): return true
    case (.boolean(let bits), .boolean(let others)): return bits.isIdentical(to: others)
    case (.fixed(let values), .fixed(let others)): return values.isIdentical(to: others)
    case (.variable(let offsets, let data), .variable(let otherOffsets, let otherData)):
      return offsets.isIdentical(to: otherOffsets) && data.isIdentical(to: otherData)
    case (.list(let offsets, let child), .list(let otherOffsets, let otherChild)):
      return offsets.isIdentical(to: otherOffsets) && child.isIdentical(to: otherChild)
    case (.fixedSizeList(let child), .fixedSizeList(let otherChild)): return child.isIdentical(to: otherChild)
    case (.structure(let children), .structure(let others)):
      return zip(children, others).allSatisfy { $0.isIdentical(to: $1) }
    case (.dictionary(let indices, let values), .dictionary(let otherIndices, let otherValues)):
      return indices.isIdentical(to: otherIndices) && values.isIdentical(to: otherValues)
    default: return false
    }
  }
}

extension Bitmap {
  fileprivate func isIdentical(to other: Bitmap) -> Bool {
    bitOffset == other.bitOffset && buffer.isIdentical(to: other.buffer)
  }
}
