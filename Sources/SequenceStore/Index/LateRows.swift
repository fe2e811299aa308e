import Arrow
import Buffers
import Definitions
import DeltaLog

/// A batch's files for days that it does not replace, without the rows that the table has already, or that were taken
/// back: a batch that brings them again adds nothing.
struct LateRows {
  private let store: StoreDirectory
  private let range: DayRange
  private let options: StoreFileOptions
  private let isOfEvents: Bool
  /// Read when the first rows are looked for.
  private var retractions: RetractionIndex?
  /// By the temporary path of the file that the rows are of.
  private var made = MadeFiles<String>()

  /// The files that were made, or taken as they were.
  var finished: [FinishedFile] { made.all }

  /// - Parameter isOfEvents: whether retractions apply to the rows, which are none themselves.
  init(_ store: StoreDirectory, besides range: DayRange, isOfEvents: Bool, _ options: StoreFileOptions) {
    self.store = store
    self.isOfEvents = isOfEvents
    self.range = range
    self.options = options
  }

  /// `files`, those of other days than the replaced ones as far as the table lacks their rows.
  ///
  /// - Parameter path: where a file lies.
  mutating func lacking(
    _ files: [FinishedFile], in table: DeltaTable, at snapshot: Snapshot, _ layout: TableLayout,
    path: (FinishedFile) -> String
  ) throws(StoreError) -> [FinishedFile] {
    var lacking: [FinishedFile] = []
    var rows: TableRows?
    for late in files {
      let present = snapshot.files.filter { $0.bucket?.days.overlaps(late.bucket.days) ?? false }
      let isThere = present.contains { PathEncoding.fileKey($0.path) == late.relativePath }
      guard !range.overlaps(late.bucket.days), !present.isEmpty, !isThere else {
        lacking.append(late)
        continue
      }
      let reader = if let rows { rows } else { try reader(layout, snapshot) }
      rows = reader
      let file = StoreFile(late.action(modifiedMillis: 0), path: path(late))
      let others = present.map { StoreFile($0, path: table.location(of: $0)) }
      lacking += try rest(of: late, file, without: others, reader)
    }
    return lacking
  }

  private func reader(_ layout: TableLayout, _ snapshot: Snapshot) throws(StoreError) -> TableRows {
    TableRows(try TableLayout(of: snapshot, adding: layout), of: snapshot, in: store)
  }

  /// The rows of `late` that its bucket's files lack.
  private mutating func rest(
    of late: FinishedFile, _ file: StoreFile, without others: [StoreFile], _ rows: TableRows
  ) throws(StoreError) -> [FinishedFile] {
    let retractions = if let retractions { retractions } else { try readRetractions(rows.layout.dataset) }
    self.retractions = retractions
    let options = options
    return try made.files(for: late.temporaryPath, of: others) { () throws(StoreError) in
      var standings = Standings()
      try standings.expect(rows, file) { retractions.valid(among: $0) }
      for other in others { try standings.note(rows, other) }
      if standings.unmetCount == late.rowCount { return [late] }
      guard standings.unmetCount > 0 else { return [] }
      return try rows.write([file], to: late.bucket, options, choosing: { [standings] in standings.unmet($0) }).files
    }
  }

  private func readRetractions(_ dataset: String) throws(StoreError) -> RetractionIndex {
    isOfEvents ? try RetractionIndex(of: dataset, in: store) : RetractionIndex()
  }
}

/// Which of some events a table has in a row that holds against theirs, or is the same.
private struct Standings {
  private struct Identity: Hashable {
    var type: String
    var key: Int64
  }

  /// What decides which row of an event holds.
  private struct Standing {
    var revision: Int32
    var seenAt: Int64
    var content: UInt64
  }

  private var expected: [Identity: Standing] = [:]
  private var met: Set<Identity> = []

  /// How many of the expected events the table lacks.
  var unmetCount: Int { expected.count - met.count }

  /// Takes the chosen events of `file` for those to look for.
  mutating func expect(
    _ rows: TableRows, _ file: StoreFile, choosing choice: @escaping RowChoice
  ) throws(StoreError) {
    try Self.forEachBatch(rows, file, choice) { batch in
      let contents = batch.contentHashes()
      Self.forEach(batch) { row, identity, revision, seenAt in
        expected[identity] = Standing(revision: revision, seenAt: seenAt, content: contents[row])
      }
    }
  }

  /// Notes which of them `file` has.
  mutating func note(_ rows: TableRows, _ file: StoreFile) throws(StoreError) {
    let all: RowChoice = { _ in nil }
    try Self.forEachBatch(rows, file, all) { batch in
      var contents: [UInt64]?
      Self.forEach(batch) { row, identity, revision, seenAt in
        guard let wanted = expected[identity], (-Int64(revision), seenAt) <= (-Int64(wanted.revision), wanted.seenAt)
        else { return }
        if (revision, seenAt) == (wanted.revision, wanted.seenAt) {
          let known = contents ?? batch.contentHashes()
          contents = known
          if known[row] > wanted.content { return }
        }
        met.insert(identity)
      }
    }
  }

  /// The expected rows of a batch that the table lacks.
  func unmet(_ batch: RecordBatch) -> Bitmap {
    var bits = BitmapBuilder(capacity: batch.rowCount)
    Self.forEach(batch) { _, identity, _, _ in bits.append(expected[identity] != nil && !met.contains(identity)) }
    return bits.finish()
  }

  private static func forEachBatch(
    _ rows: TableRows, _ file: StoreFile, _ choice: @escaping RowChoice, _ body: (RecordBatch) -> Void
  ) throws(StoreError) {
    let reader = try rows.reader(file, choosing: choice)
    do { while let batch = try reader.next() { body(batch) } } catch { throw .assembly(error) }
  }

  /// The system columns come first; the event type is a dictionary.
  private static func forEach(_ batch: RecordBatch, _ body: (Int, Identity, Int32, Int64) -> Void) {
    let (seen, types, keys, revisions) = (
      batch.columns[2].values, batch.columns[3], batch.columns[4].values, batch.columns[5].values
    )
    guard case .dictionary(_, let names) = types.storage else { return }
    let texts = (0..<names.count).map(names.string)
    for row in 0..<batch.rowCount {
      let identity = Identity(type: texts[types.dictionaryIndex(row)], key: keys.load(row, as: Int64.self))
      body(row, identity, revisions.load(row, as: Int32.self), seen.load(row, as: Int64.self))
    }
  }
}
