import Synchronization

/// Counts what readers read of data files. Shared by threads.
package final class ReadMeter: Sendable {
  private let bytes = Atomic<Int>(0)

  package init() {}

  /// Of pages that were decoded, as the files have them, dictionaries included; footers and indexes are not counted.
  package var byteCount: Int { bytes.load(ordering: .relaxed) }

  func add(_ byteCount: Int) { bytes.wrappingAdd(byteCount, ordering: .relaxed) }
}
