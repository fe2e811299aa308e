extension LiveRun {
  /// Brings what waits in the live log into the tables, for a log that nobody writes to now.
  ///
  /// - Returns: nil when nothing waits, or when a writer has the log and will bring it in.
  package func settle() throws -> LiveRollCounts? {
    guard try hasUncoveredFrames() else { return nil }
    do {
      return try LiveService(store, definitions, shard, options).close(isComplete: true, settling: true)
    } catch LiveLogError.locked { return nil }
  }

  private func hasUncoveredFrames() throws(StoreError) -> Bool {
    let live = LiveDirectory(store, shard)
    guard let durable = try live.durableMarker() else { return false }
    let covered = try store.coveredSegment(of: shard)
    if durable.segment > covered, durable.byteCount > 0 { return true }
    return try live.segments().contains { $0 > covered && $0 < durable.segment }
  }
}
