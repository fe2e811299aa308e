import Arrow
import ArrowKernels
import Buffers
import Definitions
import DeltaLog

/// Deals the events of one dataset to their days.
struct DatasetIndexer {
  let layout: TableLayout
  let retractionLayout: TableLayout
  /// How long a retraction is kept, in microseconds.
  private let latenessMicros: Int64
  private let range: DayRange
  /// Batches of one schema that wait to be dealt together, so that each day gets enough rows at once.
  private var pending: [RecordBatch] = []
  private var pendingRowCount = 0
  private var pendingByteCount = 0
  private var retractions: [Day: [RecordBatch]] = [:]
  /// The latest time of arrival of all rows; nil without rows.
  private(set) var newestSeenMicros: Int64?
  private(set) var counts = IndexCounts()

  /// Rows, and bytes, that are dealt at once, about: enough that each of some forty days gets a page's worth.
  private static let dealtRowCount = 1 << 16
  private static let dealtByteCount = 16 << 20

  /// - Parameter derived: the system columns that its table does without.
  init(
    _ dataset: DatasetDefinition, deriving derived: DerivedColumns, range: DayRange, latenessMicros: Int64
  ) throws(StoreError) {
    layout = try TableLayout(dataset, deriving: derived)
    retractionLayout = try TableLayout(retractionsOf: dataset)
    self.range = range
    self.latenessMicros = latenessMicros
  }

  /// Takes events; answers what the days get, if enough is at hand.
  mutating func add(_ batch: RecordBatch) throws(StoreError) -> [BucketWriters.Work] {
    try layout.checkSystemColumns(batch)
    var work: [BucketWriters.Work] = []
    if let first = pending.first, first.schema != batch.schema { work = try deal() }
    pending.append(batch)
    pendingRowCount += batch.rowCount
    pendingByteCount += batch.ownByteCount
    let isEnough = pendingRowCount >= Self.dealtRowCount || pendingByteCount >= Self.dealtByteCount
    return isEnough ? work + (try deal()) : work
  }

  /// Deals all that waits.
  mutating func deal() throws(StoreError) -> [BucketWriters.Work] {
    // Else dictionaries would be unified for each day anew.
    let batches = RecordBatch.sharingDictionaries(pending)
    (pending, pendingRowCount, pendingByteCount) = ([], 0, 0)
    var work: [BucketWriters.Work] = []
    for dealt in DayDealer.deal(batches) {
      let rows = RecordBatch.interleave(batches, dealt.rows)
      if dealt.isRetracted {
        try addRetractions(rows, dealt.day)
      } else {
        noteSeen(rows)
        if range.contains(dealt.day) { counts.rows += rows.rowCount } else { counts.rowsOutside += rows.rowCount }
        try addCorrections(rows, dealt.day)
        work.append(BucketWriters.Work(layout: layout, bucket: .day(dealt.day), batch: try layout.eventBatch(rows)))
      }
    }
    return work
  }

  private mutating func addRetractions(_ rows: RecordBatch, _ day: Day) throws(StoreError) {
    noteSeen(rows)
    retractions[day, default: []].append(try retractionLayout.eventBatch(rows))
  }

  /// Corrections take back their events' lower revisions, which may lie in other days.
  private mutating func addCorrections(_ rows: RecordBatch, _ day: Day) throws(StoreError) {
    guard let revisions = rows[SystemColumns.revision]?.values else { return }
    let areHigher = Bitmap((0..<rows.rowCount).map { revisions.load($0, as: Int32.self) > 0 })
    let corrections = rows.filter(areHigher)
    guard corrections.rowCount > 0 else { return }
    retractions[day, default: []].append(try retractionLayout.eventBatch(corrections))
  }

  private mutating func noteSeen(_ rows: RecordBatch) {
    if let seen = rows.newestSeenMicros { newestSeenMicros = max(newestSeenMicros ?? .min, seen) }
  }

  /// The retractions that are young enough to be kept, as the days' files get them.
  ///
  /// - Parameter horizonMicros: what arrived after it may still come; nil: what arrived after the newest row.
  mutating func keptRetractions(horizonMicros: Int64?) throws(StoreError) -> [BucketWriters.Work] {
    let newest = min(newestSeenMicros ?? 0, horizonMicros ?? .max)
    let (oldest, isOverflow) = newest.subtractingReportingOverflow(latenessMicros)
    var work: [BucketWriters.Work] = []
    for (day, batches) in retractions.sorted(by: { $0.key < $1.key }) {
      let all = try Self.sorted(batches)
      let seen = all.columns[2].values
      let young = Bitmap((0..<all.rowCount).map { isOverflow || seen.load($0, as: Int64.self) >= oldest })
      let kept = all.filter(young)
      counts.retractions += kept.rowCount
      if kept.rowCount > 0 { work.append(BucketWriters.Work(layout: retractionLayout, bucket: .day(day), batch: kept)) }
    }
    retractions = [:]
    return work
  }

  /// In order, and of each event the highest revision: retractions come in their order, and so do corrections.
  private static func sorted(_ batches: [RecordBatch]) throws(StoreError) -> RecordBatch {
    guard batches.count > 1 else { return batches[0] }
    var assembler = Assembler(AssemblyOptions(memoryLimit: .max))
    var sorted: [RecordBatch] = []
    do {
      for batch in batches { try assembler.append(batch) }
      _ = try assembler.finish { sorted.append($0) }
    } catch { throw StoreError(error, at: "retractions") }
    return RecordBatch.concatenate(sorted)
  }
}

extension RecordBatch {
  /// Bytes of the rows alone: dictionaries, which batches share, are left out.
  var ownByteCount: Int { columns.reduce(0) { $0 + $1.ownByteCount } }
}

extension ArrowArray {
  /// Bytes without those of a dictionary.
  var ownByteCount: Int {
    if case .dictionary(_, let values) = storage { byteCount - values.byteCount } else { byteCount }
  }
}

/// What became of the events of a dataset.
package struct IndexCounts: Sendable, Equatable {
  /// Rows of the days that are replaced.
  package var rows = 0
  /// Rows of other days, which were added to those.
  package var rowsOutside = 0
  /// Retractions kept.
  package var retractions = 0
  /// Rows that the replaced files had and that went.
  package var rowsReplaced = 0
  /// Old rows of the replaced files that stay: they arrived after the horizon, or are of other days.
  package var rowsCarriedOver = 0
  /// Microseconds up to which the input is taken to have everything; nil: all of it.
  package var horizonMicros: Int64?
  package var files = 0
  package var filesRemoved = 0
  package var byteCount = 0
  /// The table's version with them; nil when nothing changed.
  package var version: Int64?
  /// How the events differ from those that they replaced; nil when they replaced none.
  package var drift: ReplacementDrift?

  package init() {}
}
