import Arrow
import ArrowKernels
import Buffers
import Definitions
import DeltaLog

/// An event of a user that is gone, up to a revision.
struct Retraction: Sendable, Hashable {
  var eventType: String
  var eventKey: Int64
  /// Lower ones are gone.
  var revision: Int32
  /// When that was known, in microseconds.
  var seenMicros: Int64
}

/// What a retraction takes back of whom.
struct RetractedEvent: Sendable, Hashable {
  var user: UserID
  var retraction: Retraction
}

/// The retractions of a dataset by user.
struct RetractionIndex: Sendable {
  /// The table that they are from; nil where there is none.
  private(set) var table: Snapshot?
  private var byUser: [UserID: [Retraction]] = [:]

  init() {}

  /// - Parameters:
  ///   - snapshot: the table's state; nil where there is none.
  ///   - earlier: of an earlier state of the table: where files were only added since, no others are read.
  init(_ table: DeltaTable, at snapshot: Snapshot?, reusing earlier: RetractionIndex? = nil) throws {
    self.table = snapshot
    guard let snapshot else { return }
    var files = snapshot.files
    if let earlier, let known = earlier.table?.files {
      let (before, now) = (Set(known.map(\.path)), Set(files.map(\.path)))
      if before.isSubset(of: now) {
        byUser = earlier.byUser
        files.removeAll { before.contains($0.path) }
      }
    }
    for file in files {
      try table.forEachBatch(of: file, in: snapshot, columns: Self.columns) { add($0) }
    }
  }

  init(of dataset: String, in store: StoreDirectory) throws(StoreError) {
    let table = store.retractions(dataset)
    do {
      try self.init(table, at: table.exists() ? table.snapshot() : nil)
    } catch { throw StoreError(error, at: table.path) }
  }

  private static let columns = [
    SystemColumns.user, SystemColumns.eventType, SystemColumns.eventKey, SystemColumns.revision, SystemColumns.seenAt,
  ]

  private mutating func add(_ batch: RecordBatch) {
    for row in 0..<batch.rowCount {
      let gone = Retraction(
        eventType: batch.columns[1].string(row), eventKey: batch.columns[2].values.load(row, as: Int64.self),
        revision: batch.columns[3].values.load(row, as: Int32.self),
        seenMicros: batch.columns[4].values.load(row, as: Int64.self))
      byUser[UserID(batch.columns[0], row), default: []].append(gone)
    }
  }

  subscript(user: UserID) -> [Retraction] { byUser[user] ?? [] }

  var isEmpty: Bool { byUser.isEmpty }
  var count: Int { byUser.values.reduce(0) { $0 + $1.count } }
  var users: some Collection<UserID> { byUser.keys }

  func filter(_ isIncluded: (Retraction) -> Bool) -> RetractionIndex {
    var filtered = RetractionIndex()
    filtered.byUser = byUser.mapValues { $0.filter(isIncluded) }.filter { !$0.value.isEmpty }
    return filtered
  }

  mutating func remove(_ events: Set<RetractedEvent>) {
    for event in events {
      byUser[event.user]?.removeAll { $0 == event.retraction }
      if byUser[event.user]?.isEmpty == true { byUser[event.user] = nil }
    }
  }
}

// MARK: Rows

extension RetractionIndex {
  /// The rows that no retraction hides; nil: all.
  ///
  /// - Parameter batch: events, with all system columns.
  func valid(among batch: RecordBatch) -> Bitmap? {
    var hidden: [Int] = []
    forEachMatch(in: batch) { row, retraction, revision in
      if retraction.revision > revision, hidden.last != row { hidden.append(row) }
    }
    return Self.bitmap(without: hidden, of: batch)
  }

  /// The retractions that hide some of the rows.
  func hidden(in batch: RecordBatch) -> Set<RetractedEvent> {
    guard let users = batch[SystemColumns.user] else { return [] }
    var hidden: Set<RetractedEvent> = []
    forEachMatch(in: batch) { row, retraction, revision in
      if retraction.revision > revision {
        hidden.insert(RetractedEvent(user: UserID(users, row), retraction: retraction))
      }
    }
    return hidden
  }

