import DeltaLog
import JSONText

/// Puts new files in the place of what a table has of some days, in one commit.
///
/// Old rows that arrived after the batch's horizon, and those of other days in the same month's files, are carried over
/// into files of their own. Of files of other days than those replaced the rows that are not there yet are added.
struct TableReplacement {
  let store: StoreDirectory
  let layout: TableLayout
  let range: DayRange
  /// Old rows seen after it stay, in microseconds.
  let horizonMicros: Int64
  /// Whether the commit says so, for rows that are still on their way into the table.
  let recordsHorizon: Bool
  let files: [FinishedFile]
  let fileOptions: StoreFileOptions
  let parameters: [String: String]
  /// Whether to count how the events differ from those that they replace.
  let measuresDrift: Bool

  struct Outcome {
    var filesAdded = 0
    var filesRemoved = 0
    /// Old rows that went.
    var rowsRemoved = 0
    var rowsCarriedOver = 0
    var bytesAdded = 0
    var version: Int64?
    /// Nil when nothing was replaced.
    var drift: ReplacementDrift?
  }

  /// Moves the files in and commits. A table that is not there is made: that the batch has no rows for it, too, must be
  /// known when rows that it had seen come out of the live log. An empty one of retractions is not.
  func commit() throws(StoreError) -> Outcome {
    var outcome = Outcome()
    if files.isEmpty, !recordsHorizon {
      guard try layout.hasTable(in: store) else { return outcome }
    } else {
      try layout.makeTable(in: store)
    }
    let table = layout.table(in: store)
    var carried = CarryOver(store, range, horizonMicros: horizonMicros, fileOptions)
    var late = LateRows(store, besides: range, isOfEvents: recordsHorizon, fileOptions)
    let placement = FilePlacement(table)
    let snapshot = try table.commit { snapshot throws(StoreError) in
      try propose(onto: snapshot, &carried, &late, placement, &outcome)
    }
    placement.removeUnplaced(files + carried.finished + late.finished)
    if outcome.filesAdded + outcome.filesRemoved > 0 { outcome.version = snapshot.version }
    return outcome
  }

  /// The commit that replaces what `snapshot` has of the days; nil when it has just that.
  private func propose(
    onto snapshot: Snapshot, _ carried: inout CarryOver, _ late: inout LateRows, _ placement: FilePlacement,
    _ outcome: inout Outcome
  ) throws(StoreError) -> CommitProposal? {
    let old = snapshot.files.filter { file in
      file.bucket.map { range.overlaps($0.days) } ?? (range == .all)
    }
    let table = layout.table(in: store)
    let carriedOver = try carried.files(old, of: table, at: snapshot, layout)
    let new = try late.lacking(
      BucketPlaces(snapshot).placing(files), in: table, at: snapshot, layout, path: placement.path)
    let change = FileChange(of: snapshot, removing: old, adding: new + carriedOver)
    outcome = Outcome(
      filesAdded: change.added.count, filesRemoved: change.removed.count,
      rowsRemoved: change.removedRowCount - carriedOver.reduce(0) { $0 + $1.rowCount }
        + change.keptRowCount(carriedOver),
      rowsCarriedOver: carriedOver.reduce(0) { $0 + $1.rowCount }, bytesAdded: change.addedByteCount)
    let metadata = try layout.metadata(of: snapshot)
    let horizons =
      recordsHorizon ? ReplacementHorizons(snapshot).actions(replacing: range, horizon: horizonMicros) : []
    guard !(change.isEmpty && horizons.isEmpty && metadata == snapshot.metadata) else { return nil }
    for file in change.added { try placement.place(file) }
    if measuresDrift, !change.removed.isEmpty { outcome.drift = try drift(change, from: snapshot) }
    let actions = (metadata != snapshot.metadata ? [.metadata(metadata)] : []) + horizons + change.actions()
    return CommitProposal(
      operation: "WRITE", operationParameters: operationParameters, metrics: metrics(change, outcome),
      actions: actions, replacedPartitions: replacedPartitions, replacesTable: range == .all)
  }

  private func drift(_ change: FileChange, from snapshot: Snapshot) throws(StoreError) -> ReplacementDrift {
    let table = layout.table(in: store)
    var buckets: [Bucket?: DriftMeasurement.BucketFiles] = [:]
    for file in change.removed {
      buckets[file.bucket, default: .init()].old.append(StoreFile(file, path: table.location(of: file)))
    }
    for file in change.added {
      let placed = StoreFile(file.action(modifiedMillis: 0), path: "\(table.path)/\(file.relativePath)")
      buckets[file.bucket, default: .init()].new.append(placed)
    }
    return DriftMeasurement(try TableLayout(of: snapshot, adding: layout)).measure(Array(buckets.values))
  }

  private var operationParameters: [String: JSONValue] {
    TableLayout.operationParameters(["mode": "Overwrite", "replace": "\(range)"].merging(parameters) { $1 })
  }

  private func metrics(_ change: FileChange, _ outcome: Outcome) -> [String: Int64] {
    var metrics = change.metrics
    metrics["numRemovedRows"] = Int64(outcome.rowsRemoved)
    metrics["numCopiedRows"] = Int64(outcome.rowsCarriedOver)
    return metrics.merging(outcome.drift?.metrics ?? [:]) { $1 }
  }

  /// The partitions that another writer must not have added to meanwhile.
  private var replacedPartitions: [[String: String?]] {
    guard case .days(let range) = range else { return [] }
    let days = (range.lowerBound.number...range.upperBound.number).map { Day($0) }
    let buckets = days.map { Bucket.day($0) } + Set(days.map { Month($0) }).sorted().map { Bucket.month($0) }
    return buckets.map { [PartitionColumns.bucket: $0.description] }
  }
}
