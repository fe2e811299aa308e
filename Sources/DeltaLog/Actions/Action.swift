import JSONText

/// One line of a commit, one row of a checkpoint: a change to the table's state.
/// - Source: Delta `PROTOCOL.md`, "Actions".
package enum Action: Sendable, Equatable {
  case add(AddFile)
  case remove(RemoveFile)
  case metadata(TableMetadata)
  case tableProtocol(TableProtocol)
  case transaction(AppTransaction)
  case commitInfo(CommitInfo)
  case domainMetadata(DomainMetadata)
  /// An action that adds nothing to the state (`cdc`) or that this version does not know, by its name.
  case other(String)
}

/// A data file that is part of the table.
package struct AddFile: Sendable, Equatable {
  /// As in the log: relative to the table, or an absolute URI; percent-encoded.
  package var path: String
  /// A partition column's value as text; nil for null.
  package var partitionValues: [String: String?]
  package var byteCount: Int64
  package var modificationMillis: Int64
  /// Whether the file changes the table's rows; false for one that only holds them in another order.
  package var dataChange: Bool
  /// JSON text, see `FileStatistics`.
  package var statistics: String?
  package var tags: [String: String?]?
  package var deletionVector: JSONValue?

  package init(
    path: String, partitionValues: [String: String?] = [:], byteCount: Int64, modificationMillis: Int64,
    dataChange: Bool = true, statistics: String? = nil, tags: [String: String?]? = nil, deletionVector: JSONValue? = nil
  ) {
    self.path = path
    self.partitionValues = partitionValues
    self.byteCount = byteCount
    self.modificationMillis = modificationMillis
    self.dataChange = dataChange
    self.statistics = statistics
    self.tags = tags
    self.deletionVector = deletionVector
  }
}

/// A data file that is no longer part of the table; it stays on disk until a vacuum.
package struct RemoveFile: Sendable, Equatable {
  package var path: String
  package var deletionMillis: Int64?
  package var dataChange: Bool
  package var extendedFileMetadata: Bool?
  package var partitionValues: [String: String?]?
  package var byteCount: Int64?
  package var tags: [String: String?]?
  package var deletionVector: JSONValue?

  package init(
    path: String, deletionMillis: Int64?, dataChange: Bool = true, extendedFileMetadata: Bool? = nil,
    partitionValues: [String: String?]? = nil, byteCount: Int64? = nil, tags: [String: String?]? = nil,
    deletionVector: JSONValue? = nil
  ) {
    self.path = path
    self.deletionMillis = deletionMillis
    self.dataChange = dataChange
    self.extendedFileMetadata = extendedFileMetadata
    self.partitionValues = partitionValues
    self.byteCount = byteCount
    self.tags = tags
    self.deletionVector = deletionVector
  }

  /// Takes `file` out of the table.
  package init(_ file: AddFile, deletionMillis: Int64, dataChange: Bool = true) {
    self.init(
      path: file.path, deletionMillis: deletionMillis, dataChange: dataChange, extendedFileMetadata: true,
      partitionValues: file.partitionValues, byteCount: file.byteCount, tags: file.tags)
  }
}

/// The table's schema, partition columns and configuration.
package struct TableMetadata: Sendable, Equatable {
  package var id: String
  package var name: String?
  package var summary: String?
  /// How data files are stored; `parquet` is the only one there is.
  package var provider: String
  package var providerOptions: [String: String?]
  /// JSON text, see `DeltaSchema`; empty where a writer that changed its mind in a later action left it out.
  package var schemaString: String
  package var partitionColumns: [String]
  package var configuration: [String: String?]
  package var createdMillis: Int64?

  package init(
    id: String, name: String? = nil, summary: String? = nil, provider: String = "parquet",
    providerOptions: [String: String?] = [:], schemaString: String, partitionColumns: [String] = [],
    configuration: [String: String?] = [:], createdMillis: Int64? = nil
  ) {
    self.id = id
    self.name = name
    self.summary = summary
    self.provider = provider
    self.providerOptions = providerOptions
    self.schemaString = schemaString
    self.partitionColumns = partitionColumns
    self.configuration = configuration
    self.createdMillis = createdMillis
  }
}

/// What a reader and a writer must be able to do.
package struct TableProtocol: Sendable, Equatable {
  package var minReaderVersion: Int
  package var minWriterVersion: Int
  /// Present from reader version 3.
  package var readerFeatures: [String]?
  /// Present from writer version 7.
  package var writerFeatures: [String]?

  package init(
    minReaderVersion: Int, minWriterVersion: Int, readerFeatures: [String]? = nil, writerFeatures: [String]? = nil
  ) {
    self.minReaderVersion = minReaderVersion
    self.minWriterVersion = minWriterVersion
    self.readerFeatures = readerFeatures
    self.writerFeatures = writerFeatures
  }
}

/// How far an application has got, so that it commits nothing twice.
package struct AppTransaction: Sendable, Equatable {
  package var appID: String
  package var version: Int64
  package var lastUpdatedMillis: Int64?

  package init(appID: String, version: Int64, lastUpdatedMillis: Int64? = nil) {
    self.appID = appID
    self.version = version
    self.lastUpdatedMillis = lastUpdatedMillis
  }
}

/// Who committed what and when; free form.
package struct CommitInfo: Sendable, Equatable {
  package var members: [String: JSONValue]

  package init(_ members: [String: JSONValue]) { self.members = members }

  package var timestampMillis: Int64? { members["timestamp"]?.integer }
  package var operation: String? { members["operation"]?.string }
}

/// A named domain's own configuration.
package struct DomainMetadata: Sendable, Equatable {
  package var domain: String
  package var configuration: String
  package var removed: Bool

  package init(domain: String, configuration: String, removed: Bool) {
    self.domain = domain
    self.configuration = configuration
    self.removed = removed
  }
}
