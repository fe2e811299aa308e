import Arrow
import ArrowKernels
import Buffers

/// Events in memory, copied out of the batches that brought them so that those can go: in segments of equal row counts in
/// the order of their arrival, and in each segment in the order of users.
///
/// They are taken out a range of users at a time, and what was taken out no longer takes memory.
final class EventSegments {
  let columns: EventColumns
  private var pending: [RecordBatch] = []
  private var pendingRowCount = 0
  private var pendingByteCount = 0
  private var segments: [EventSegment] = []
  private var segmentByteCount = 0
  /// Segments have 2^shift rows, the last one fewer; chosen by the first events' size.
  private var shift = 16
  private(set) var rowCount = 0
  /// Of sealed segments: the last user of each range that is still to be taken out, last range first.
  private var comingRanges: [Int64] = []

  init(_ columns: EventColumns) { self.columns = columns }

  var layout: EventLayout { columns.layout }

  /// How much memory the events take, with what sorting them will need.
  var byteCount: Int {
    segmentByteCount + pendingByteCount + columns.byteCount + (hasTextUsers ? rowCount : 0) * Self.sortByteCount
  }

  private var hasTextUsers: Bool { columns.coders[layout.user] != nil }

  /// The memory that a row takes on average.
  var rowByteCount: Int { max(1, byteCount / max(1, rowCount)) }

  /// Whether the batches not yet copied hold more than a column can, or than is good.
  var isOverfull: Bool { pendingByteCount > 256 << 20 }

  /// Bytes a row that sorting takes for a while where it sorts all rows at once.
  private static let sortByteCount = 24
  /// About so many rows are sorted at once: few enough for a processor's cache.
  private static let rangeRowCount = 1 << 16
  /// A segment's rows go in so many steps while they are given out.
  private static let chunkCount = 4
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
    let segment = EventSegment(parts, rowsByUser(parts, rowCount: count), chunkRowCount: (1 << shift) / Self.chunkCount)
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
    for index in segments.indices { segments[index].mapChunks(columns.padded) }
    for coder in columns.coders { coder?.settle() }
    comingRanges = rangeEnds().reversed()
  }

  /// The last user of each range of about `rangeRowCount` rows, ascending.
  ///
  /// Text users lie by their codes, of which no range is a range of users: theirs is one range of all.
  private func rangeEnds() -> [Int64] {
    if hasTextUsers { return [.max] }
    let step = 64
    let sample = segments.flatMap { $0.users(layout.user, every: step) }.sorted()
    let stride = Self.rangeRowCount / step
    var ends: [Int64] = []
    for place in Swift.stride(from: stride, to: sample.count, by: stride) where ends.last != sample[place] {
      ends.append(sample[place])
    }
    return ends + [.max]
  }
}

// MARK: Sealed segments

extension EventSegments {
  /// Takes out the events of the next users; nil when all are out.
  func takeNextUsers() -> SortedEvents? {
    while let last = comingRanges.popLast() {
      var chunks: [RecordBatch] = []
      var ranges: [Range<Int>] = []
      for index in segments.indices {
        segments[index].take(upTo: last, layout.user) { chunk, rows in
          chunks.append(chunk)
          ranges.append(rows)
        }
      }
      if !chunks.isEmpty {
        return SortedEvents(chunks, ranges, columns, userRanks: userRanks, typeRanks: typeRanks)
      }
    }
    return nil
  }

  /// The rank of each text user's code in the order of users; nil where users are numbers.
  private var userRanks: Buffer? { columns.coders[layout.user].map { Buffer(Self.ranks($0.values)) } }

  /// The rank of each event type's code in the order of names.
  private var typeRanks: [Int32] { columns.coders[layout.eventType].map { Self.ranks($0.values) } ?? [] }

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
}
