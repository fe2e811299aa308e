import DeltaLog
import Glibc

/// A directory as input: a Delta table, or Parquet files at any depth.
enum TableDirectory {
  /// Whether there is a directory.
  static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The Parquet files, in the order of their paths; hidden files and directories are left out, as other engines do.
  /// - Throws: `TableError` when there is none.
  static func parquetFiles(in path: String) throws(TableError) -> [String] {
    let found = files(in: path).filter { $0.hasSuffix(".parquet") }
    guard !found.isEmpty else {
      throw TableError(path: path, reason: "this directory is no Delta table and holds no .parquet file")
    }
    return found
  }

  private static func files(in path: String) -> [String] {
    DirectoryNames.of(path).filter { !$0.hasPrefix(".") && !$0.hasPrefix("_") }.flatMap { name in
      let child = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
      return isDirectory(child) ? files(in: child) : [child]
    }
  }

  /// What to read of a Delta table as it is now.
  static func deltaRows(_ path: String) throws -> [TableRows] {
    let table = DeltaTable(path: path)
    let snapshot = try table.snapshot()
    return snapshot.files.map { TableRows(part: .deltaFile($0, table, snapshot)) }
  }
}
