import Arrow
import Buffers
import Definitions

// Retractions are told by their places: counted through, run by run.

extension RetractionIndex {
  /// The rows that no retraction hides; nil: all.
  ///
  /// - Parameter batch: events, with all system columns.
  func valid(among batch: RecordBatch) -> Bitmap? {
    var hidden: [Int] = []
    forEachMatch(in: batch) { row, revision, match in if match.revision > revision { hidden.append(row) } }
    return Self.bitmap(without: hidden, of: batch)
  }

  /// The places of the retractions that hide some of the rows.
  func hiding(_ batch: RecordBatch) -> Set<Int> {
    var hiding: Set<Int> = []
    forEachMatch(in: batch) { _, revision, match in if match.revision > revision { hiding.insert(match.place) } }
    return hiding
  }

  /// The rows of a retractions table that are none of these; nil: all.
  func absent(from batch: RecordBatch) -> Bitmap? {
    guard let seen = batch[SystemColumns.seenAt]?.values else { return nil }
    var found: [Int] = []
    forEachMatch(in: batch) { row, revision, match in
      if match.revision == revision, match.seenMicros == seen.load(row, as: Int64.self) { found.append(row) }
    }
    return Self.bitmap(without: found, of: batch)
  }

  private static func bitmap(without rows: [Int], of batch: RecordBatch) -> Bitmap? {
    guard !rows.isEmpty else { return nil }
    var isKept = [Bool](repeating: true, count: batch.rowCount)
    for row in rows { isKept[row] = false }
    return Bitmap(isKept)
  }

  /// A retraction of a row's event.
  private struct Match {
    var place: Int
    var revision: Int32
    var seenMicros: Int64
  }

  /// Calls `body` for each row of an event that is here, with the row's revision and the retraction. Rows of one user lie
  /// together, as they do in sorted batches, or else cost a look-up each.
  private func forEachMatch(in batch: RecordBatch, _ body: (_ row: Int, _ revision: Int32, Match) -> Void) {
    guard !isEmpty, let users = batch[SystemColumns.user], let types = batch[SystemColumns.eventType],
      let keys = batch[SystemColumns.eventKey]?.values, let revisions = batch[SystemColumns.revision]?.values
    else { return }
    var start = 0
    while start < batch.rowCount {
      var end = start + 1
      while end < batch.rowCount, users.isEqual(start, to: users, end) { end += 1 }
      let user = users.userHash(start)
      forEachRun { run, base in
        let own = run.places(of: user)
        for row in start..<end where !own.isEmpty {
          _ = run.contains(keys.load(row, as: Int64.self), at: own) { place, revision, type in
            if name(ofType: type) == types.text(row) {
              let match = Match(place: base + place, revision: revision, seenMicros: run.seenMicros(place))
              body(row, revisions.load(row, as: Int32.self), match)
            }
            return false
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

  /// XXH64 of a user's key, as bloom filters have it.
  func userHash(_ row: Int) -> UInt64 {
    type == .int64 ? XXHash64.hash(values.slice(row * 8..<row * 8 + 8).bytes) : XXHash64.hash(bytes(row).bytes)
  }
}

// MARK: Files

extension RetractionIndex {
  /// The places of the retractions that hide rows of a file.
  func hiding(_ file: StoreFile, deriving derived: DerivedColumns) throws(StoreError) -> Set<Int> {
    var hiding: Set<Int> = []
    try forEachBatch(in: file, deriving: derived) { hiding.formUnion(self.hiding($0)) }
    return hiding
  }

  /// Whether a file of retractions has some of these.
  func areAny(in file: StoreFile) throws(StoreError) -> Bool {
    var areAny = false
    try forEachBatch(in: file, deriving: DerivedColumns()) { areAny = areAny || absent(from: $0) != nil }
    return areAny
  }

  /// Whether a file may have rows of these users, by its bloom filters.
  private func mayConcern(_ file: OpenedFile) throws(StoreError) -> Bool {
    for group in file.groups {
      let filter = try group.userFilter()
      if containsUser(where: { filter.mayContain($0) }) { return true }
    }
    return false
  }

  /// Calls `body` with the key columns of rows among which all are of these users.
  private func forEachBatch(
    in file: StoreFile, deriving derived: DerivedColumns, _ body: (RecordBatch) -> Void
  ) throws(StoreError) {
    guard !isEmpty else { return }
    let opened = try file.open()
    guard try mayConcern(opened) else { return }
    let userType = opened.file.schema.columnIndex(of: SystemColumns.user).map {
      opened.file.schema.columns[$0].field.type
    }
    let wanted = SystemColumns.stored(userType: userType ?? .int64).filter { $0.name != SystemColumns.ts }
    let fields = wanted.map { $0.name == SystemColumns.eventType ? EventFileRows.eventType : $0 }
    let rows = try EventFileRows(
      file, Schema(fields), deriving: derived, batchRowCount: 1 << 14, choosing: { _ in nil })
    do { while let batch = try rows.next() { body(batch) } } catch { throw .assembly(error) }
  }
}
