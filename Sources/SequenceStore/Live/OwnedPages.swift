import Arrow
import Buffers

/// Moves batches to pages of their own. What shared memory before shares it afterwards.
struct OwnedPages {
  private var moved: [(from: Buffer, to: Buffer)] = []

  /// Smaller buffers stay where they are: the system limits how many mappings a process has.
  private static let leastByteCount = 128 << 10

  /// The same rows in pages of their own.
  mutating func move(_ batch: RecordBatch) -> RecordBatch {
    batch.replacingBuffers { buffer in
      if let known = place(of: buffer) { return known }
      guard buffer.byteCount >= Self.leastByteCount else { return buffer }
      let own = buffer.inOwnPages()
      moved.append((buffer, own))
      return own
    }
  }

  /// The same rows, where they share memory with a batch that was moved, in its pages.
  func follow(_ batch: RecordBatch) -> RecordBatch { batch.replacingBuffers { place(of: $0) ?? $0 } }

  private func place(of buffer: Buffer) -> Buffer? { moved.first { $0.from.isIdentical(to: buffer) }?.to }
}
