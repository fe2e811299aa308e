import Definitions
import DeltaLog

/// Merges the files of buckets: what `seq-store compact` does.
///
/// Of each event the row that holds is left, without those that were taken back; days of months that are long over go
/// into one bucket. Each bucket is a commit of its own, which gives way to others': what they changed is looked at again.
package struct Compaction {
  package struct Options: Sendable {
    /// Whether every bucket ends as one file a shard. Otherwise files are merged as they are worth it: each row is rewritten only
    /// as often as its bucket doubles.
    package var isFull = true
    /// Where not every bucket ends as one file: files of like size are merged once there are more than so many, so that each row
    /// is rewritten as often as its bucket grows so many fold; nil: as soon as it is worth it.
    package var tierFileCount: Int?
    /// One more than that are merged at once, since a merge holds some megabytes of each; but as many as there are of files
    /// that together have no more bytes than this.
    package var tierSmallByteCount: Int64 = 64 << 20
    /// So many rows at most are merged into one such file: what a writer holds of a file's indexes grows with its rows, to some
    /// 100 MB here.
    package var tierRowLimit = 1 << 26
    /// Asked again and again while files are merged; false ends the run with `StoreError.stopped`.
    package var isWanted: @Sendable () -> Bool = { true }
    /// Called before files are merged: with the paths of all that are to be where these are more than `tierSmallByteCount` bytes,
    /// so that others may be merged meanwhile; else with nil.
    package var meanwhile: @Sendable (_ chosen: Set<String>?) -> Void = { _ in }
    /// A month is merged so many days after its end; nil: never.
    package var monthsAfterDays: Int32? = 35
    package var files = StoreFileOptions()
    /// How long a reader may take from reading which files there are to reading the retractions, in milliseconds: so long
    /// a retraction is kept once nothing is hidden any more.
    package var readingMillis: Int64 = 600_000
    /// The present, in microseconds.
    package var nowMicros = DeltaTable.nowMillis() * 1_000

    package init() {}
  }

  private let store: StoreDirectory
  private let definitions: DefinitionSet?
  private var options: Options
  /// How long a retraction is needed after the last event was seen, by dataset.
  private let latenessMicros: [String: Int64]

  /// How often a table is looked at anew because others changed it.
  private static let roundLimit = 16
  /// Files up to here are merged whenever there are two.
  static let smallByteCount: Int64 = 1 << 20

  /// - Parameter definitions: that say how late events may be; datasets that they lack keep all retractions.
  package init(_ store: StoreDirectory, definitions: DefinitionSet?, _ options: Options = Options()) {
    self.store = store
    self.options = options
    self.options.files.shardCount = definitions?.shardCount ?? 1
    self.definitions = definitions
    var lateness: [String: Int64] = [:]
    for dataset in definitions?.datasets ?? [] {
      lateness[dataset.name] =
        definitions?.eventTypes(dataset: dataset.name).compactMap { definitions?.source($0.source)?.latenessMicros }
        .max()
    }
    latenessMicros = lateness
  }

  /// Compacts a dataset and its retractions, calling `report` after each commit.
  package func run(_ dataset: String, _ report: (UpkeepAction) -> Void) throws(StoreError) {
    try settle(dataset, report)
    try settleRetractions(dataset, report)
  }

  private func settle(_ dataset: String, _ report: (UpkeepAction) -> Void) throws(StoreError) {
    var isOver = false
    for _ in 0..<Self.roundLimit where !isOver {
      guard let table = try TableRewrite(store, dataset: dataset, table: "datasets/\(dataset)", options.files) else {
        return
      }
      let limit = options.isFull ? nil : try expiry(dataset, table, progress()) ?? .min
      let decisive = try RetractionIndex(of: dataset, in: store, seenBefore: limit)
      let work = try work(table, unsettled: unsettledFiles(table, decisive))
      if work.isEmpty { return }
      let retractions = limit == nil ? decisive : try RetractionIndex(of: dataset, in: store)
      isOver = try merge(work, of: table, report) { retractions.valid(among: $0) }
    }
  }

  /// Merges files, the few first.
  /// - Returns: false when others' commits came between.
  private func merge(
    _ work: [Work], of table: TableRewrite, _ report: (UpkeepAction) -> Void, choosing choice: @escaping RowChoice
  ) throws(StoreError) -> Bool {
    let chosen = Set(work.flatMap(\.files).map(\.path))
    var isOver = true
    for part in work.sorted(by: { $0.byteCount < $1.byteCount }) {
      options.meanwhile(part.byteCount > options.tierSmallByteCount ? chosen : nil)
      let action = try table.merge(
        part.files, into: part.bucket, as: .compact, while: options.isWanted, choosing: choice)
      if let action { report(action) } else { isOver = false }
    }
    return isOver
  }

  /// Merges those files of a dataset and its retractions that are few bytes together, calling `report` after each commit; what
  /// else is due is left.
  ///
  /// - Parameter chosen: files that others are about to merge.
  package func mergeSmallFiles(
    _ dataset: String, besides chosen: Set<String>, _ report: (UpkeepAction) -> Void
  ) throws(StoreError) {
    for name in ["datasets/\(dataset)", "retractions/\(dataset)"] {
      guard let table = try TableRewrite(store, dataset: dataset, table: name, options.files) else { continue }
      let small = work(table, unsettled: [], besides: chosen).filter { $0.byteCount <= options.tierSmallByteCount }
      if small.isEmpty { continue }
      let isOfEvents = table.layout.table == "datasets/\(dataset)"
      let retractions = isOfEvents ? try RetractionIndex(of: dataset, in: store) : RetractionIndex()
      _ = try merge(small, of: table, report) { retractions.valid(among: $0) }
    }
  }

  /// Whether there are files to be merged, retractions left aside that are let go meanwhile.
  package func isDue(_ dataset: String) throws(StoreError) -> Bool { try isAnyWork(dataset) { _ in true } }

  /// Whether more files that are few bytes together wait to be merged than should: reads look into all of them.
  package func isOverdue(_ dataset: String) throws(StoreError) -> Bool {
    guard let count = options.tierFileCount else { return false }
    return try isAnyWork(dataset) { $0.files.count > count + count / 2 && $0.byteCount <= options.tierSmallByteCount }
  }

  private func isAnyWork(_ dataset: String, _ isLike: (Work) -> Bool) throws(StoreError) -> Bool {
    for name in ["datasets/\(dataset)", "retractions/\(dataset)"] {
      guard let table = try TableRewrite(store, dataset: dataset, table: name, options.files) else { continue }
      if work(table, unsettled: []).contains(where: isLike) { return true }
    }
    return false
  }

  /// Files that are to become one, or one a shard.
  private struct Work {
    let bucket: Bucket
    let files: [StoreFile]

    var byteCount: Int64 { files.reduce(0) { $0 + $1.action.byteCount } }
  }

  /// What to merge into which bucket.
  ///
  /// - Parameter chosen: paths of files that are left out.
  private func work(_ table: TableRewrite, unsettled: Set<String>, besides chosen: Set<String> = []) -> [Work] {
    let places = BucketPlaces(table.files.compactMap(\.bucket))
    var targets: [Bucket: [StoreFile]] = [:]
    for (bucket, files) in table.buckets {
      targets[target(of: bucket, places), default: []] += files.filter { !chosen.contains($0.path) }
    }
    return targets.sorted { $0.key < $1.key }.flatMap { bucket, files in
      parts(files).map { Work(bucket: bucket, files: choose($0, for: bucket, unsettled)) }
    }.filter { !$0.files.isEmpty }
  }

  /// Files that are merged apart from the others of their bucket: those of each shard, and those that were written when
  /// users were dealt otherwise. These are dealt anew together with all others where each shard is to end as one file.
  private func parts(_ files: [StoreFile]) -> [[StoreFile]] {
    guard options.files.shardCount > 1 else { return [files] }
    let parts = Dictionary(grouping: files) { isOfShard($0) ? $0.part : nil }
    if options.isFull, parts[nil] != nil { return [files] }
    return parts.sorted { $0.key?.shard ?? .first < $1.key?.shard ?? .first }.map(\.value)
  }

  /// Whether its users were dealt to as many shards as there are now.
  private func isOfShard(_ file: StoreFile) -> Bool { file.part?.count ?? 1 == options.files.shardCount }

  private func target(of bucket: Bucket, _ places: BucketPlaces) -> Bucket {
    guard case .day(let day) = bucket else { return bucket }
    let month = Month(day)
    let today = Day(micros: options.nowMicros)
    let isDue = options.monthsAfterDays.map { month.days.upperBound.number + $0 < today.number } ?? false
    return isDue ? .month(month) : places.bucket(of: day)
  }

  /// Those of a bucket's files that are to be merged.
  private func choose(_ files: [StoreFile], for bucket: Bucket, _ unsettled: Set<String>) -> [StoreFile] {
    let mustGo = files.filter { $0.bucket != bucket || unsettled.contains($0.path) }
    if options.isFull { return files.count > 1 || !mustGo.isEmpty || !files.allSatisfy(isOfShard) ? files : [] }
    let bySize = files.sorted { ($0.action.byteCount, $0.path) < ($1.action.byteCount, $1.path) }
    let chosen = options.tierFileCount.map { tier(of: bySize, over: $0) } ?? Self.smallest(of: bySize)
    let paths = Set(chosen.map(\.path))
    return chosen + mustGo.filter { !paths.contains($0.path) }
  }

  /// The files that are together half as large as the next larger one, and that one, and so on.
  private static func smallest(of bySize: [StoreFile]) -> [StoreFile] {
    var chosen: [StoreFile] = []
    var total: Int64 = 0
    for file in bySize where chosen.isEmpty || file.action.byteCount <= max(smallByteCount, 2 * total) {
      chosen.append(file)
      total += file.action.byteCount
    }
    return chosen.count < 2 ? [] : chosen
  }

  /// The smallest files of like size, within a factor of four, of which there are more than `count`: as many of them as may be
  /// merged at once.
  private func tier(of bySize: [StoreFile], over count: Int) -> [StoreFile] {
    var rest = bySize[...]
    while let least = rest.first {
      let limit = max(Self.smallByteCount, 4 * least.action.byteCount)
      let tier = rest.prefix { $0.action.byteCount <= limit }
      if tier.count > count {
        var (fileCount, byteCount, rowCount) = (0, Int64(0), 0)
        let fitting = tier.prefix { file in
          fileCount += 1
          byteCount += file.action.byteCount
          rowCount += Int(clamping: file.statistics?.rowCount ?? 0)
          return (fileCount <= count + 1 || byteCount <= options.tierSmallByteCount) && rowCount <= options.tierRowLimit
        }
        if fitting.count > 1 { return Array(fitting) }
      }
      rest = rest.dropFirst(tier.count)
    }
    return []
  }

  /// Files with rows that some retractions hide.
  private func unsettledFiles(_ table: TableRewrite, _ retractions: RetractionIndex) throws(StoreError) -> Set<String> {
    var unsettled: Set<String> = []
    for file in table.files where try !retractions.hiding(file, deriving: table.derived).isEmpty {
      unsettled.insert(file.path)
    }
    return unsettled
  }

  // MARK: Retractions

  /// Retractions seen before it are not needed by events that are still to come; nil: all are.
  ///
  /// An event's lower revision arrives within the source's lateness after its higher one. What a stream brings later
  /// arrived after the newest row that it brought into the tables, so its own progress counts, not the rows of batches
  /// that are ahead of it. Where there is no stream, the next batch is taken to begin behind the table's newest row.
  private func expiry(_ dataset: String, _ table: TableRewrite, _ progress: StreamProgress) -> Int64? {
    guard let lateness = latenessMicros[dataset] else { return nil }
    let newest: Int64? =
      switch progress {
      case .stream(let micros): micros
      case .batchesAlone: newestRow(of: table)
      }
    guard let (limit, isOverflow) = newest?.subtractingReportingOverflow(lateness), !isOverflow else { return nil }
    return limit
  }

  private func progress() throws(StoreError) -> StreamProgress {
    try StreamProgress(of: store, shardCount: definitions?.shardCount ?? 1)
  }

  /// When the newest row was seen, or a little before: statistics round times to milliseconds.
  private func newestRow(of table: TableRewrite) -> Int64? {
    table.derived.newestSeenMicros(in: table.files).map { $0 - 1_000 }
  }

  /// Merges the retractions of each bucket, and lets those go that hide nothing and are needed no more.
  private func settleRetractions(_ dataset: String, _ report: (UpkeepAction) -> Void) throws(StoreError) {
    var isOver = false
    for _ in 0..<Self.roundLimit where !isOver {
      let name = "retractions/\(dataset)"
      guard let table = try TableRewrite(store, dataset: dataset, table: name, options.files) else { return }
      let expired = try expired(dataset)
      var unsettled: Set<String> = []
      for file in table.files where try expired.areAny(in: file) { unsettled.insert(file.path) }
      isOver = try merge(work(table, unsettled: unsettled), of: table, report) { expired.absent(from: $0) }
    }
  }

  /// The retractions that are old enough, and that hide no row of the tables or of the live log.
  private func expired(_ dataset: String) throws(StoreError) -> RetractionIndex {
    // Which retractions there are and the progress are read first: rows that come later are newer than what they may hide.
    let retractions = try RetractionTable(of: dataset, in: store)
    let progress = try progress()
    guard
      let events = try TableRewrite(store, dataset: dataset, table: "datasets/\(dataset)", options.files),
      let limit = expiry(dataset, events, progress)
    else { return RetractionIndex() }
    var expired = try RetractionIndex(retractions, seenBefore: limit)
    guard !expired.isEmpty else { return expired }
    for file in events.files + events.filesRemoved(sinceMillis: DeltaTable.nowMillis() - options.readingMillis) {
      expired.remove(try expired.hiding(file, deriving: events.derived))
    }
    var hiding: Set<Int> = []
    try UncoveredRows(of: dataset, in: store, at: events.snapshot, definitions).forEachBatch { batch in
      hiding.formUnion(expired.hiding(batch))
    }
    expired.remove(hiding)
    // What moved from the log into the table meanwhile was seen in neither: then all wait for the next time.
    return try events.isLatest() ? expired : RetractionIndex()
  }
}
