import Arrow
import ArrowKernels
import Buffers
import Definitions
import DeltaLog

/// The retractions of a dataset: which revisions of users' events are gone. Findable by user.
///
/// A retraction takes 32 bytes, whatever its user's key is: users are told apart by a hash of 64 bits, and events by theirs
/// besides.
struct RetractionIndex: Sendable {
  /// The table that they are from; nil where there is none.
  private(set) var table: Snapshot?
  /// In order.
  private var entries: [Entry] = []
  /// The names of the event types, which entries give as numbers.
  private var eventTypes: [String] = []

  struct Entry: Sendable, BitwiseCopyable {
    /// XXH64 of the user's key, as in bloom filters.
    var user: UInt64
    var eventKey: Int64
    /// When it was known.
    var seenMicros: Int64
    /// Lower ones are gone.
    var revision: Int32
    var eventType: Int32

    static func precedes(_ left: Entry, _ right: Entry) -> Bool {
      (left.user, left.eventKey, left.eventType, left.revision, left.seenMicros)
        < (right.user, right.eventKey, right.eventType, right.revision, right.seenMicros)
    }
  }

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
        (entries, eventTypes) = (earlier.entries, earlier.eventTypes)
        files.removeAll { before.contains($0.path) }
      }
    }
    var added: [Entry] = []
    for file in files {
      try table.forEachBatch(of: file, in: snapshot, columns: Self.columns) { add($0, to: &added) }
    }
    added.sort(by: Entry.precedes)
    if entries.isEmpty { entries = added } else { insert(added) }
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

  private mutating func add(_ batch: RecordBatch, to added: inout [Entry]) {
    let (keys, revisions, seen) = (batch.columns[2].values, batch.columns[3].values, batch.columns[4].values)
    for row in 0..<batch.rowCount {
      added.append(
        Entry(
          user: batch.columns[0].userHash(row), eventKey: keys.load(row, as: Int64.self),
          seenMicros: seen.load(row, as: Int64.self), revision: revisions.load(row, as: Int32.self),
          eventType: number(batch.columns[1].string(row))))
    }
  }

  private mutating func number(_ eventType: String) -> Int32 {
    if let number = eventTypes.firstIndex(of: eventType) { return Int32(number) }
    eventTypes.append(eventType)
    return Int32(eventTypes.count - 1)
  }

  /// Merges new entries, which are in order, into those that are there.
  private mutating func insert(_ added: [Entry]) {
    guard !added.isEmpty else { return }
    var merged: [Entry] = []
    merged.reserveCapacity(entries.count + added.count)
    var next = 0
    for entry in entries {
      while next < added.count, Entry.precedes(added[next], entry) {
        merged.append(added[next])
        next += 1
      }
      merged.append(entry)
    }
    entries = merged + added[next...]
  }

  /// A user's retractions that were known at a time; nil when there are none.
  ///
  /// - Parameters:
  ///   - micros: nil: all are known.
  ///   - types: numbers the event types.
  func retractions(of user: UserProbe, until micros: Int64?, _ types: inout EventTypeRules) -> UserRetractions? {
    let places = places(of: user.hash)
    if places.isEmpty { return nil }
    return UserRetractions(
      entries: entries[places], untilMicros: micros ?? .max, types: eventTypes.map { types.number(of: $0) })
  }

  private func places(of user: UInt64) -> Range<Int> {
    let first = lowerBound(0) { $0.user < user }
    return first..<lowerBound(first) { $0.user <= user }
  }

  /// The first place from `start` on for which `isBefore` does not hold.
  private func lowerBound(_ start: Int, _ isBefore: (Entry) -> Bool) -> Int {
    var (low, high) = (start, entries.count)
    while low < high {
      let middle = low + (high - low) / 2
      if isBefore(entries[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  var isEmpty: Bool { entries.isEmpty }
  var count: Int { entries.count }
  var byteCount: Int { entries.count * MemoryLayout<Entry>.stride }

  /// Those that were seen when `isIncluded` says, given microseconds.
  func filter(seen isIncluded: (Int64) -> Bool) -> RetractionIndex {
    var filtered = self
    filtered.entries.removeAll { !isIncluded($0.seenMicros) }
    return filtered
  }

  /// - Parameter places: of retractions, as `hidden` gives them.
  mutating func remove(_ places: Set<Int>) {
    guard !places.isEmpty else { return }
    entries = entries.indices.filter { !places.contains($0) }.map { entries[$0] }
  }
}

/// A user's retractions in a dataset.
struct UserRetractions {
  /// By event key.
  fileprivate let entries: ArraySlice<RetractionIndex.Entry>
  /// Those seen later do not count.
  fileprivate let untilMicros: Int64
  /// The numbers of the index's event types.
  fileprivate let types: [Int32]
  private let marks: KeyMarks?

  fileprivate init(entries: ArraySlice<RetractionIndex.Entry>, untilMicros: Int64, types: [Int32]) {
    self.entries = entries
    self.untilMicros = untilMicros
    self.types = types
    marks = entries.count <= KeyMarks.maximumCount ? KeyMarks(of: entries) : nil
  }

  /// Whether a revision of an event is gone.
  ///
  /// - Parameter type: as `EventTypeRules` numbers it.
  func contain(_ key: Int64, _ type: Int32, _ revision: Int32) -> Bool {
    if let marks, !marks.mayContain(key) { return false }
    let entries = entries.span
    var place = Self.first(of: key, in: entries)
    while place < entries.count, entries[place].eventKey == key {
      let entry = entries[place]
      if entry.revision > revision, entry.seenMicros <= untilMicros, types[Int(entry.eventType)] == type { return true }
      place += 1
    }
    return false
  }

  /// The first place whose key is not below `key`.
  @inline(__always) private static func first(of key: Int64, in entries: Span<RetractionIndex.Entry>) -> Int {
    var (low, count) = (0, entries.count)
    while count > 0 {
      let half = count / 2
      let isBelow = entries[low + half].eventKey < key
      low = isBelow ? low + half + 1 : low
      count = isBelow ? count - half - 1 : half
    }
    return low
  }
}

/// A bit for each of a few keys, which most others do not meet.
private struct KeyMarks {
  /// With more keys, looking them up costs less than marking them.
  static let maximumCount = 256

  private var words = [UInt64](repeating: 0, count: 64)

  init(of entries: ArraySlice<RetractionIndex.Entry>) {
    for entry in entries {
      let bit = Self.bit(entry.eventKey)
      words[bit / 64] |= 1 << UInt64(bit % 64)
    }
  }

  func mayContain(_ key: Int64) -> Bool {
    let bit = Self.bit(key)
    return words[bit / 64] >> UInt64(bit % 64) & 1 == 1
  }

  /// The keys of events are hashes.
  @inline(__always) private static func bit(_ key: Int64) -> Int { Int(truncatingIfNeeded: key) & 4_095 }
}

// MARK: Rows

extension RetractionIndex {
  /// The rows that no retraction hides; nil: all.
  ///
  /// - Parameter batch: events, with all system columns.
  func valid(among batch: RecordBatch) -> Bitmap? {
    var hidden: [Int] = []
    forEachMatch(in: batch) { row, place, revision in
      if entries[place].revision > revision, hidden.last != row { hidden.append(row) }
    }
    return Self.bitmap(without: hidden, of: batch)
  }

  /// The places of the retractions that hide some of the rows.
  func hiding(_ batch: RecordBatch) -> Set<Int> {
    var hiding: Set<Int> = []
    forEachMatch(in: batch) { row, place, revision in
      if entries[place].revision > revision { hiding.insert(place) }
    }
    return hiding
  }

  /// The rows of a retractions table that are none of these; nil: all.
  func absent(from batch: RecordBatch) -> Bitmap? {
    guard let seen = batch[SystemColumns.seenAt]?.values else { return nil }
    var found: [Int] = []
    forEachMatch(in: batch) { row, place, revision in
      let entry = entries[place]
      let isSame = entry.revision == revision && entry.seenMicros == seen.load(row, as: Int64.self)
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

  /// Calls `body` for each row of an event that is here, with the place of the retraction and the row's revision. Rows of
  /// one user lie together, as they do in sorted batches, or else cost a look-up each.
  private func forEachMatch(in batch: RecordBatch, _ body: (Int, Int, Int32) -> Void) {
    guard !isEmpty, let users = batch[SystemColumns.user], let types = batch[SystemColumns.eventType],
      let keys = batch[SystemColumns.eventKey]?.values, let revisions = batch[SystemColumns.revision]?.values
    else { return }
    var start = 0
    while start < batch.rowCount {
      var end = start + 1
      while end < batch.rowCount, users.isEqual(start, to: users, end) { end += 1 }
      let own = places(of: users.userHash(start))
      for row in start..<end where !own.isEmpty {
        let key = keys.load(row, as: Int64.self)
        var place = lowerBound(own.lowerBound) { ($0.user, $0.eventKey) < (entries[own.lowerBound].user, key) }
        while place < own.upperBound, entries[place].eventKey == key {
          if eventTypes[Int(entries[place].eventType)] == types.text(row) {
            body(row, place, revisions.load(row, as: Int32.self))
          }
          place += 1
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
  fileprivate func userHash(_ row: Int) -> UInt64 {
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

  /// Calls `body` with the key columns of rows among which all are of these users.
  private func forEachBatch(
    in file: StoreFile, deriving derived: DerivedColumns, _ body: (RecordBatch) -> Void
  ) throws(StoreError) {
    let opened = try file.open()
    let groups = try opened.groups.map { group throws(StoreError) in try group.index() }
    guard entries.contains(where: { entry in groups.contains { $0.mayContain(userHash: entry.user) } }) else { return }
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
