import DeltaLog
import Engine
import Glibc

/// Deletes data files that no version of the last days refers to: what `seq-store vacuum` does.
///
/// A file goes when the table's versions since `grace` ago do without it and it was put in its place before then. What is
/// younger may belong to a commit that is being made.
package struct FileVacuum {
  private let store: StoreDirectory
  private let graceMillis: Int64
  private let nowMillis: Int64

  package init(_ store: StoreDirectory, graceMillis: Int64, nowMillis: Int64 = DeltaTable.nowMillis()) {
    self.store = store
    self.graceMillis = graceMillis
    self.nowMillis = nowMillis
  }

  /// - Parameter deletes: false to say only what would go.
  package func run(deletes: Bool = true, _ report: (UpkeepAction) -> Void) throws(StoreError) {
    for dataset in try store.datasetNames() {
      for name in ["datasets/\(dataset)", "retractions/\(dataset)"] {
        if let action = try clean(name, deletes: deletes) { report(action) }
      }
    }
    if deletes { try store.removeAbandonedFiles() }
  }

  private func clean(_ name: String, deletes: Bool) throws(StoreError) -> UpkeepAction? {
    let table = DeltaTable(path: "\(store.path)/\(name)")
    var action = UpkeepAction(.vacuum, name)
    // What lies there is listed first: a file that comes later is not looked at.
    let found = try dataFiles(of: table)
    guard !found.isEmpty else { return nil }
    let needed: Set<String>
    do { needed = try table.filesNeeded(sinceMillis: nowMillis - graceMillis) } catch { throw .delta(error) }
    for file in found where !needed.contains(file.key) && file.changedMillis <= nowMillis - graceMillis {
      action.filesIn += 1
      action.byteCount += file.byteCount
      if deletes { removeFile("\(table.path)/\(file.key)") }
    }
    return action.filesIn > 0 ? action : nil
  }

  private struct DataFile {
    /// Below the table.
    var key: String
    /// When it got its name, for renaming does not change when it was written.
    var changedMillis: Int64
    var byteCount: Int
  }

  /// All Parquet files in the table's buckets.
  private func dataFiles(of table: DeltaTable) throws(StoreError) -> [DataFile] {
    var files: [DataFile] = []
    for bucket in try StoreDirectory.names(in: table.path) where bucket.hasPrefix("\(PartitionColumns.bucket)=") {
      for shard in try StoreDirectory.names(in: "\(table.path)/\(bucket)") {
        let directory = "\(bucket)/\(shard)"
        for name in try StoreDirectory.names(in: "\(table.path)/\(directory)") where name.hasSuffix(".parquet") {
          var status = stat()
          guard unsafe lstat("\(table.path)/\(directory)/\(name)", &status) == 0 else { continue }
          let changed = Int64(status.st_ctim.tv_sec) * 1_000 + Int64(status.st_ctim.tv_nsec) / 1_000_000
          files.append(DataFile(key: "\(directory)/\(name)", changedMillis: changed, byteCount: Int(status.st_size)))
        }
      }
    }
    return files
  }
}

extension DeltaTable {
  /// The files of the versions that were the latest at some moment since `sinceMillis`, by their keys.
  func filesNeeded(sinceMillis: Int64) throws(DeltaError) -> Set<String> {
    let latest = try snapshot()
    var needed = Set(latest.files.map { PathEncoding.fileKey($0.path) })
    for file in latest.removed where file.deletionMillis ?? .max >= sinceMillis {
      needed.insert(PathEncoding.fileKey(file.path))
    }
    // A checkpoint forgets what was removed long ago, the commits do not.
    for version in try commitVersions().sorted(by: >) {
      let actions = try commit(version)
      if actions.timestampMillis ?? .max < sinceMillis { break }
      for case .remove(let file) in actions { needed.insert(PathEncoding.fileKey(file.path)) }
    }
    return needed
  }
}
