import Arrow
import ArrowKernels
import Buffers

/// The system columns of sealed segments, for reading rows in any order.
final class SegmentTable: EventRows {
  private let segments: EventSegments
  private let shift: Int
  private let mask: Int
  private let hasTextUsers: Bool
  private let users: BufferTable
  private let times: BufferTable
  private let seenAt: BufferTable
  private let types: BufferTable
  private let keys: BufferTable
  private let revisions: BufferTable
  private let retracted: BufferTable?
  private let typeRanks: [Int32]

  init(_ segments: EventSegments) {
    func table(_ column: Int) -> BufferTable { BufferTable(segments.segments.map { $0.columns[column].values }) }
    let layout = segments.layout
    self.segments = segments
    shift = segments.shift
    mask = 1 << segments.shift - 1
    hasTextUsers = segments.columns.schema.fields[layout.user].type.valueType == .utf8
    users = table(layout.user)
    times = table(layout.ts)
    seenAt = table(layout.seenAt)
    types = table(layout.eventType)
    keys = table(layout.eventKey)
    revisions = table(layout.revision)
    if let column = layout.retracted {
      retracted = BufferTable(segments.segments.map { $0.columns[column].bits.normalized.buffer })
    } else {
      retracted = nil
    }
    typeRanks = segments.typeRanks()
  }

  /// A number that tells the user of row `row` from all others.
  @inline(__always) func user(_ row: Int32) -> Int64 {
    let (source, place) = (Int(row) &>> shift, Int(row) & mask)
    if hasTextUsers { return Int64(unsafe users.load(source, place, as: Int32.self)) }
    return unsafe users.load(source, place, as: Int64.self)
  }

  @inline(__always) func entry(_ row: Int32) -> EventEntry {
    let (source, place) = (Int(row) &>> shift, Int(row) & mask)
    let type = Int(unsafe types.load(source, place, as: Int32.self))
    return unsafe EventEntry(
      ts: times.load(source, place, as: Int64.self), seenAt: seenAt.load(source, place, as: Int64.self),
      eventKey: keys.load(source, place, as: Int64.self), typeRank: typeRanks[type],
      revision: revisions.load(source, place, as: Int32.self),
      row: RowReference(source: Int32(truncatingIfNeeded: source), row: Int32(truncatingIfNeeded: place)),
      isRetracted: isRetracted(source, place))
  }

  @inline(__always) private func isRetracted(_ source: Int, _ place: Int) -> Bool {
    guard let byte = unsafe retracted?.load(source, place &>> 3, as: UInt8.self) else { return false }
    return byte &>> UInt8(truncatingIfNeeded: place & 7) & 1 == 1
  }

  func areEqual(_ a: RowReference, _ b: RowReference) -> Bool {
    let (left, right) = (segments.segments[Int(a.source)], segments.segments[Int(b.source)])
    return zip(left.columns, right.columns).allSatisfy { $0.isEqual(Int(a.row), to: $1, Int(b.row)) }
  }

  func hash(_ row: RowReference) -> UInt64 { segments.gather(Buffer([row])).rowHash }
}
