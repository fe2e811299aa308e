import Arrow
import DeltaLog
import Engine
import Glibc
import JSONText

/// Puts new files in the place of all files of some days, in one commit.
struct TableReplacement {
  let store: StoreDirectory
  let layout: TableLayout
  let range: DayRange
  let files: [FinishedFile]
  let parameters: [String: String]

  struct Outcome {
    var filesAdded = 0
    var filesRemoved = 0
    var rowsRemoved = 0
    var bytesAdded = 0
    var version: Int64?
  }

  private var table: DeltaTable { DeltaTable(path: "\(store.path)/\(layout.table)") }

  /// Moves the files in and commits. A table that is not there is made, unless it would be empty.
  func commit() throws(StoreError) -> Outcome {
    var outcome = Outcome()
    guard try prepareTable() else { return outcome }
    for file in files { try place(file) }
    var failure: StoreError?
    do throws(DeltaError) {
      let snapshot = try table.commit { snapshot throws(DeltaError) in
        do throws(StoreError) {
          return try propose(onto: snapshot, &outcome)
        } catch {
          failure = error
          return nil
        }
      }
      if outcome.filesAdded + outcome.filesRemoved > 0 { outcome.version = snapshot.version }
    } catch { throw .delta(error) }
    if let failure { throw failure }
    return outcome
  }

  /// Makes the table if it is not there and something goes into it; answers whether it is there.
  private func prepareTable() throws(StoreError) -> Bool {
    do {
      if try table.exists() { return true }
    } catch { throw .delta(error) }
    guard !files.isEmpty else { return false }
    try StoreDirectory.make(table.path)
    do { _ = try table.create(try layout.metadata()) } catch { throw .delta(error) }
    return true
  }

  /// The commit that replaces what `snapshot` has of the days; nil when it has just that.
  private func propose(onto snapshot: Snapshot, _ outcome: inout Outcome) throws(StoreError) -> CommitProposal? {
    let additions = try layout.additions(to: snapshot)
    let old = snapshot.files.filter { file in
      Self.day(of: file).map(range.contains) ?? (range == .all)
    }
    let kept = Set(old.map { PathEncoding.fileKey($0.path) }).intersection(files.map(\.relativePath))
    let removed = old.filter { !kept.contains(PathEncoding.fileKey($0.path)) }
    let added = files.filter { !kept.contains($0.relativePath) }
    outcome = Outcome(
      filesAdded: added.count, filesRemoved: removed.count, rowsRemoved: removed.reduce(0) { $0 + Self.rowCount($1) },
      bytesAdded: added.reduce(0) { $0 + $1.byteCount })
    let metadata = try metadata(of: snapshot, adding: additions)
    guard !(added.isEmpty && removed.isEmpty && metadata == snapshot.metadata) else { return nil }
    let now = DeltaTable.nowMillis()
    var actions: [Action] = []
    if metadata != snapshot.metadata { actions.append(.metadata(metadata)) }
    actions += removed.map { .remove(RemoveFile($0, deletionMillis: now)) }
    actions += added.map { .add($0.action(modifiedMillis: now)) }
    return CommitProposal(
      operation: "WRITE", operationParameters: operationParameters, metrics: metrics(added, outcome), actions: actions,
      replacedPartitions: replacedPartitions, replacesTable: range == .all)
  }

  private func metadata(of snapshot: Snapshot, adding additions: [Field]) throws(StoreError) -> TableMetadata {
    var metadata = snapshot.metadata
    guard layout.derived.kept(by: snapshot) == layout.derived else {
      throw .delta(DeltaError(.conflict(.metadataChanged), place: layout.table))
    }
    metadata.configuration.merge(layout.derived.configuration) { _, new in new }
    guard !additions.isEmpty else { return metadata }
    do {
      metadata.schemaString = try DeltaSchema.adding(additions, to: metadata.schemaString)
    } catch { throw .delta(error) }
    return metadata
  }

  private var operationParameters: [String: JSONValue] {
    var all: [String: JSONValue] = ["mode": "Overwrite", "replace": .string("\(range)")]
    all["partitionBy"] = .string(JSONValue.array(PartitionColumns.names.map { .string($0) }).text)
    return all.merging(parameters.mapValues { .string($0) }) { $1 }
  }

  private func metrics(_ added: [FinishedFile], _ outcome: Outcome) -> [String: Int64] {
    [
      "numFiles": Int64(added.count), "numOutputRows": Int64(added.reduce(0) { $0 + $1.rowCount }),
      "numOutputBytes": Int64(outcome.bytesAdded), "numRemovedFiles": Int64(outcome.filesRemoved),
      "numRemovedRows": Int64(outcome.rowsRemoved),
    ]
  }

  /// The partitions that another writer must not have added to meanwhile.
  private var replacedPartitions: [[String: String?]] {
    guard case .days(let days) = range else { return [] }
    return (days.lowerBound.number...days.upperBound.number).map { [PartitionColumns.bucket: Day($0).description] }
  }

  static func day(of file: AddFile) -> Day? {
    (file.partitionValues[PartitionColumns.bucket] ?? nil).flatMap { Day($0) }
  }

  private static func rowCount(_ file: AddFile) -> Int {
    file.statistics.flatMap { FileStatistics(parsing: $0) }.map { Int($0.rowCount) } ?? 0
  }

  /// Moves a file to its place in the table, and syncs the directory.
  private func place(_ file: FinishedFile) throws(StoreError) {
    let directory = "\(table.path)/\(PartitionColumns.directory(file.day))"
    try StoreDirectory.make(directory)
    let path = "\(table.path)/\(file.relativePath)"
    guard unsafe rename(file.temporaryPath, path) == 0 else { throw .system(SystemError("rename", file.temporaryPath)) }
    try StoreDirectory.sync(directory)
  }
}
