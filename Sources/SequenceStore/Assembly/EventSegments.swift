import Arrow
import ArrowKernels
import Buffers

/// Events in memory, in the order of their arrival: segments of equal row counts, copied out of the batches that brought
/// them so that those can go.
final class EventSegments {
  let columns: EventColumns
  private var pending: [RecordBatch] = []
  private var pendingRowCount = 0
  private var pendingByteCount = 0
  private(set) var segments: [RecordBatch] = []
  private var segmentByteCount = 0
  /// Segments have 2^shift rows, the last one fewer; chosen by the first events' size.
  private(set) var shift = 16
  private(set) var rowCount = 0

  init(_ columns: EventColumns) { self.columns = columns }

  var layout: EventLayout { columns.layout }

  /// How much memory the events take, with what sorting them will need.
  var byteCount: Int {
    segmentByteCount + pendingByteCount + columns.byteCount + rowCount * Self.sortByteCount
  }

  /// The memory that a row takes on average.
  var rowByteCount: Int { max(1, byteCount / max(1, rowCount)) }

  /// Whether the batches not yet copied hold more than a column can, or than is good.
  var isOverfull: Bool { pendingByteCount > 256 << 20 }

  /// Bytes a row that a permutation sort takes for a while.
  private static let sortByteCount = 24
  /// The batches of about this many bytes make a segment.
  private static let segmentTarget = 8 << 20

  func append(_ batch: RecordBatch) throws(AssemblyError) {
    var coded = try columns.encode(batch)
    // Columns are slices of the batch's message: do not keep a large dictionary for small columns beside it.
    if batch.byteCount > 2 * coded.byteCount { coded = coded.copied() }
    pending.append(coded)
    rowCount += coded.rowCount
    pendingRowCount += coded.rowCount
    pendingByteCount += coded.byteCount
    if segments.isEmpty { chooseSegmentSize() }
    while isSegmentSizeKnown && pendingRowCount >= 1 << shift { cut(1 << shift) }
  }

  private var isSegmentSizeKnown = false

  private func chooseSegmentSize() {
    guard pendingByteCount >= Self.segmentTarget || pendingRowCount >= 1 << 16 else { return }
    let bits = Int.bitWidth - pendingRowCount.leadingZeroBitCount - 1
    shift = min(max(bits, 8), 16)
    isSegmentSizeKnown = true
  }

  /// Copies the first `count` pending rows into a segment.
  private func cut(_ count: Int) {
    var parts: [RecordBatch] = []
    var missing = count
    var whole = 0
    while missing > 0 {
      let batch = pending[whole]
      if batch.rowCount > missing {
        parts.append(batch.slice(0..<missing))
        pending[whole] = batch.slice(missing..<batch.rowCount)
        missing = 0
      } else {
        parts.append(batch)
        missing -= batch.rowCount
        whole += 1
      }
    }
    pending.removeSubrange(0..<whole)
    pendingByteCount = pendingByteCount * (pendingRowCount - count) / max(pendingRowCount, 1)
    pendingRowCount -= count
    parts = parts.map(columns.padded)
    let segment = RecordBatch.interleave(parts, rowsByUser(parts, rowCount: count))
    segments.append(segment)
    segmentByteCount += segment.byteCount
  }

  /// All rows of `parts`, `RowReference` each, by user.
  ///
  /// Users are given out in order later: then the rows of a batch lie close together in every segment. Text users lie by
  /// their codes, which only keeps each one's rows together.
  private func rowsByUser(_ parts: [RecordBatch], rowCount: Int) -> Buffer {
    var references = BufferBuilder(capacity: rowCount * MemoryLayout<RowReference>.stride)
    for (source, part) in parts.enumerated() {
      for row in 0..<part.rowCount { references.append(RowReference(source: Int32(source), row: Int32(row))) }
    }
    let users = parts.map { $0.columns[layout.user] }
    let permutation = ArrowArray.sortPermutation(chunked: [users], rowCount: rowCount)
    let inOrder = ArrowArray(.int64, count: rowCount, storage: .fixed(references.finish()))
    return inOrder.take(permutation).values
  }

  /// Ends appending: the rest becomes the last segment.
  func seal() {
    if pendingRowCount > 0 { cut(pendingRowCount) }
    pending = []
    segments = segments.map(columns.padded)
    for coder in columns.coders { coder?.settle() }
  }
}

// MARK: Sealed segments

extension EventSegments {
  /// The rows of all segments by (user, ts), Int32 each.
  func sortPermutation() -> Buffer {
    let users = segments.map { $0.columns[layout.user] }
    let times = segments.map { $0.columns[layout.ts] }
    return ArrowArray.sortPermutation(chunked: [userOrder(users), times], rowCount: rowCount)
  }

  /// Text users' codes are replaced by the users' ranks.
  private func userOrder(_ users: [ArrowArray]) -> [ArrowArray] {
    guard let coder = columns.coders[layout.user] else { return users }
    let ranks = Buffer(Self.ranks(coder.values))
    return users.map { ArrowArray(.int32, count: $0.count, storage: .fixed(ranks)).take($0.values) }
  }

  /// The rank of each event type's code in the order of names.
  func typeRanks() -> [Int32] { columns.coders[layout.eventType].map { Self.ranks($0.values) } ?? [] }

  /// The names of all event types.
  var eventTypes: Set<String> {
    guard let names = columns.coders[layout.eventType]?.values else { return [] }
    return Set((0..<names.count).map(names.string))
  }

  private static func ranks(_ values: ArrowArray) -> [Int32] {
    let order = ArrowArray.sortPermutation([values])
    var ranks = [Int32](repeating: 0, count: values.count)
    for rank in 0..<values.count { ranks[Int(order.load(rank, as: Int32.self))] = Int32(rank) }
    return ranks
  }

  /// Some rows, `RowReference` each, as they are to be given out.
  func gather(_ rows: Buffer) -> RecordBatch { columns.decode(RecordBatch.interleave(segments, rows)) }
}
