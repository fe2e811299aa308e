import Arrow
import Buffers
import Definitions
import DeltaLog

/// The rows of replaced buckets that outlast the replacement: those that arrived after the batch's horizon, and those of
/// days that lie in the same files and are not replaced.
struct CarryOver {
  private let store: StoreDirectory
  private let range: DayRange
  private let horizonMicros: Int64
  private let options: StoreFileOptions
  private var made = MadeFiles<Bucket>()

  /// All files that were made.
  var finished: [FinishedFile] { made.all }

  init(_ store: StoreDirectory, _ range: DayRange, horizonMicros: Int64, _ options: StoreFileOptions) {
    self.store = store
    self.range = range
    self.horizonMicros = horizonMicros
    self.options = options
  }

  /// Sorted files of each bucket that has such rows, one a shard.
  mutating func files(
    _ old: [AddFile], of table: DeltaTable, at snapshot: Snapshot, _ layout: TableLayout
  ) throws(StoreError) -> [FinishedFile] {
    let stored = try TableLayout(of: snapshot, dataset: layout.dataset, table: layout.table)
    let rows = TableRows(stored, of: snapshot, in: store)
    let seenAt = DerivedColumns(of: snapshot.metadata)[SystemColumns.seenAt] ?? SystemColumns.seenAt
    var buckets: [Bucket: [StoreFile]] = [:]
    for action in old {
      let file = StoreFile(action, path: table.location(of: action))
      guard let bucket = file.bucket, mayHaveRows(file, bucket, seenAt) else { continue }
      buckets[bucket, default: []].append(file)
    }
    var carried: [FinishedFile] = []
    let (range, horizon, options) = (range, horizonMicros, options)
    for (bucket, files) in buckets.sorted(by: { $0.key < $1.key }) {
      carried += try made.files(for: bucket, of: files) { () throws(StoreError) in
        try rows.write(files, to: bucket, options, choosing: { Self.outlasting($0, range, horizon) }).files
      }
    }
    return carried
  }

  private func mayHaveRows(_ file: StoreFile, _ bucket: Bucket, _ seenAt: String) -> Bool {
    guard range.covers(bucket.days), let seen = file.statistics?.timestampRange(seenAt) else { return true }
    return seen.upperBound > horizonMicros
  }

  private static func outlasting(_ batch: RecordBatch, _ range: DayRange, _ horizonMicros: Int64) -> Bitmap? {
    let (times, seen) = (batch.columns[1].values, batch.columns[2].values)
    return Bitmap(
      (0..<batch.rowCount).map { row in
        seen.load(row, as: Int64.self) > horizonMicros || !range.contains(Day(micros: times.load(row, as: Int64.self)))
      })
  }
}
