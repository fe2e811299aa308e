/// How a file is read, and what it may cost.
package struct ReadOptions: Sendable {
  /// Whether pages that have a checksum must match it.
  package var verifiesChecksums = true
  /// Bytes that one page may take, stored or decoded.
  package var pageByteLimit = 1 << 30
  /// Bytes that one batch may take.
  package var batchByteLimit = 1 << 32
  /// Columns of strings or bytes that are returned as dictionary arrays with int32 indices.
  package var dictionaryColumns: Set<String> = []

  package init() {}
}
