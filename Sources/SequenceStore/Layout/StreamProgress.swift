import Definitions
import DeltaLog

/// Up to what time of arrival the tables and the live log have what a stream brings: what is still to come of it arrived
/// later. Rows that batches brought say nothing of that, for a stream may be far behind them.
enum StreamProgress: Sendable, Equatable {
  /// Only batches write to the store.
  case batchesAlone
  /// Microseconds; nil while some shard's stream has brought no rows into the tables of which it is known whether they come again.
  case stream(Int64?)

  /// - Parameter shardCount: how many the stream is dealt to.
  init(of store: StoreDirectory, shardCount: Int) throws(StoreError) {
    var arrivals: [Shard: Int64] = [:]
    var isStreamed = try !store.liveShards().isEmpty
    for transaction in try store.transactions() {
      switch TableTransaction(appID: transaction.appID) {
      case .live: isStreamed = true
      // A dataset without rows in the last segments has not recorded them.
      case .arrival(let shard): arrivals[shard] = max(arrivals[shard] ?? .min, transaction.version)
      default: break
      }
    }
    let known = (0..<shardCount).compactMap { arrivals[Shard($0)] }
    self = isStreamed ? .stream(known.count == shardCount ? known.min() : nil) : .batchesAlone
  }
}
