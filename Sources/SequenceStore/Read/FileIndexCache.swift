import Engine

/// Footers, page indexes, bloom filters and dictionaries of data files in a bounded amount of memory, and a bounded number of open files.
/// Shared by threads.
package final class FileIndexCache: Sendable {
  package struct Statistics: Sendable {
    /// Of footers and indexes, about.
    package var byteCount = 0
    package var slotCount = 0
    /// Footers and indexes that went to make room.
    package var evictions = 0
    package var openFileCount = 0
  }

  /// For files that are read once: their indexes go with them.
  static let unlimited = FileIndexCache(byteLimit: .max)

  /// By bytes.
  let indexes: SlotCache
  /// Each of size 1.
  let files: SlotCache

  /// The other half of what the process may have open is for connections.
  package static var defaultOpenFileLimit: Int { DescriptorLimit.count / 2 }

  package init(byteLimit: Int, openFileLimit: Int = FileIndexCache.defaultOpenFileLimit) {
    indexes = SlotCache(limit: byteLimit)
    files = SlotCache(limit: openFileLimit)
  }

  package var statistics: Statistics {
    let indexes = indexes.statistics
    return Statistics(
      byteCount: indexes.size, slotCount: indexes.slotCount, evictions: indexes.evictions,
      openFileCount: files.statistics.size)
  }
}
