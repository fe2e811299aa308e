import Buffers
import Synchronization

/// A body that is there, in pieces.
final class BufferSlices: HTTPChunks {
  private let bytes: Buffer
  private let pieceByteCount: Int
  private let offset = Mutex(0)

  init(_ bytes: Buffer, byteCount: Int) {
    self.bytes = bytes
    pieceByteCount = byteCount
  }

  func next() -> Buffer? {
    offset.withLock { offset in
      let end = min(offset + pieceByteCount, bytes.byteCount)
      defer { offset = end }
      return offset < end ? bytes.slice(offset..<end) : nil
    }
  }
}
