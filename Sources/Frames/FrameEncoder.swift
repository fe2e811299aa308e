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
  public let bytes: Buffer
  /// How many rows a data frame holds; nil for a control frame.
  public let rowCount: Int?
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
    case .stored: return EncodedFrame(bytes: StoredFrame.encode(stream), rowCount: rowCount)
    case .level(let level): return EncodedFrame(bytes: Zstd.compress(stream.joined(), level: level), rowCount: rowCount)
    }
  }

  public func encode(_ control: Control) -> EncodedFrame {
    let text = control.json.text
    var bytes = BufferBuilder(capacity: 8 + text.utf8.count)
    bytes.append(ZstdFormat.controlMagic)
    bytes.append(UInt32(text.utf8.count))
    bytes.append(utf8: text)
    return EncodedFrame(bytes: bytes.finish(), rowCount: nil)
  }
}

/// Writes a zstd frame of raw blocks; every byte of the content is copied once.
struct StoredFrame: ~Copyable {
  private var frame: BufferBuilder
  private var hash = XXHash64()
  /// Content bytes still to come.
  private var remaining: Int
  /// Of the block in hand.
  private var blockStart = 0
  private var blockRemaining = 0

  static func encode(_ stream: IPCStreamPieces) -> Buffer {
    var writer = StoredFrame(byteCount: stream.byteCount)
    var position = 0
    for piece in stream.pieces {
      let padding = (IPCStreamPieces.alignment - position % IPCStreamPieces.alignment) % IPCStreamPieces.alignment
      writer.append(Self.zeroes.slice(0..<padding).bytes)
      writer.append(piece.bytes)
      position += padding + piece.byteCount
    }
    return writer.finish()
  }

  private static let zeroes = Buffer(zeroes: IPCStreamPieces.alignment)

  /// Writes the header: single segment, content size, checksum.
  private init(byteCount: Int) {
    let blocks = byteCount / ZstdFormat.blockByteCountLimit + 1
    frame = BufferBuilder(capacity: ZstdFormat.headerByteCountLimit + byteCount + blocks * BlockHeader.byteCount + 4)
    remaining = byteCount
    frame.append(ZstdFormat.magic)
    if byteCount <= Int(UInt32.max) {
      frame.append(UInt8(0b1010_0100))
      frame.append(UInt32(byteCount))
    } else {
      frame.append(UInt8(0b1110_0100))
      frame.append(UInt64(byteCount))
    }
    beginBlock()
  }

  private mutating func beginBlock() {
    blockRemaining = min(remaining, ZstdFormat.blockByteCountLimit)
    let header = BlockHeader.raw(size: blockRemaining, isLast: blockRemaining == remaining)
    frame.append(UInt16(truncatingIfNeeded: header))
    frame.append(UInt8(header >> 16))
    blockStart = frame.byteCount
  }

  private mutating func append(_ bytes: RawSpan) {
    var bytes = bytes
    while !bytes.isEmpty {
      let count = min(bytes.byteCount, blockRemaining)
      frame.append(bytes.extracting(0..<count))
      bytes = bytes.extracting(count..<bytes.byteCount)
      blockRemaining -= count
      remaining -= count
      if blockRemaining == 0 { endBlock() }
    }
  }

  /// Adds the block to the checksum while it is still in the cache.
  private mutating func endBlock() {
    Self.update(&hash, frame, from: blockStart)
    if remaining > 0 { beginBlock() }
  }

  private static func update(_ hash: inout XXHash64, _ frame: borrowing BufferBuilder, from start: Int) {
    hash.update(frame.bytes.extracting(start..<frame.byteCount))
  }

  private consuming func finish() -> Buffer {
    frame.append(UInt32(truncatingIfNeeded: hash.digest()))
    return frame.take()
  }
}
