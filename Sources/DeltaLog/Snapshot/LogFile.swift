/// A file of `_delta_log`, told by its name.
/// - Source: Delta `PROTOCOL.md`, "File Types".
enum LogFile: Equatable {
  case commit(Int64)
  /// A checkpoint, whole or one of `parts` (1-based).
  case checkpoint(version: Int64, part: Int, parts: Int)
  /// A checkpoint of the v2 form, named by a UUID: it may need sidecar files.
  case uuidCheckpoint(version: Int64)

  /// Above any version that a table reaches, and far from overflow.
  static let maximumVersion: Int64 = 1 << 60

  init?(name: String) {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 2, parts[0].utf8.count == 20, let version = Int64(parts[0]),
      (0...Self.maximumVersion).contains(version)
    else { return nil }
    switch (parts.count, parts[1]) {
    case (2, "json"): self = .commit(version)
    case (3, "checkpoint") where parts[2] == "parquet": self = .checkpoint(version: version, part: 1, parts: 1)
    case (4, "checkpoint") where parts[2].utf8.count == 36: self = .uuidCheckpoint(version: version)
    case (5, "checkpoint") where parts[4] == "parquet":
      guard let part = Int(parts[2]), let count = Int(parts[3]), count >= 1, (1...count).contains(part) else {
        return nil
      }
      self = .checkpoint(version: version, part: part, parts: count)
    default: return nil
    }
  }

  static func commitName(_ version: Int64) -> String { "\(padded(version, 20)).json" }

  static func checkpointName(_ version: Int64) -> String { "\(padded(version, 20)).checkpoint.parquet" }

  static func checkpointName(_ version: Int64, part: Int, parts: Int) -> String {
    parts == 1
      ? checkpointName(version)
      : "\(padded(version, 20)).checkpoint.\(padded(Int64(part), 10)).\(padded(Int64(parts), 10)).parquet"
  }

  private static func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}

/// What must be read, in this order, to know a version.
struct LogSegment: Equatable {
  /// The version reached.
  var version: Int64
  /// The checkpoint to begin from and its parts' names; none begins at version 0.
  var checkpoint: (version: Int64, names: [String])?
  /// Commits after the checkpoint, ascending without a gap.
  var commits: [Int64]

  static func == (left: LogSegment, right: LogSegment) -> Bool {
    left.version == right.version && left.commits == right.commits
      && left.checkpoint?.version == right.checkpoint?.version
      && left.checkpoint?.names == right.checkpoint?.names
  }

  /// Chooses among the names in `_delta_log` those that lead to `wanted` (nil: the latest version).
  /// - Throws: `.notATable`, `.noSuchVersion`, `.missingCommit`, or the v2 checkpoint that alone would lead there.
  init(names: [String], wanted: Int64?) throws(DeltaError) {
    let files = names.compactMap(LogFile.init(name:))
    let commits = Set(files.compactMap { file in if case .commit(let version) = file { version } else { nil } })
    let checkpoints = Self.completeCheckpoints(files)
    let uuidCheckpoints = files.compactMap { file in
      if case .uuidCheckpoint(let version) = file { version } else { nil }
    }
    guard let latest = [commits.max(), checkpoints.keys.max(), uuidCheckpoints.max()].compactMap(\.self).max() else {
      throw DeltaError(.notATable)
    }
    let target = wanted ?? latest
    guard (0...latest).contains(target) else { throw DeltaError(.noSuchVersion(target, latest: latest)) }
    let start = checkpoints.keys.filter { $0 <= target }.max()
    let first = start.map { $0 + 1 } ?? 0
    if let missing = (first..<target + 1).first(where: { !commits.contains($0) }) {
      if uuidCheckpoints.contains(where: { $0 >= missing && $0 <= target }) {
        throw DeltaError(.unsupportedReaderFeature("v2Checkpoint"))
      }
      throw wanted == nil || missing > first
        ? DeltaError(.missingCommit(missing)) : DeltaError(.noSuchVersion(target, latest: latest))
    }
    version = target
    checkpoint = start.map { ($0, checkpoints[$0] ?? []) }
    self.commits = Array(first..<target + 1)
  }

  /// Names of each version's checkpoint, of those of which every part is there; one part wins over several.
  private static func completeCheckpoints(_ files: [LogFile]) -> [Int64: [String]] {
    struct Key: Hashable {
      var version: Int64
      var parts: Int
    }
    var parts: [Key: Set<Int>] = [:]
    for case .checkpoint(let version, let part, let count) in files {
      parts[Key(version: version, parts: count), default: []].insert(part)
    }
    var complete: [Int64: [String]] = [:]
    for (key, found) in parts.sorted(by: { $0.key.parts > $1.key.parts }) where found.count == key.parts {
      complete[key.version] = (1...key.parts).map { LogFile.checkpointName(key.version, part: $0, parts: key.parts) }
    }
    return complete
  }
}
