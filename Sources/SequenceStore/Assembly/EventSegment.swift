import Arrow
import ArrowKernels
import Buffers

/// Events in the order of users, in chunks with memory of their own: a chunk goes when its last row was taken out.
struct EventSegment {
  /// Those that still have rows, last first.
  private var chunks: [RecordBatch]
  /// How many rows of the first chunk were taken out.
  private var position = 0

  /// - Parameter rows: of `parts`, in the order of users; `RowReference` each.
  init(_ parts: [RecordBatch], _ rows: Buffer, chunkRowCount: Int) {
    let chunkByteCount = chunkRowCount * MemoryLayout<RowReference>.stride
    let pieces = stride(from: 0, to: rows.byteCount, by: chunkByteCount).map { start in
      rows.slice(start..<min(start + chunkByteCount, rows.byteCount))
    }
    chunks = RecordBatch.interleave(parts, pieces).reversed()
  }

  var byteCount: Int { chunks.reduce(0) { $0 + $1.byteCount } }

  mutating func mapChunks(_ change: (RecordBatch) -> RecordBatch) { chunks = chunks.map(change) }

  /// The users of some rows, evenly spread.
  /// - Parameter column: Int64 each.
  func users(_ column: Int, every step: Int) -> [Int64] {
    chunks.flatMap { chunk in
      let users = chunk.columns[column].values
      return stride(from: step - 1, to: chunk.rowCount, by: step).map { users.load($0, as: Int64.self) }
    }
  }

  /// Takes out the rows of all users up to `last`: of every user when that is the greatest number there is.
  mutating func take(upTo last: Int64, _ column: Int, _ body: (_ chunk: RecordBatch, _ rows: Range<Int>) -> Void) {
    while let chunk = chunks.last {
      let end = last == .max ? chunk.rowCount : chunk.columns[column].values.endOfUsers(upTo: last)
      if end > position { body(chunk, position..<end) }
      position = end
      if end < chunk.rowCount { return }
      chunks.removeLast()
      position = 0
    }
  }
}

extension Buffer {
  /// The first of ascending Int64s that is greater than `last`.
  fileprivate func endOfUsers(upTo last: Int64) -> Int {
    let users = span(of: Int64.self)
    var (low, high) = (0, users.count)
    while low < high {
      let middle = (low + high) / 2
      if users[middle] <= last { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
