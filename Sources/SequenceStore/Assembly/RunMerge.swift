import Arrow
import ArrowKernels
import Buffers

/// Merges sorted runs, resolving each user's revisions across all of them.
///
/// Memory holds a batch per run, the batches that rows of the output in hand come from, and one user's rows.
struct RunMerge {
  private let cursors: [RunCursor]
  private let keepsRetractions: Bool
  private let batchRowCount: Int
  /// The most bytes of batches to hold before what is there is given out.
  private let heldByteLimit: Int

  init(
    _ runs: [any RunBatches], _ schema: Schema, _ types: EventTypeRanks, keepsRetractions: Bool, batchRowCount: Int,
    heldByteLimit: Int
  ) throws(AssemblyError) {
    var cursors: [RunCursor] = []
    for run in runs { cursors.append(try RunCursor(run, schema, types)) }
    self.cursors = cursors
    self.keepsRetractions = keepsRetractions
    self.batchRowCount = batchRowCount
    self.heldByteLimit = heldByteLimit
  }

  /// - Returns: how many rows gave way to others.
  func write(_ emit: (RecordBatch) throws -> Void) throws -> Int {
    var queue = CursorQueue(cursors)
    var resolver = RevisionResolver(keepsRetractions: keepsRetractions)
    let held = HeldBatches()
    var entries: [EventEntry] = []
    while !queue.isEmpty {
      entries.removeAll(keepingCapacity: true)
      try queue.takeFirstUser { cursor throws(AssemblyError) in try cursor.takeUser(into: &entries, hold: held.hold) }
      resolver.resolve(&entries, held)
      for entry in entries {
        held.queue(entry.row)
        if held.rowCount == batchRowCount { try emit(held.takeRows()) }
      }
      if held.byteCount > heldByteLimit {
        if held.rowCount > 0 { try emit(held.takeRows()) }
        held.release()
        for cursor in cursors { cursor.heldIndex = nil }
      }
    }
    if held.rowCount > 0 { try emit(held.takeRows()) }
    return resolver.supersededCount
  }
}

/// The batches that rows to be given out lie in.
private final class HeldBatches: EventRows {
  private var batches: [RecordBatch] = []
  private(set) var byteCount = 0
  private var rows = BufferBuilder()

  var rowCount: Int { rows.byteCount / MemoryLayout<RowReference>.stride }

  func hold(_ batch: RecordBatch) -> Int32 {
    batches.append(batch)
    byteCount += batch.byteCount
    return Int32(batches.count - 1)
  }

  func queue(_ row: RowReference) { rows.append(row) }

  func takeRows() -> RecordBatch { RecordBatch.interleave(batches, rows.take()).compacted() }

  /// Lets all batches go; no row is queued.
  func release() {
    batches = []
    byteCount = 0
  }

  func areEqual(_ a: RowReference, _ b: RowReference) -> Bool {
    let (left, right) = (batches[Int(a.source)], batches[Int(b.source)])
    return zip(left.columns, right.columns).allSatisfy { $0.isEqual(Int(a.row), to: $1, Int(b.row)) }
  }

  func hash(_ row: RowReference) -> UInt64 {
    batches[Int(row.source)].slice(Int(row.row)..<Int(row.row) + 1).compacted().contentHashes()[0]
  }
}

/// Cursors by their current user: a binary heap.
private struct CursorQueue {
  private var heap: [RunCursor] = []

  init(_ cursors: [RunCursor]) {
    for cursor in cursors where cursor.batch != nil { insert(cursor) }
  }

  var isEmpty: Bool { heap.isEmpty }

  /// Calls `take`, which moves the cursor on, for every cursor that stands at the first user.
  mutating func takeFirstUser(_ take: (RunCursor) throws(AssemblyError) -> Void) throws(AssemblyError) {
    let user = heap[0].user
    while let first = heap.first, first.user == user {
      try take(first)
      if first.batch == nil {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
      }
      if !heap.isEmpty { sink() }
    }
  }

  private mutating func insert(_ cursor: RunCursor) {
    heap.append(cursor)
    var place = heap.count - 1
    while place > 0, heap[place].user < heap[(place - 1) / 2].user {
      heap.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  /// Puts the first cursor where it belongs.
  private mutating func sink() {
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count && heap[child].user < heap[least].user {
        least = child
      }
      if least == place { return }
      heap.swapAt(place, least)
      place = least
    }
  }
}
