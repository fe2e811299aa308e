import Arrow

/// A table's state at one version: the outcome of replaying its log. Immutable, shared by threads.
/// - Source: Delta `PROTOCOL.md`, "Action Reconciliation".
package struct Snapshot: Sendable {
  package let version: Int64
  package let tableProtocol: TableProtocol
  package let metadata: TableMetadata
  /// All columns, partition columns included.
  package let schema: Schema
  /// The files that make up the table, in order of their paths.
  package let files: [AddFile]
  /// The files that were part of it, for a checkpoint to remember.
  package let removed: [RemoveFile]
  /// By application.
  package let transactions: [String: AppTransaction]
  package let domains: [String: DomainMetadata]
  /// When the newest commit that was read says it was made.
  package let timestampMillis: Int64?

  package func configuration(_ key: String) -> String? { metadata.configuration[key] ?? nil }

  package var rowCount: Int64? {
    var total: Int64 = 0
    for file in files {
      guard let statistics = file.statistics.flatMap({ FileStatistics(parsing: $0) }) else { return nil }
      total += statistics.rowCount
    }
    return total
  }
}

/// Replays a log, oldest action first.
struct LogReplay {
  private var version: Int64 = -1
  private var tableProtocol: TableProtocol?
  private var metadata: TableMetadata?
  private var files: [String: AddFile] = [:]
  private var removed: [String: RemoveFile] = [:]
  private var transactions: [String: AppTransaction] = [:]
  private var domains: [String: DomainMetadata] = [:]
  private var timestampMillis: Int64?

  init() {}

  /// Goes on from `snapshot`.
  init(from snapshot: Snapshot) {
    version = snapshot.version
    tableProtocol = snapshot.tableProtocol
    metadata = snapshot.metadata
    files = Dictionary(snapshot.files.map { (PathEncoding.fileKey($0.path), $0) }) { _, last in last }
    removed = Dictionary(snapshot.removed.map { (PathEncoding.fileKey($0.path), $0) }) { _, last in last }
    transactions = snapshot.transactions
    domains = snapshot.domains
    timestampMillis = snapshot.timestampMillis
  }

  /// Applies a commit, or a part of a checkpoint, of `version`.
  mutating func apply(_ actions: some Sequence<Action>, version: Int64) {
    self.version = version
    for action in actions { apply(action) }
  }

  private mutating func apply(_ action: Action) {
    switch action {
    case .add(let file):
      let key = PathEncoding.fileKey(file.path)
      removed[key] = nil
      files[key] = file
    case .remove(let file):
      let key = PathEncoding.fileKey(file.path)
      files[key] = nil
      removed[key] = file
    case .metadata(let latest): metadata = latest
    case .tableProtocol(let latest): tableProtocol = latest
    case .transaction(let latest): transactions[latest.appID] = latest
    case .domainMetadata(let latest): domains[latest.domain] = latest.removed ? nil : latest
    case .commitInfo(let info): timestampMillis = info.timestampMillis ?? timestampMillis
    case .other: break
    }
  }

  /// The state reached.
  /// - Throws: `.missingProtocol`, `.missingMetadata`, a feature that is needed to read the table, or what is wrong with
  ///   its schema.
  func snapshot() throws(DeltaError) -> Snapshot {
    guard let tableProtocol else { throw DeltaError(.missingProtocol) }
    guard let metadata else {
      guard (1...3).contains(tableProtocol.minReaderVersion) else {
        throw DeltaError(.unsupportedReaderVersion(tableProtocol.minReaderVersion))
      }
      throw DeltaError(.missingMetadata)
    }
    guard !metadata.schemaString.isEmpty else { throw DeltaError(.missingSchema) }
    try TableFeatures.checkReadable(tableProtocol, metadata)
    guard !files.values.contains(where: { $0.deletionVector != nil }) else {
      throw DeltaError(.unsupportedReaderFeature("deletionVectors"))
    }
    return Snapshot(
      version: version, tableProtocol: tableProtocol, metadata: metadata,
      schema: try DeltaSchema.parse(metadata.schemaString), files: files.values.sorted { $0.path < $1.path },
      removed: removed.values.sorted { $0.path < $1.path }, transactions: transactions, domains: domains,
      timestampMillis: timestampMillis)
  }
}
