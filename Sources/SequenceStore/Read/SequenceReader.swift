import Arrow
import ArrowKernels
import Buffers
import Definitions
import Parquet

/// Reads users' sequences from a snapshot: one per thread.
///
/// Days are read from the newest back, until enough events are found. In each file bloom filter and page bounds lead to
/// the pages that hold the user; of those the columns that select events are decoded first, and the wanted columns only
/// where events were selected. Among rows of one event, in whatever files of the days that were read, the highest
/// revision holds, of equal ones the row seen first; one that a higher revision took back is left out.
package final class SequenceReader {
  private let snapshot: StoreSnapshot
  private var context: DecodingContext

  /// - Parameter verifiesChecksums: whether pages must match their CRC.
  package init(_ snapshot: StoreSnapshot, verifiesChecksums: Bool = false) {
    self.snapshot = snapshot
    context = DecodingContext(verifiesChecksums: verifiesChecksums)
  }

  /// The newest events that `request` wants, oldest first.
  package func read(_ request: SequenceRequest, of plan: SequencePlan) throws(StoreError) -> SequenceEvents {
    var collector = EventCollector(snapshot, request, plan)
    while true {
      try collector.collect(using: &context)
      guard try collector.dropSuperseded(using: &context) else { break }
    }
    return SequenceEvents(events: try collector.events(using: &context), cut: collector.cut)
  }
}
