import Buffers
import Glibc
import JSONText

extension DeltaTable {
  /// How often a commit is tried against faster writers.
  static let maximumAttempts = 100

  /// Makes an empty table.
  /// - Returns: its first snapshot, or the one there is when another made the table meanwhile.
  package func create(_ metadata: TableMetadata, protocol demands: TableProtocol? = nil) throws(DeltaError) -> Snapshot
  {
    try log.makeDirectory()
    let demands = demands ?? TableProtocol(minReaderVersion: 1, minWriterVersion: 2)
    let proposal = CommitProposal(
      operation: "CREATE TABLE", actions: [.tableProtocol(demands), .metadata(metadata)])
    let text = proposal.text(readVersion: nil, timestampMillis: Self.nowMillis())
    if try !exists() { _ = try log.create(LogFile.commitName(0), Buffer(Array(text.utf8))) }
    return try snapshot()
  }

  /// Commits `proposal`, which was made from `base`, as the next version that is free.
  ///
  /// Commits that others made since `base` are read and checked first. A checkpoint is written at every tenth version
  /// (or as the table's `delta.checkpointInterval` says); a failure to write one does not matter to the commit.
  /// - Returns: the snapshot of the version made.
  /// - Throws: `.conflict` when another's commit leaves the proposal untrue: make a new one from a new snapshot.
  package func commit(_ proposal: CommitProposal, onto base: Snapshot) throws(DeltaError) -> Snapshot {
    do {
      return try attemptCommit(proposal, onto: base)
    } catch {
      throw error.within(path)
    }
  }

  private func attemptCommit(_ proposal: CommitProposal, onto base: Snapshot) throws(DeltaError) -> Snapshot {
    var latest = base
    for _ in 0..<Self.maximumAttempts {
      latest = try advance(latest, checking: proposal)
      try TableFeatures.checkWritable(latest.tableProtocol, latest.metadata, removesRows: proposal.removesRows)
      try proposal.checkTransactions(latest.transactions)
      let text = proposal.text(readVersion: base.version, timestampMillis: Self.nowMillis())
      let version = latest.version + 1
      guard try log.create(LogFile.commitName(version), Buffer(Array(text.utf8))) else { continue }
      var replay = LogReplay(from: latest)
      replay.apply(try Action.parse(commit: text), version: version)
      let snapshot = try replay.snapshot()
      checkpointIfDue(snapshot)
      return snapshot
    }
    throw DeltaError(.conflict(.attemptsExhausted(Self.maximumAttempts)))
  }

  /// The latest snapshot, after `proposal` was checked against each commit since `known`.
  private func advance(_ known: Snapshot, checking proposal: CommitProposal) throws(DeltaError) -> Snapshot {
    guard let newer = try newerCommits(than: known.version) else { throw DeltaError(.missingCommit(known.version + 1)) }
    guard !newer.isEmpty else { return known }
    var replay = LogReplay(from: known)
    for commit in newer {
      do { try proposal.check(against: commit.actions) } catch { throw error.within("version \(commit.version)") }
      replay.apply(commit.actions, version: commit.version)
    }
    return try replay.snapshot()
  }

  /// Commits what `propose` makes of the latest snapshot, again from a newer one whenever another's commit conflicts;
  /// for proposals that are right on any state, such as replacing partitions. Nil ends it without a commit.
  package func commit(
    retrying propose: (Snapshot) throws(DeltaError) -> CommitProposal?
  ) throws(DeltaError) -> Snapshot {
    var latest = try snapshot()
    for _ in 0..<Self.maximumAttempts {
      guard let proposal = try propose(latest) else { return latest }
      do {
        return try commit(proposal, onto: latest)
      } catch {
        switch error.reason {
        case .conflict(.removedFile), .conflict(.addedFile), .conflict(.metadataChanged), .conflict(.transaction):
          latest = try snapshot()
        default: throw error
        }
      }
    }
    throw DeltaError(.conflict(.attemptsExhausted(Self.maximumAttempts)), place: path)
  }

  private func checkpointIfDue(_ snapshot: Snapshot) {
    let interval = snapshot.configuration("delta.checkpointInterval").flatMap { Int64($0) } ?? 10
    guard interval > 0, snapshot.version % interval == 0 else { return }
    try? writeCheckpoint(snapshot)
  }

  /// Writes the checkpoint of `snapshot`, and `_last_checkpoint`, which says where it is.
  package func writeCheckpoint(_ snapshot: Snapshot) throws(DeltaError) {
    let checkpoint = try Checkpoint.encode(snapshot, nowMillis: Self.nowMillis())
    try log.replace(LogFile.checkpointName(snapshot.version), checkpoint.bytes)
    let hint: JSONValue = [
      "version": .integer(snapshot.version), "size": .integer(Int64(checkpoint.actionCount)),
      "sizeInBytes": .integer(Int64(checkpoint.bytes.byteCount)),
      "numOfAddFiles": .integer(Int64(snapshot.files.count)),
    ]
    try log.replace("_last_checkpoint", Buffer(Array(hint.text.utf8)))
  }

  package static func nowMillis() -> Int64 {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
  }

  /// A random UUID (version 4), for a new table's id.
  package static func newID() -> String {
    var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    let hex = bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }
    let groups = [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { hex[$0].joined() }
    return groups.joined(separator: "-")
  }
}
