import Arrow
import ArrowKernels
import Buffers

/// All events of some users, in the order (user, ts); and their system columns, for reading rows in any order.
final class SortedEvents: EventRows {
  private let chunks: [RecordBatch]
  private let columns: EventColumns
  let rowCount: Int
  /// One buffer: a `RowReference` into `chunks` each.
  private let rows: BufferTable
  private let hasTextUsers: Bool
  private let users: BufferTable
  private let times: BufferTable
  private let seenAt: BufferTable
  private let types: BufferTable
  private let keys: BufferTable
  private let revisions: BufferTable
  private let retracted: BufferTable?
  private let typeRanks: [Int32]

  /// - Parameters:
  ///   - ranges: the rows of each chunk.
  ///   - userRanks: the place in the order of users of each text user's code, Int32 each; nil where users are numbers.
  ///   - typeRanks: the place in the order of names of each event type's code.
  init(
    _ chunks: [RecordBatch], _ ranges: [Range<Int>], _ columns: EventColumns, userRanks: Buffer?, typeRanks: [Int32]
  ) {
    func table(_ column: Int) -> BufferTable { BufferTable(chunks.map { $0.columns[column].values }) }
    let layout = columns.layout
    self.chunks = chunks
    self.columns = columns
    self.typeRanks = typeRanks
    hasTextUsers = userRanks != nil
    users = table(layout.user)
    times = table(layout.ts)
    seenAt = table(layout.seenAt)
    types = table(layout.eventType)
    keys = table(layout.eventKey)
    revisions = table(layout.revision)
    if let column = layout.retracted {
      retracted = BufferTable(chunks.map { $0.columns[column].bits.normalized.buffer })
    } else {
      retracted = nil
    }
    rowCount = ranges.reduce(0) { $0 + $1.count }
    rows = BufferTable([Self.sort(chunks, ranges, layout, userRanks: userRanks)])
  }

  private static func sort(
    _ chunks: [RecordBatch], _ ranges: [Range<Int>], _ layout: EventLayout, userRanks: Buffer?
  ) -> Buffer {
    let rowCount = ranges.reduce(0) { $0 + $1.count }
    var references = BufferBuilder(capacity: rowCount * MemoryLayout<RowReference>.stride)
    for (source, range) in ranges.enumerated() {
      for row in range { references.append(RowReference(source: Int32(source), row: Int32(row))) }
    }
    let parts = zip(chunks, ranges)
    let users = parts.map { chunk, range in
      let users = chunk.columns[layout.user].slice(range)
      guard let userRanks else { return users }
      return ArrowArray(.int32, count: userRanks.byteCount / 4, storage: .fixed(userRanks)).take(users.values)
    }
    let times = parts.map { $0.columns[layout.ts].slice($1) }
    let order = ArrowArray.sortPermutation(chunked: [users, times], rowCount: rowCount)
    return ArrowArray(.int64, count: rowCount, storage: .fixed(references.finish())).take(order).values
  }

  @inline(__always) private func reference(_ index: Int) -> (source: Int, row: Int) {
    let reference = unsafe rows.load(0, index, as: RowReference.self)
    return (Int(reference.source), Int(reference.row))
  }

  /// A number that tells the user of event `index` from all others.
  @inline(__always) func user(_ index: Int) -> Int64 {
    let (source, row) = reference(index)
    if hasTextUsers { return Int64(unsafe users.load(source, row, as: Int32.self)) }
    return unsafe users.load(source, row, as: Int64.self)
  }

  @inline(__always) func entry(_ index: Int) -> EventEntry {
    let (source, row) = reference(index)
    let type = Int(unsafe types.load(source, row, as: Int32.self))
    return unsafe EventEntry(
      ts: times.load(source, row, as: Int64.self), seenAt: seenAt.load(source, row, as: Int64.self),
      eventKey: keys.load(source, row, as: Int64.self), typeRank: typeRanks[type],
      revision: revisions.load(source, row, as: Int32.self),
      row: RowReference(source: Int32(truncatingIfNeeded: source), row: Int32(truncatingIfNeeded: row)),
      isRetracted: isRetracted(source, row))
  }

  @inline(__always) private func isRetracted(_ source: Int, _ row: Int) -> Bool {
    guard let byte = unsafe retracted?.load(source, row &>> 3, as: UInt8.self) else { return false }
    return byte &>> UInt8(truncatingIfNeeded: row & 7) & 1 == 1
  }

  func areEqual(_ a: RowReference, _ b: RowReference) -> Bool {
    let (left, right) = (chunks[Int(a.source)], chunks[Int(b.source)])
    return left.columns.indices.allSatisfy { left.columns[$0].isEqual(Int(a.row), to: right.columns[$0], Int(b.row)) }
  }

  func hash(_ row: RowReference) -> UInt64 { gather(Buffer([row])).contentHashes()[0] }

  /// Some rows, `RowReference` each, as they are to be given out.
  func gather(_ rows: Buffer) -> RecordBatch { columns.decode(RecordBatch.interleave(chunks, rows)) }
}
