import Arrow
import Buffers
import JSONText

/// How the content of data frames is written.
public enum FrameCompression: Hashable, Sendable {
  /// As it is, in raw blocks: for pipes.
  case stored
  /// By libzstd at a level of 1...22: for files.
  case level(Int)
}

/// A frame ready to be written.
public struct EncodedFrame: Sendable {
  /// One after the other, none empty; large ones are the columns' own memory, which nobody copies together.
  let pieces: [Buffer]
  public let byteCount: Int
  /// How many rows a data frame holds; nil for a control frame.
  public let rowCount: Int?

  init(_ pieces: [Buffer], rowCount: Int?) {
    self.pieces = pieces
    self.rowCount = rowCount
    byteCount = pieces.reduce(0) { $0 + $1.byteCount }
  }

  /// The frame in one buffer.
  public var bytes: Buffer {
    if pieces.count == 1 { return pieces[0] }
    var builder = BufferBuilder(capacity: byteCount)
    for piece in pieces { builder.append(piece) }
    return builder.finish()
  }
}

/// Turns batches and controls into frames; has no state, so that threads may share it.
public struct FrameEncoder: Sendable {
  public let compression: FrameCompression

  public init(compression: FrameCompression) { self.compression = compression }

  public func encode(_ batch: RecordBatch) -> EncodedFrame { encode(schema: batch.schema, batches: [batch]) }

  /// One data frame of all `batches`, which share `schema`.
  public func encode(schema: Schema, batches: [RecordBatch]) -> EncodedFrame {
    let stream = IPCStreamEncoder.pieces(schema: schema, batches: batches)
    let rowCount = batches.reduce(0) { $0 + $1.rowCount }
    switch compression {
    case .stored: return EncodedFrame(StoredFrame.encode(stream), rowCount: rowCount)
    case .level(let level): return EncodedFrame([Zstd.compress(stream.joined(), level: level)], rowCount: rowCount)
    }
  }

  public func encode(_ control: Control) -> EncodedFrame {
    let text = control.json.text
    var bytes = BufferBuilder(capacity: 8 + text.utf8.count)
    bytes.append(ZstdFormat.controlMagic)
    bytes.append(UInt32(text.utf8.count))
    bytes.append(utf8: text)
    return EncodedFrame([bytes.finish()], rowCount: nil)
  }
}

/// Makes a zstd frame of raw blocks out of the stream's pieces: only small ones are copied.
struct StoredFrame: ~Copyable {
  private enum Part {
    /// Bytes of `small`.
    case small(Range<Int>)
    case large(Buffer)
  }

  private var parts: [Part] = []
  /// Headers, padding and small pieces.
  private var small = BufferBuilder(capacity: 16 << 10)
  /// Where those begin that are not yet among the parts.
  private var smallStart = 0
  private var hash = XXHash64()
  /// Content bytes still to come, and those of the block in hand.
  private var remaining: Int
  private var blockRemaining = 0

  /// A piece of fewer bytes is cheaper to copy than to write by itself.
  private static let largeByteCount = 2 << 10

  static func encode(_ stream: IPCStreamPieces) -> [Buffer] {
    var frame = StoredFrame(byteCount: stream.byteCount)
    var position = 0
    for piece in stream.pieces {
      let padding = (IPCStreamPieces.alignment - position % IPCStreamPieces.alignment) % IPCStreamPieces.alignment
      frame.append(Self.zeroes.slice(0..<padding))
      frame.append(piece)
      position += padding + piece.byteCount
    }
    return frame.finish()
  }

  private static let zeroes = Buffer(zeroes: IPCStreamPieces.alignment)

  /// Writes the header: single segment, content size, checksum.
  private init(byteCount: Int) {
    remaining = byteCount
    small.append(ZstdFormat.magic)
    if byteCount <= Int(UInt32.max) {
      small.append(UInt8(0b1010_0100))
      small.append(UInt32(byteCount))
    } else {
      small.append(UInt8(0b1110_0100))
      small.append(UInt64(byteCount))
    }
    beginBlock()
  }

  private mutating func beginBlock() {
    blockRemaining = min(remaining, ZstdFormat.blockByteCountLimit)
    let header = BlockHeader.raw(size: blockRemaining, isLast: blockRemaining == remaining)
    small.append(UInt16(truncatingIfNeeded: header))
    small.append(UInt8(header >> 16))
  }

  private mutating func append(_ bytes: Buffer) {
    var bytes = bytes
    while !bytes.isEmpty {
      let count = min(bytes.byteCount, blockRemaining)
      add(bytes.slice(0..<count))
      bytes = bytes.slice(count..<bytes.byteCount)
      blockRemaining -= count
      remaining -= count
      if blockRemaining == 0, remaining > 0 { beginBlock() }
    }
  }

  /// Adds bytes of one block.
  private mutating func add(_ bytes: Buffer) {
    hash.update(bytes.bytes)
    if bytes.byteCount < Self.largeByteCount {
      small.append(bytes)
    } else {
      endSmall()
      parts.append(.large(bytes))
    }
  }

  private mutating func endSmall() {
    if small.byteCount > smallStart { parts.append(.small(smallStart..<small.byteCount)) }
    smallStart = small.byteCount
  }

  private consuming func finish() -> [Buffer] {
    small.append(UInt32(truncatingIfNeeded: hash.digest()))
    endSmall()
    let bytes = small.take()
    return parts.map { part in
      switch part {
      case .small(let range): bytes.slice(range)
      case .large(let piece): piece
      }
    }
  }
}
