// STORE/
//   definitions/                                          the compiled definitions that the tables were made with
//   tmp/                                                  files being written; nothing refers to them
//   datasets/DATASET/_delta_log/…                         a Delta table of events, none of them retracted
//   datasets/DATASET/bucket=2026-11-20/shard=00/H.parquet a day, sorted by user and time; H: a hash of the content
//   datasets/DATASET/bucket=2026-09/shard=00/H.parquet    a month of older days
//   retractions/DATASET/…                                 a Delta table of the events that are gone, laid out alike
//   serving/…                                             what the server remembers of its own figures
//   profiles/…                                            what the events of the last weeks are like: see ProfileDirectory
//   live/00/…                                             the live log: see LiveDirectory
import Definitions
import DeltaLog
import Engine
import Glibc

/// Where a store keeps what.
package struct StoreDirectory: Sendable, Hashable {
  package let path: String

  package init(_ path: String) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  package var temporary: String { path + "/tmp" }
  package var definitions: String { path + "/definitions" }

  /// What the server remembers of its own figures.
  package var history: String { path + "/serving/history.ndjson" }

  /// What it remembers of requests by the hour.
  package var requestHistory: String { path + "/serving/hours.ndjson" }

  /// Makes the directory of `history` in a store that is there.
  package func makeHistoryDirectory() throws(StoreError) { try Self.make(path + "/serving") }

  package var exists: Bool { unsafe access(path, F_OK) == 0 }

  package func dataset(_ name: String) -> DeltaTable { DeltaTable(path: "\(path)/datasets/\(name)") }

  package func retractions(_ name: String) -> DeltaTable { DeltaTable(path: "\(path)/retractions/\(name)") }

  /// The names of the datasets that have a table, sorted.
  package func datasetNames() throws(StoreError) -> [String] {
    var found: [String] = []
    for name in try Self.names(in: "\(path)/datasets") {
      do { if try dataset(name).exists() { found.append(name) } } catch { throw .delta(error) }
    }
    return found
  }

  /// What a directory holds, sorted, hidden files left out; nothing when it is not there.
  static func names(in directory: String) throws(StoreError) -> [String] {
    guard let handle = unsafe opendir(directory) else {
      if errno == ENOENT { return [] }
      throw .system(SystemError("read the directory", directory))
    }
    defer { unsafe closedir(handle) }
    var names: [String] = []
    while let entry = unsafe readdir(handle) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
        unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// Makes a directory and those above it.
  static func make(_ directory: String) throws(StoreError) {
    var path = ""
    for part in directory.split(separator: "/", omittingEmptySubsequences: false) {
      path += path.isEmpty && part.isEmpty ? "/" : (path.isEmpty || path == "/" ? "" : "/") + part
      guard !path.isEmpty, path != "/" else { continue }
      guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else {
        throw .system(SystemError("make the directory", path))
      }
    }
  }
}

extension StoreDirectory {
  /// Makes the names in a directory outlast a crash.
  static func sync(_ directory: String) throws(StoreError) {
    let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(SystemError("open", directory)) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .system(SystemError("sync", directory)) }
  }
}

extension StoreDirectory {
  /// A name in the temporary place that tells which process writes the file.
  static func temporaryName(for what: String) -> String {
    "\(what).\(UInt64.random(in: .min ... .max)).\(getpid()).tmp"
  }

  /// Removes what processes that are gone left in the temporary place.
  func removeAbandonedFiles() throws(StoreError) {
    for name in try Self.names(in: temporary) {
      let parts = name.split(separator: ".")
      guard parts.count >= 2, parts.last == "tmp", let process = pid_t(parts[parts.count - 2]) else { continue }
      if kill(process, 0) != 0, errno == ESRCH { removeFile("\(temporary)/\(name)") }
    }
  }
}

/// Removes a file that nobody needs, if it is there.
func removeFile(_ path: String) { unsafe unlink(path) }

/// One of so many shards that users are dealt to.
struct ShardPart: Sendable, Hashable {
  var shard: Shard
  var count: Int
}

/// The partition columns of every table of the store.
enum PartitionColumns {
  static let bucket = "bucket"
  static let shard = "shard"
  static let names = [bucket, shard]

  static func values(_ bucket: Bucket, _ shard: Shard) -> [String: String?] {
    [Self.bucket: bucket.description, Self.shard: shard.description]
  }

  /// Of a file's `add` action: of how many shards its partition is one. A file that does not say may hold any user, as those
  /// of other engines do, and those of a store that had one shard.
  private static let shardCountTag = "seqline.shards"

  static func tags(shardCount: Int) -> [String: String?]? { shardCount > 1 ? [shardCountTag: "\(shardCount)"] : nil }

  /// Which part of all users a file has; nil for all.
  static func part(of file: AddFile) -> ShardPart? {
    guard let count = (file.tags?[shardCountTag] ?? nil).flatMap({ Int($0) }), count > 1,
      let shard = (file.partitionValues[shard] ?? nil).flatMap({ Shard($0) }), shard.number < count
    else { return nil }
    return ShardPart(shard: shard, count: count)
  }

  /// The directory of a bucket's files of a shard, below the table.
  static func directory(_ bucket: Bucket, _ shard: Shard) -> String { "bucket=\(bucket)/shard=\(shard)" }
}