  /// The rows of a retractions table that are none of these; nil: all.
  func absent(from batch: RecordBatch) -> Bitmap? {
    guard let seen = batch[SystemColumns.seenAt]?.values else { return nil }
    var found: [Int] = []
    forEachMatch(in: batch) { row, retraction, revision in
      let isSame = retraction.revision == revision && retraction.seenMicros == seen.load(row, as: Int64.self)
      if isSame, found.last != row { found.append(row) }
    }
    return Self.bitmap(without: found, of: batch)
  }

  private static func bitmap(without rows: [Int], of batch: RecordBatch) -> Bitmap? {
    guard !rows.isEmpty else { return nil }
    var isKept = [Bool](repeating: true, count: batch.rowCount)
    for row in rows { isKept[row] = false }
    return Bitmap(isKept)
  }

  /// Calls `body` for each row of an event that is here, with the retraction and the row's revision. Rows of one user
  /// lie together, as they do in sorted batches, or else cost a look-up each.
  private func forEachMatch(in batch: RecordBatch, _ body: (Int, Retraction, Int32) -> Void) {
    guard !isEmpty, let users = batch[SystemColumns.user], let types = batch[SystemColumns.eventType],
      let keys = batch[SystemColumns.eventKey]?.values, let revisions = batch[SystemColumns.revision]?.values
    else { return }
    var start = 0
    while start < batch.rowCount {
      var end = start + 1
      while end < batch.rowCount, users.isEqual(start, to: users, end) { end += 1 }
      if let own = byUser[UserID(users, start)] {
        for row in start..<end {
          let key = keys.load(row, as: Int64.self)
          for retraction in own where retraction.eventKey == key && retraction.eventType == types.text(row) {
            body(row, retraction, revisions.load(row, as: Int32.self))
          }
        }
      }
      start = end
    }
  }
}

extension ArrowArray {
  /// Value `row` of texts, or of a dictionary of them.
  fileprivate func text(_ row: Int) -> String {
    if case .dictionary(_, let values) = storage { return values.string(dictionaryIndex(row)) }
    return string(row)
  }
}

// MARK: Files

extension RetractionIndex {
  /// The retractions that hide rows of a file.
  func hidden(in file: StoreFile, deriving derived: DerivedColumns) throws(StoreError) -> Set<RetractedEvent> {
    var hidden: Set<RetractedEvent> = []
    try forEachBatch(in: file, deriving: derived) { hidden.formUnion(self.hidden(in: $0)) }
    return hidden
  }

  /// Whether a file of retractions has some of these.
  func areAny(in file: StoreFile) throws(StoreError) -> Bool {
    var areAny = false
    try forEachBatch(in: file, deriving: DerivedColumns()) { areAny = areAny || absent(from: $0) != nil }
    return areAny
  }

  /// Calls `body` with the key columns of rows among which all are of these users.
  private func forEachBatch(
    in file: StoreFile, deriving derived: DerivedColumns, _ body: (RecordBatch) -> Void
  ) throws(StoreError) {
    guard !isEmpty, let user = byUser.keys.first else { return }
    let opened = try file.open()
    let userType: DataType = if case .integer = user { .int64 } else { .utf8 }
    let wanted = SystemColumns.stored(userType: userType).filter { $0.name != SystemColumns.ts }
    let fields = wanted.map { $0.name == SystemColumns.eventType ? EventFileRows.eventType : $0 }
    let mayHold = byUser.keys.contains { user in
      let probe = UserProbe(user)
      return opened.groups.contains { $0.mayContain(probe) && !$0.candidateRows(probe).isEmpty }
    }
    guard mayHold else { return }
    let rows = try EventFileRows(
      file, Schema(fields), deriving: derived, batchRowCount: 1 << 14, choosing: { _ in nil })
    do { while let batch = try rows.next() { body(batch) } } catch { throw .assembly(error) }
  }
}
