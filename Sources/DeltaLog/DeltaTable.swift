import Buffers

/// A Delta table in a directory of a local file system.
package struct DeltaTable: Sendable {
  /// The directory that holds `_delta_log`.
  package let path: String
  package let log: LogStorage

  package init(path: String) {
    self.path = path
    log = LogStorage(directory: path + "/_delta_log")
  }

  /// Whether a commit or checkpoint is there.
  package func exists() throws(DeltaError) -> Bool { try log.names().contains { LogFile(name: $0) != nil } }

  /// The table's state at `version`, or at its latest.
  /// - Throws: what is wrong with the log, or the feature that reading needs and this version has not got.
  package func snapshot(at version: Int64? = nil) throws(DeltaError) -> Snapshot {
    do {
      let segment = try LogSegment(names: try log.names(), wanted: version)
      var replay = LogReplay()
      for name in segment.checkpoint?.names ?? [] {
        replay.apply(try readCheckpoint(name), version: segment.version)
      }
      for commit in segment.commits { replay.apply(try readCommit(commit), version: commit) }
      return try replay.snapshot()
    } catch {
      throw error.within(path)
    }
  }

  /// The latest state, given an earlier one: only newer commits are read.
  package func snapshot(after earlier: Snapshot) throws(DeltaError) -> Snapshot {
    do {
      guard let newer = try newerCommits(than: earlier.version) else { return try snapshot() }
      guard !newer.isEmpty else { return earlier }
      var replay = LogReplay(from: earlier)
      for commit in newer { replay.apply(commit.actions, version: commit.version) }
      return try replay.snapshot()
    } catch {
      throw error.within(path)
    }
  }

  /// The actions of one commit.
  package func commit(_ version: Int64) throws(DeltaError) -> [Action] { try readCommit(version) }

  /// The latest version, which nothing is read for but names; nil when there is no table.
  package func latestVersion() throws(DeltaError) -> Int64? {
    try log.names().compactMap(LogFile.init(name:)).map { file in
      switch file {
      case .commit(let version), .checkpoint(let version, _, _), .uuidCheckpoint(let version): version
      }
    }.max()
  }

  /// The commits above `version`, ascending; nil when some of them were cleaned up.
  func newerCommits(than version: Int64) throws(DeltaError) -> [(version: Int64, actions: [Action])]? {
    let versions = try log.names().compactMap { name in
      if case .commit(let found)? = LogFile(name: name), found > version { found } else { nil }
    }.sorted()
    var commits: [(version: Int64, actions: [Action])] = []
    for found in versions {
      guard found == version + Int64(commits.count) + 1 else { return nil }
      commits.append((found, try readCommit(found)))
    }
    return commits
  }

  private func readCommit(_ version: Int64) throws(DeltaError) -> [Action] {
    let name = LogFile.commitName(version)
    let bytes = try log.read(name)
    guard let text = bytes.utf8Text else { throw DeltaError(.malformed("no UTF-8"), place: "_delta_log/\(name)") }
    do { return try Action.parse(commit: text) } catch { throw error.within("_delta_log/\(name)") }
  }

  private func readCheckpoint(_ name: String) throws(DeltaError) -> [Action] {
    let bytes = try log.read(name)
    do { return try Checkpoint.decode(bytes) } catch { throw error.within("_delta_log/\(name)") }
  }

  /// Where a file of the log lies on this file system.
  package func location(of file: AddFile) -> String {
    let key = PathEncoding.fileKey(file.path)
    return key.hasPrefix("/") ? key : "\(path)/\(key)"
  }
}

extension Buffer {
  /// The bytes as text; nil when they are no UTF-8.
  var utf8Text: String? { unsafe withUnsafeBytes { bytes in unsafe String(validating: bytes, as: UTF8.self) } }
}
