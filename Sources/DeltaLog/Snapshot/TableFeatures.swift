/// Which tables this version reads and writes.
/// - Source: Delta `PROTOCOL.md`, "Requirements for Readers", "Table Features".
enum TableFeatures {
  /// Features that a reader need not do anything for, or that it does: timestamps without a zone are an Arrow type, and
  /// the vacuum check concerns only those who delete files.
  static let readable: Set<String> = ["timestampNtz", "vacuumProtocolCheck"]

  /// Features that ask nothing of a writer that does not use them, or that `checkWritable` enforces.
  static let writable: Set<String> = [
    "appendOnly", "invariants", "timestampNtz", "vacuumProtocolCheck", "domainMetadata",
  ]

  /// - Throws: `.unsupportedReaderVersion` or `.unsupportedReaderFeature`.
  static func checkReadable(_ demands: TableProtocol, _ metadata: TableMetadata) throws(DeltaError) {
    switch demands.minReaderVersion {
    case 1: break
    case 2: try checkColumnMapping(metadata)
    case 3:
      for feature in (demands.readerFeatures ?? []).sorted() where !readable.contains(feature) {
        guard feature == "columnMapping" else { throw DeltaError(.unsupportedReaderFeature(feature)) }
        try checkColumnMapping(metadata)
      }
    default: throw DeltaError(.unsupportedReaderVersion(demands.minReaderVersion))
    }
    guard metadata.provider.lowercased() == "parquet" else {
      throw DeltaError(.malformed("data files are '\(metadata.provider)'; only parquet is supported"))
    }
  }

  /// Legacy reader version 2 only allows column mapping; a table that does not use it reads like any other.
  private static func checkColumnMapping(_ metadata: TableMetadata) throws(DeltaError) {
    guard let mode = metadata.configuration["delta.columnMapping.mode"] ?? nil, mode != "none" else { return }
    throw DeltaError(.unsupportedReaderFeature("columnMapping"))
  }

  /// - Throws: `.unsupportedWriterVersion` or `.unsupportedWriterFeature`.
  static func checkWritable(
    _ demands: TableProtocol, _ metadata: TableMetadata, removesRows: Bool
  ) throws(DeltaError) {
    try checkReadable(demands, metadata)
    switch demands.minWriterVersion {
    case 1, 2: break
    case 7:
      for feature in (demands.writerFeatures ?? []).sorted() where !writable.contains(feature) {
        throw DeltaError(.unsupportedWriterFeature(feature))
      }
    default: throw DeltaError(.unsupportedWriterVersion(demands.minWriterVersion))
    }
    if metadata.schemaString.contains("\"delta.invariants\"") {
      throw DeltaError(.unsupportedWriterFeature("invariants"))
    }
    if removesRows, (metadata.configuration["delta.appendOnly"] ?? nil) == "true" {
      throw DeltaError(.unsupportedWriterFeature("appendOnly"))
    }
  }
}
