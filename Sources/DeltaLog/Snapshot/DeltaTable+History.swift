/// What became of a table over time.
extension DeltaTable {
  /// The versions whose commits are there, in no order.
  package func commitVersions() throws(DeltaError) -> [Int64] {
    try log.names().compactMap { name in
      if case .commit(let version)? = LogFile(name: name) { version } else { nil }
    }
  }

  /// When a version was committed, as its commit says; nil where it does not, or is gone.
  package func timestampMillis(of version: Int64) throws(DeltaError) -> Int64? {
    guard try log.names().contains(LogFile.commitName(version)) else { return nil }
    return try commit(version).timestampMillis
  }

  /// The last version that was committed at or before a time; nil when there is none, or the log was cleaned up.
  package func version(asOfMillis millis: Int64) throws(DeltaError) -> Int64? {
    for version in try commitVersions().sorted(by: >) {
      if let committed = try commit(version).timestampMillis, committed <= millis { return version }
    }
    return nil
  }
}

extension [Action] {
  /// When the commit of these actions was made.
  package var timestampMillis: Int64? {
    for case .commitInfo(let info) in self { return info.timestampMillis }
    return nil
  }
}
