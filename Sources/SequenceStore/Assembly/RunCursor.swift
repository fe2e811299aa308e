import Arrow
import ArrowKernels
import Buffers

/// Gives out sorted events, a batch at a time.
protocol RunBatches: AnyObject {
  /// The next rows, of which there are some; nil at the end.
  func next() throws(AssemblyError) -> RecordBatch?
}

/// Goes through a sorted run, a user at a time.
final class RunCursor {
  private let layout: EventLayout
  private let schema: Schema
  private let batches: any RunBatches
  private let types: EventTypeRanks
  private(set) var batch: RecordBatch?
  private var values: SystemValues?
  /// The next row of `batch`, and its user.
  private(set) var position = 0
  private(set) var user = UserKey.integer(0)
  /// Where the merge holds `batch`.
  var heldIndex: Int32?

  /// - Parameter schema: of what is given out; columns that batches lack are null.
  init(_ batches: any RunBatches, _ schema: Schema, _ types: EventTypeRanks) throws(AssemblyError) {
    layout = try EventLayout(schema)
    self.schema = schema
    self.batches = batches
    self.types = types
    try loadBatch()
  }

  private func loadBatch() throws(AssemblyError) {
    position = 0
    heldIndex = nil
    batch = nil
    guard let batch = try batches.next()?.conformed(to: schema) else { return }
    self.batch = batch
    values = SystemValues(batch, layout, types)
    user = userKey(batch, 0)
  }

  private func userKey(_ batch: RecordBatch, _ row: Int) -> UserKey {
    let column = batch.columns[layout.user]
    if case .dictionary(_, let values) = column.storage { return Self.userKey(values, column.dictionaryIndex(row)) }
    return Self.userKey(column, row)
  }

  private static func userKey(_ column: ArrowArray, _ row: Int) -> UserKey {
    if column.type == .int64 { return .integer(column.values.load(row, as: Int64.self)) }
    let bytes = column.bytes(row)
    return .text((0..<bytes.byteCount).map { bytes.load($0, as: UInt8.self) })
  }

  /// Takes the current user's rows; `hold` answers under which number a batch is held.
  func takeUser(into entries: inout [EventEntry], hold: (RecordBatch) -> Int32) throws(AssemblyError) {
    let user = user
    while let batch, let values, self.user == user {
      let source = heldIndex ?? hold(batch)
      heldIndex = source
      let end = values.endOfUser(from: position)
      for row in position..<end { entries.append(values.entry(row, source)) }
      position = end
      if end == batch.rowCount { try loadBatch() } else { self.user = userKey(batch, end) }
    }
  }
}

/// The system columns of a batch, for reading row by row.
private struct SystemValues {
  private let rowCount: Int
  private let users: ArrowArray
  /// The users where they are integers.
  private let integerUsers: Buffer?
  private let times: Buffer
  private let seenAt: Buffer
  private let keys: Buffer
  private let revisions: Buffer
  private let retracted: Bitmap?
  private let ranks: [Int32]

  init(_ batch: RecordBatch, _ layout: EventLayout, _ types: EventTypeRanks) {
    rowCount = batch.rowCount
    users = batch.columns[layout.user]
    integerUsers = users.type == .int64 ? users.values : nil
    times = batch.columns[layout.ts].values
    seenAt = batch.columns[layout.seenAt].values
    keys = batch.columns[layout.eventKey].values
    revisions = batch.columns[layout.revision].values
    retracted = layout.retracted.map { batch.columns[$0].bits }
    ranks = types.ranks(batch.columns[layout.eventType])
  }

  /// The first row after `start` that is another user's.
  func endOfUser(from start: Int) -> Int {
    var row = start + 1
    if let integerUsers {
      let user = integerUsers.load(start, as: Int64.self)
      while row < rowCount && integerUsers.load(row, as: Int64.self) == user { row += 1 }
    } else {
      while row < rowCount && users.isEqual(start, to: users, row) { row += 1 }
    }
    return row
  }

  func entry(_ row: Int, _ source: Int32) -> EventEntry {
    EventEntry(
      ts: times.load(row, as: Int64.self), seenAt: seenAt.load(row, as: Int64.self),
      eventKey: keys.load(row, as: Int64.self), typeRank: ranks[row], revision: revisions.load(row, as: Int32.self),
      row: RowReference(source: source, row: Int32(row)), isRetracted: retracted?[row] ?? false)
  }
}

/// A user's key, in the order of sorted events.
enum UserKey: Comparable {
  case integer(Int64)
  case text([UInt8])

  static func < (left: UserKey, right: UserKey) -> Bool {
    switch (left, right) {
    case (.integer(let left), .integer(let right)): left < right
    case (.text(let left), .text(let right)): left.lexicographicallyPrecedes(right)
    case (.integer, .text): true
    case (.text, .integer): false
    }
  }
}
