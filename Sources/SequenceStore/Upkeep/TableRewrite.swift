import Definitions
import DeltaLog
import Engine
import Glibc
import JSONText

/// A table at one version, whose files are to be rewritten.
struct TableRewrite {
  let store: StoreDirectory
  let table: DeltaTable
  let snapshot: Snapshot
  let layout: TableLayout
  let files: [StoreFile]
  /// The columns that readers derive.
  let derived: DerivedColumns
  private let rows: TableRows
  private let options: StoreFileOptions

  /// Of the memory for files' footers and indexes.
  private static let indexByteLimit = 32 << 20

  /// Nil where there is no such table.
  init?(
    _ store: StoreDirectory, dataset: String, table name: String, _ options: StoreFileOptions
  ) throws(StoreError) {
    let table = DeltaTable(path: "\(store.path)/\(name)")
    do {
      guard try table.exists() else { return nil }
      snapshot = try table.snapshot()
    } catch { throw .delta(error) }
    self.store = store
    self.table = table
    self.options = options
    derived = DerivedColumns(of: snapshot.metadata)
    layout = try TableLayout(of: snapshot, dataset: dataset, table: name)
    rows = TableRows(layout, of: snapshot, in: store)
    let indexes = FileIndexCache(byteLimit: Self.indexByteLimit)
    files = snapshot.files.map { StoreFile($0, path: table.location(of: $0), indexes: indexes) }
    try StoreDirectory.make(store.temporary)
  }

  /// Its files by bucket; those that lie in none are left alone.
  var buckets: [Bucket: [StoreFile]] {
    var buckets: [Bucket: [StoreFile]] = [:]
    for file in files {
      if let bucket = file.bucket { buckets[bucket, default: []].append(file) }
    }
    return buckets
  }

  /// Files that were taken out of the table after a time, as far as they are still there.
  func filesRemoved(sinceMillis: Int64) -> [StoreFile] {
    snapshot.removed.filter { $0.deletionMillis ?? .max > sinceMillis }.compactMap { removed in
      let file = AddFile(
        path: removed.path, partitionValues: removed.partitionValues ?? [:], byteCount: removed.byteCount ?? 0,
        modificationMillis: 0)
      let path = table.location(of: file)
      return unsafe access(path, F_OK) == 0 ? StoreFile(file, path: path) : nil
    }
  }

  /// Whether nobody has committed to the table since.
  func isLatest() throws(StoreError) -> Bool {
    do { return try table.latestVersion() == snapshot.version } catch { throw .delta(error) }
  }

  /// Merges files into one for `bucket`, or one a shard, and commits that in their place.
  ///
  /// - Parameter isWanted: asked again and again.
  /// - Throws: `.stopped` when it is not wanted any more.
  /// - Returns: nil when nothing changed, or when another's commit took one of the files meanwhile.
  func merge(
    _ files: [StoreFile], into bucket: Bucket, as kind: UpkeepAction.Kind, while isWanted: () -> Bool = { true },
    choosing choice: @escaping RowChoice
  ) throws(StoreError) -> UpkeepAction? {
    let (merged, superseded) = try rows.write(files, to: bucket, options, while: isWanted, choosing: choice)
    let placement = FilePlacement(table)
    defer { placement.removeUnplaced(merged) }
    let change = FileChange(of: snapshot, removing: files.map(\.action), adding: merged)
    guard !change.isEmpty else { return nil }
    for file in change.added { try placement.place(file) }
    var action = UpkeepAction(kind, layout.table, bucket: bucket)
    action.filesIn = files.count
    action.filesOut = merged.count
    action.rowsIn = files.reduce(0) { $0 + $1.action.rowCount }
    action.rowsOut = merged.reduce(0) { $0 + $1.rowCount }
    action.superseded = superseded
    action.byteCount = merged.reduce(0) { $0 + $1.byteCount }
    return try commit(change, action) ? action : nil
  }

  /// Takes files out of the table.
  /// - Returns: nil when another's commit took one of them meanwhile.
  func remove(_ files: [StoreFile], as kind: UpkeepAction.Kind) throws(StoreError) -> UpkeepAction? {
    guard !files.isEmpty else { return nil }
    var action = UpkeepAction(kind, layout.table)
    action.filesIn = files.count
    action.rowsIn = files.reduce(0) { $0 + $1.action.rowCount }
    action.byteCount = files.reduce(0) { $0 + Int($1.action.byteCount) }
    return try commit(FileChange(of: snapshot, removing: files.map(\.action), adding: []), action) ? action : nil
  }

  /// Answers false when another's commit removed one of the files, or changed the schema, meanwhile.
  private func commit(_ change: FileChange, _ action: UpkeepAction) throws(StoreError) -> Bool {
    var parameters: [String: JSONValue] = ["upkeep": .string(action.kind.rawValue)]
    if let bucket = action.bucket { parameters["bucket"] = .string("\(bucket)") }
    let proposal = CommitProposal(
      operation: action.kind == .compact ? "OPTIMIZE" : "DELETE", operationParameters: parameters,
      metrics: change.metrics, actions: change.actions(dataChange: action.rowsIn != action.rowsOut))
    do {
      _ = try table.commit(proposal, onto: snapshot)
      return true
    } catch {
      switch error.reason {
      case .conflict(.removedFile), .conflict(.metadataChanged): return false
      default: throw .delta(error)
      }
    }
  }
}
