import DeltaLog
import Engine
import Glibc

/// Which files a commit takes out of a table, and which it puts in.
struct FileChange {
  private(set) var removed: [AddFile]
  private(set) var added: [FinishedFile]
  private let kept: Set<String>

  /// A file that is there already and that is to be there stays as it is.
  init(of snapshot: Snapshot, removing old: [AddFile], adding new: [FinishedFile]) {
    let present = Set(snapshot.files.map { PathEncoding.fileKey($0.path) })
    let kept = present.intersection(new.map(\.relativePath))
    self.kept = kept
    removed = old.filter { !kept.contains(PathEncoding.fileKey($0.path)) }
    var names: Set<String> = kept
    added = new.filter { names.insert($0.relativePath).inserted }
  }

  var isEmpty: Bool { removed.isEmpty && added.isEmpty }

  var addedByteCount: Int { added.reduce(0) { $0 + $1.byteCount } }
  var addedRowCount: Int { added.reduce(0) { $0 + $1.rowCount } }
  var removedRowCount: Int { removed.reduce(0) { $0 + $1.rowCount } }

  /// The rows of those of `files` that the table has already.
  func keptRowCount(_ files: [FinishedFile]) -> Int {
    files.reduce(0) { $0 + (kept.contains($1.relativePath) ? $1.rowCount : 0) }
  }

  /// - Parameter dataChange: whether the table's rows are others afterwards.
  func actions(dataChange: Bool = true) -> [Action] {
    let now = DeltaTable.nowMillis()
    return removed.map { .remove(RemoveFile($0, deletionMillis: now, dataChange: dataChange)) }
      + added.map { .add($0.action(modifiedMillis: now, dataChange: dataChange)) }
  }

  /// For commitInfo.
  var metrics: [String: Int64] {
    [
      "numFiles": Int64(added.count), "numOutputRows": Int64(addedRowCount), "numOutputBytes": Int64(addedByteCount),
      "numRemovedFiles": Int64(removed.count),
    ]
  }
}

extension AddFile {
  /// As its statistics say; 0 without them.
  var rowCount: Int { statistics.flatMap { FileStatistics(parsing: $0) }.map { Int($0.rowCount) } ?? 0 }
}

/// Moves finished files to their places in a table.
final class FilePlacement {
  private let table: DeltaTable
  /// Where a file is, by its temporary path, once it was moved.
  private var moved: [String: String] = [:]

  init(_ table: DeltaTable) { self.table = table }

  /// Moves a file to its bucket, and syncs the directory. A file may be moved on to another bucket later.
  func place(_ file: FinishedFile) throws(StoreError) {
    let path = "\(table.path)/\(file.relativePath)"
    let source = self.path(of: file)
    guard source != path else { return }
    let directory = "\(table.path)/\(PartitionColumns.directory(file.bucket, file.shard))"
    try StoreDirectory.make(directory)
    guard unsafe rename(source, path) == 0 else { throw .system(SystemError("rename", source)) }
    moved[file.temporaryPath] = path
    try StoreDirectory.sync(directory)
  }

  /// Where a file is now.
  func path(of file: FinishedFile) -> String { moved[file.temporaryPath] ?? file.temporaryPath }

  /// Removes those of `files` that were not needed.
  func removeUnplaced(_ files: [FinishedFile]) {
    for file in files where moved[file.temporaryPath] == nil { removeFile(file.temporaryPath) }
  }
}

extension DeltaTable {
  /// Commits what `propose` makes of the latest snapshot, again from a newer one whenever another's commit conflicts.
  func commit(
    _ propose: (Snapshot) throws(StoreError) -> CommitProposal?
  ) throws(StoreError) -> Snapshot {
    var failure: StoreError?
    let outcome: Result<Snapshot, DeltaError>
    do throws(DeltaError) {
      outcome = .success(
        try commit(retrying: { snapshot throws(DeltaError) in
          do throws(StoreError) {
            return try propose(snapshot)
          } catch {
            failure = error
            return nil
          }
        }))
    } catch { outcome = .failure(error) }
    if let failure { throw failure }
    do { return try outcome.get() } catch { throw .delta(error) }
  }
}
