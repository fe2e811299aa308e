/// Why a Delta table cannot be read or written, and where.
package struct DeltaError: Error, Equatable, Sendable, CustomStringConvertible {
  package enum Reason: Equatable, Sendable {
    /// No commit and no checkpoint lies in `_delta_log`.
    case notATable
    /// The table has not got that version (any more); its latest follows.
    case noSuchVersion(Int64, latest: Int64)
    case missingCommit(Int64)
    case missingProtocol
    case missingMetadata
    case missingSchema
    case unsupportedReaderVersion(Int)
    case unsupportedWriterVersion(Int)
    /// A feature that changes which rows the table holds, by its name in the Delta protocol.
    case unsupportedReaderFeature(String)
    case unsupportedWriterFeature(String)
    /// Bytes of the log that are not what the protocol asks for.
    case malformed(String)
    case unsupportedType(String)
    case partitionValue(column: String, value: String, type: String)
    /// Another writer's commit got in between and touched what this one read or replaces.
    case conflict(Conflict)
    /// A data or checkpoint file is unreadable.
    case parquet(String)
    /// A data file's column does not have the table's type.
    case columnType(column: String, found: String, wanted: String)
    /// A call of the operating system failed.
    case system(call: String, errno: Int32)
  }

  /// What a concurrent commit changed.
  package enum Conflict: Equatable, Sendable {
    case protocolChanged
    case metadataChanged
    /// It removed a file that this commit removes as well.
    case removedFile(path: String)
    /// It added a file to a partition that this commit replaces.
    case addedFile(path: String)
    /// It moved the version of the same application on.
    case transaction(appID: String)
    /// The application's version in the table is not below the one committed.
    case staleTransaction(appID: String, version: Int64, committed: Int64)
    /// Others were faster that many times in a row.
    case attemptsExhausted(Int)
  }

  package var reason: Reason
  /// The file, and where in it: `_delta_log/00000000000000000003.json: line 2`.
  package var place: String

  package init(_ reason: Reason, place: String = "") {
    self.reason = reason
    self.place = place
  }

  /// The same, found inside `outer`.
  package func within(_ outer: String) -> DeltaError {
    DeltaError(reason, place: place.isEmpty ? outer : "\(outer): \(place)")
  }

  package var description: String { place.isEmpty ? "\(reason)" : "\(place): \(reason)" }
}

extension DeltaError.Reason: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notATable: "no Delta table is here (its _delta_log holds no commit); check the path"
    case .noSuchVersion(let version, let latest):
      "version \(version) does not exist or was cleaned up; the latest is \(latest)"
    case .missingCommit(let version): "the commit of version \(version) is missing; restore it or drop the table"
    case .missingProtocol: "the log has no protocol action; the table is incomplete"
    case .missingMetadata: "the log has no metaData action; the table is incomplete"
    case .missingSchema: "the log's metaData action has no schema; the table is incomplete"
    case .unsupportedReaderVersion(let version): "reader version \(version) is unsupported; versions 1 to 3 are"
    case .unsupportedWriterVersion(let version):
      "writer version \(version) is unsupported; write with the engine that made it"
    case .unsupportedReaderFeature(let name):
      "the table needs the feature '\(name)' to be read; drop it with the engine that set it"
    case .unsupportedWriterFeature(let name):
      "the table needs the feature '\(name)' to be written; write with the engine that set it"
    case .malformed(let what): what
    case .unsupportedType(let type): "type \(type) is unsupported"
    case .partitionValue(let column, let value, let type):
      "partition value '\(value)' of column '\(column)' is no \(type)"
    case .conflict(let conflict): "\(conflict)"
    case .parquet(let what): what
    case .columnType(let column, let found, let wanted): "column '\(column)' is \(found) where the table has \(wanted)"
    case .system(let call, let errno): "\(call): \(systemMessage(errno))"
    }
  }
}

extension DeltaError.Conflict: CustomStringConvertible {
  package var description: String {
    switch self {
    case .protocolChanged: "a concurrent commit changed the protocol; run again"
    case .metadataChanged: "a concurrent commit changed the schema or configuration; run again"
    case .removedFile(let path): "a concurrent commit removed '\(path)', which this one removes; run again"
    case .addedFile(let path): "a concurrent commit added '\(path)' to a partition that this one replaces; run again"
    case .transaction(let appID): "a concurrent commit moved the transaction of '\(appID)' on; run again"
    case .staleTransaction(let appID, let version, let committed):
      "transaction \(version) of '\(appID)' is not above \(committed), which is committed; nothing is left to do"
    case .attemptsExhausted(let count): "\(count) attempts to commit lost against other writers; run again"
    }
  }
}
