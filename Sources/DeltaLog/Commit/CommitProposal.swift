import JSONText

/// What a writer wants to commit, and what of the table it depends on.
package struct CommitProposal: Sendable {
  /// In commitInfo: `WRITE`, `MERGE`, `OPTIMIZE`, …
  package var operation: String
  package var operationParameters: [String: JSONValue]
  package var metrics: [String: Int64]
  /// What changes. `commitInfo` is made from the members above.
  package var actions: [Action]
  /// Partitions whose whole content is replaced: column and value. A file that another adds to one of them conflicts.
  package var replacedPartitions: [[String: String?]]
  /// Whether any file that another adds conflicts.
  package var replacesTable: Bool
  /// Applications whose transactions it was made by: one that another commits conflicts.
  package var readTransactions: Set<String>

  package init(
    operation: String, operationParameters: [String: JSONValue] = [:], metrics: [String: Int64] = [:],
    actions: [Action], replacedPartitions: [[String: String?]] = [], replacesTable: Bool = false,
    readTransactions: Set<String> = []
  ) {
    self.operation = operation
    self.operationParameters = operationParameters
    self.metrics = metrics
    self.actions = actions
    self.replacedPartitions = replacedPartitions
    self.replacesTable = replacesTable
    self.readTransactions = readTransactions
  }

  var removesRows: Bool {
    actions.contains { if case .remove(let file) = $0 { file.dataChange } else { false } }
  }

  var readsTable: Bool {
    replacesTable || !replacedPartitions.isEmpty
      || actions.contains { if case .remove = $0 { true } else { false } }
  }
}

extension CommitProposal {
  /// - Throws: `.conflict` when `actions`, which another committed since this proposal's snapshot, leave it untrue.
  func check(against actions: [Action]) throws(DeltaError) {
    let ours = Set(
      self.actions.compactMap { if case .remove(let file) = $0 { PathEncoding.fileKey(file.path) } else { nil } })
    let written = Set(self.actions.compactMap { if case .transaction(let own) = $0 { own.appID } else { nil } })
    let appIDs = written.union(readTransactions)
    for action in actions {
      switch action {
      case .tableProtocol: throw DeltaError(.conflict(.protocolChanged))
      case .metadata: throw DeltaError(.conflict(.metadataChanged))
      case .transaction(let other) where appIDs.contains(other.appID):
        throw DeltaError(.conflict(.transaction(appID: other.appID)))
      case .remove(let file) where ours.contains(PathEncoding.fileKey(file.path)):
        throw DeltaError(.conflict(.removedFile(path: file.path)))
      case .add(let file) where replaces(file):
        throw DeltaError(.conflict(.addedFile(path: file.path)))
      default: break
      }
    }
  }

  private func replaces(_ file: AddFile) -> Bool {
    replacesTable
      || replacedPartitions.contains { partition in
        partition.allSatisfy { column, value in (file.partitionValues[column] ?? nil) == value }
      }
  }

  /// - Throws: `.conflict(.staleTransaction)` when a transaction would go back or be committed twice.
  func checkTransactions(_ committed: [String: AppTransaction]) throws(DeltaError) {
    for case .transaction(let own) in actions {
      if let last = committed[own.appID], own.version <= last.version {
        throw DeltaError(
          .conflict(.staleTransaction(appID: own.appID, version: own.version, committed: last.version)))
      }
    }
  }

  /// The text of the commit.
  func text(readVersion: Int64?, timestampMillis: Int64) -> String {
    var info: [String: JSONValue] = [
      "timestamp": .integer(timestampMillis), "operation": .string(operation),
      "operationParameters": .object(operationParameters), "engineInfo": "seqline",
      "isBlindAppend": .bool(!readsTable),
      "operationMetrics": .object(metrics.mapValues { .string(String($0)) }),
    ]
    if let readVersion { info["readVersion"] = .integer(readVersion) }
    let lines = ([.commitInfo(CommitInfo(info))] + actions).compactMap(\.line)
    return lines.joined(separator: "\n") + "\n"
  }
}
