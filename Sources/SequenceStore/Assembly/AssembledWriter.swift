import Arrow
import ArrowKernels
import Buffers

/// Gives the events of segments out in order, and lets each segment's memory go meanwhile.
struct AssembledWriter {
  private let segments: EventSegments
  private let keepsRetractions: Bool
  private let batchRowCount: Int
  private let givesMemoryBack: Bool

  /// - Parameter givesMemoryBack: whether freed memory goes to the system, or is kept for events to come.
  init(_ segments: EventSegments, keepsRetractions: Bool, batchRowCount: Int, givesMemoryBack: Bool) {
    self.segments = segments
    self.keepsRetractions = keepsRetractions
    self.batchRowCount = batchRowCount
    self.givesMemoryBack = givesMemoryBack
  }

  /// - Returns: how many rows gave way to others.
  func write(_ emit: (RecordBatch) throws -> Void) rethrows -> Int {
    segments.seal()
    let rowByteCount = segments.rowByteCount
    var resolver = RevisionResolver(keepsRetractions: keepsRetractions)
    var freedByteCount = 0
    while let events = segments.takeNextUsers() {
      try write(events, &resolver, emit)
      freedByteCount += events.rowCount * rowByteCount
      if givesMemoryBack, freedByteCount >= Self.givenBackByteCount {
        FreedMemory.giveBack()
        freedByteCount = 0
      }
    }
    return resolver.supersededCount
  }

  /// So much at least is given back at once: what is still in use has to be faulted in again each time.
  private static var givenBackByteCount: Int { 32 << 20 }

  private func write(
    _ events: SortedEvents, _ resolver: inout RevisionResolver, _ emit: (RecordBatch) throws -> Void
  ) rethrows {
    var output = RowQueue(batchRowCount: batchRowCount)
    var entries: [EventEntry] = []
    var index = 0
    let rowCount = events.rowCount
    while index < rowCount {
      let user = events.user(index)
      entries.removeAll(keepingCapacity: true)
      while index < rowCount, events.user(index) == user {
        entries.append(events.entry(index))
        index += 1
      }
      resolver.resolve(&entries, events)
      for entry in entries {
        output.append(entry.row)
        if output.isFull { try emit(events.gather(output.take())) }
      }
    }
    if !output.isEmpty { try emit(events.gather(output.take())) }
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
