import Definitions
import DeltaLog
import Frames

/// Up to where the store has each source: what `--resume` starts from.
///
/// A shard's position is the greatest in its live log, as far as that is durable, and in its datasets' tables: a stream that
/// is sent again, because another shard is behind, states lower ones, but what a shard once had it has. The store's is the
/// least of its shards', since a row may belong to any of them.
package struct SourcePositions: Sendable {
  private let shards: Set<Shard>
  private let offsets: [SourcePartition: [Shard: Int64]]

  package init(_ store: StoreDirectory) throws(StoreError) {
    // The live log first: what moves into the tables meanwhile is then found there.
    let live = try store.liveShards()
    var shards = Set(live)
    var offsets: [SourcePartition: [Shard: Int64]] = [:]
    func note(_ place: SourcePartition, _ shard: Shard, _ offset: Int64) {
      offsets[place, default: [:]][shard] = max(offsets[place]?[shard] ?? .min, offset)
    }
    for shard in live { try Self.readLog(LiveDirectory(store, shard)) { note($0, shard, $1) } }
    for transaction in try store.transactions() {
      switch TableTransaction(appID: transaction.appID) {
      case .live(let shard): shards.insert(shard)
      case .position(let shard, let place): note(place, shard, transaction.version)
      default: break
      }
    }
    self.shards = shards
    self.offsets = offsets
  }

  /// The offset up to which every shard has the source; nil when one of them has nothing of it.
  package subscript(source: String, partition: Int64?) -> Int64? {
    guard let found = offsets[SourcePartition(source, partition: partition)], found.count == shards.count else {
      return nil
    }
    return found.values.min()
  }

  /// All sources and partitions that some shard has a position of, in no particular order.
  package var partitions: [SourcePartition] { Array(offsets.keys) }

  private static func readLog(
    _ live: LiveDirectory, _ note: (SourcePartition, Int64) -> Void
  ) throws(StoreError) {
    guard let durable = try live.durableMarker() else { return }
    for number in try live.segments() where number <= durable.segment {
      let byteCount = number == durable.segment ? durable.byteCount : nil
      guard var frames = try SegmentFrames.open(number, of: live, byteCount: byteCount) else { continue }
      while let frame = try frames.next() {
        guard frame.isControl else { continue }
        let control: Control
        do { control = try frame.control() } catch { throw frames.failure(error) }
        if case .position(let source, let partition, let offset) = control {
          note(SourcePartition(source, partition: partition), offset)
        }
      }
    }
  }
}
