import Arrow
import ArrowKernels
import Buffers

/// Gives sealed segments out in order.
struct AssembledWriter {
  private let segments: EventSegments
  private let keepsRetractions: Bool
  private let batchRowCount: Int

  init(_ segments: EventSegments, keepsRetractions: Bool, batchRowCount: Int) {
    self.segments = segments
    self.keepsRetractions = keepsRetractions
    self.batchRowCount = batchRowCount
  }

  /// - Returns: how many rows gave way to others.
  func write(_ emit: (RecordBatch) throws -> Void) rethrows -> Int {
    segments.seal()
    let permutation = segments.sortPermutation()
    let table = SegmentTable(segments)
    let rows = permutation.span(of: Int32.self)
    var resolver = RevisionResolver(keepsRetractions: keepsRetractions)
    var output = RowQueue(batchRowCount: batchRowCount)
    var entries: [EventEntry] = []
    var index = 0
    while index < rows.count {
      let user = table.user(rows[index])
      entries.removeAll(keepingCapacity: true)
      while index < rows.count, table.user(rows[index]) == user {
        entries.append(table.entry(rows[index]))
        index += 1
      }
      resolver.resolve(&entries, table)
      for entry in entries {
        output.append(entry.row)
        if output.isFull { try emit(segments.gather(output.take())) }
      }
    }
    if !output.isEmpty { try emit(segments.gather(output.take())) }
    return resolver.supersededCount
  }
}

/// Rows of a batch to come.
struct RowQueue: ~Copyable {
  private let batchRowCount: Int
  private var rows: BufferBuilder

  init(batchRowCount: Int) {
    self.batchRowCount = batchRowCount
    rows = BufferBuilder(capacity: batchRowCount * MemoryLayout<RowReference>.stride)
  }

  var count: Int { rows.byteCount / MemoryLayout<RowReference>.stride }
  var isEmpty: Bool { rows.byteCount == 0 }
  var isFull: Bool { count >= batchRowCount }

  mutating func append(_ row: RowReference) { rows.append(row) }

  mutating func take() -> Buffer { rows.take() }
}
