import Arrow
import Buffers
import Definitions
import DeltaLog
import JSONText

/// What of a shard's live log and of its sources the tables have once some rows are in.
struct LiveProgress: Sendable {
  var shard: Shard
  /// The last segment.
  var segment: UInt64
  /// Offsets.
  private(set) var positions: [SourcePartition: Int64] = [:]
  /// The latest time of arrival among the rows that do not come again, of whatever dataset, in microseconds; nil without
  /// such rows.
  private(set) var newestSeenMicros: Int64?
  /// Of the rows that come again when the sources are read on from the positions, with what came beside them.
  private var newestPendingMicros: Int64?
  /// Whether no row is taken to come again.
  private var isWithoutPositions: Bool

  /// - Parameter isWithoutPositions: whether the shard's stream is known to be one whose sources do not say how far they were read:
  ///   rows came of it before, and never a position. As long as nothing is known, rows may come again from the start.
  init(shard: Shard, segment: UInt64, isWithoutPositions: Bool) {
    self.shard = shard
    self.segment = segment
    self.isWithoutPositions = isWithoutPositions
  }

  /// Notes when rows that it covers arrived.
  mutating func note(_ events: RecordBatch) {
    guard let seen = events.newestSeenMicros else { return }
    let newest = max(newestPendingMicros ?? .min, seen)
    newestPendingMicros = newest
    if isWithoutPositions { newestSeenMicros = newest }
  }

  /// Notes up to where a source was read: the rows noted before do not come again.
  mutating func note(_ offset: Int64, of place: SourcePartition) {
    positions[place] = max(positions[place] ?? .min, offset)
    isWithoutPositions = false
    newestSeenMicros = newestPendingMicros
  }

  /// What is to be recorded in a table at `snapshot`: no transaction goes back.
  func actions(after snapshot: Snapshot) -> [Action] {
    let all = positions.sorted { ($0.key.source, $0.key.partition ?? -1) < ($1.key.source, $1.key.partition ?? -1) }
      .map { (TableTransaction.position(shard, $0.key), $0.value) }
    let arrival = newestSeenMicros.map { [(TableTransaction.arrival(shard), $0)] } ?? []
    return ([(.live(shard), Int64(clamping: segment))] + arrival + all).compactMap { transaction, version in
      if let known = snapshot.transactions[transaction.appID], known.version >= version { return nil }
      return transaction.action(version: version)
    }
  }
}

/// Adds files to a table, in one commit that records what they cover.
struct TableAddition {
  let store: StoreDirectory
  let layout: TableLayout
  let files: [FinishedFile]
  /// Nil for a table of retractions, which records nothing.
  let progress: LiveProgress?
  /// Those that the rows in the files were chosen by.
  let horizons: ReplacementHorizons
  /// Those that the rows were written with, as `version:digest`.
  let definitions: String

  struct Outcome {
    var filesAdded = 0
    var bytesAdded = 0
    var version: Int64?
  }

  /// Moves the files in and commits; a table that has all of it stays as it is.
  ///
  /// - Throws: `.horizonMoved` when days were replaced meanwhile: choose the rows anew.
  func commit() throws(StoreError) -> Outcome {
    var outcome = Outcome()
    guard progress != nil || !files.isEmpty else { return outcome }
    try layout.makeTable(in: store)
    let table = layout.table(in: store)
    let placement = FilePlacement(table)
    defer { placement.removeUnplaced(files) }
    let snapshot = try table.commit { snapshot throws(StoreError) in try propose(onto: snapshot, placement, &outcome) }
    outcome.version = snapshot.version
    return outcome
  }

  private func propose(
    onto snapshot: Snapshot, _ placement: FilePlacement, _ outcome: inout Outcome
  ) throws(StoreError) -> CommitProposal? {
    if let progress {
      if snapshot.coveredSegment(of: progress.shard) >= progress.segment { return nil }
      guard ReplacementHorizons(snapshot) == horizons else { throw .horizonMoved(dataset: layout.dataset) }
    }
    let change = FileChange(of: snapshot, removing: [], adding: BucketPlaces(snapshot).placing(files))
    outcome = Outcome(filesAdded: change.added.count, bytesAdded: change.addedByteCount)
    let metadata = try layout.metadata(of: snapshot)
    let transactions = progress?.actions(after: snapshot) ?? []
    guard !(change.isEmpty && transactions.isEmpty && metadata == snapshot.metadata) else { return nil }
    for file in change.added { try placement.place(file) }
    let actions = (metadata == snapshot.metadata ? [] : [.metadata(metadata)]) + transactions + change.actions()
    return CommitProposal(
      operation: "STREAMING UPDATE", operationParameters: operationParameters, metrics: change.metrics,
      actions: actions, readTransactions: readTransactions(change))
  }

  private func readTransactions(_ change: FileChange) -> Set<String> {
    guard progress != nil else { return [] }
    return change.added.reduce(into: []) { $0.formUnion(ReplacementHorizons.appIDs(of: $1.bucket.days)) }
  }

  private var operationParameters: [String: JSONValue] {
    var parameters = ["outputMode": "Append", CommitProposal.definitions: definitions]
    if let progress {
      parameters["shard"] = "\(progress.shard)"
      parameters["segment"] = "\(progress.segment)"
    }
    return TableLayout.operationParameters(parameters)
  }
}
