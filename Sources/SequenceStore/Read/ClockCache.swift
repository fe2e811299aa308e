import Engine

/// A key that says by itself which of several locks it belongs to.
protocol CacheKey: Sendable {
  /// A number whose product with a large odd one has well-mixed highest bits.
  var mixed: UInt { get }
}

/// Values in a bounded amount of memory. Shared by threads.
///
/// A value that was asked for since the hand last passed it stays when others must make room (CLOCK): nearly the choice of
/// least recent use, without an order to keep under a lock.
final class ClockCache<Key: Hashable & CacheKey, Value: Sendable>: Sendable {
  private let shards: [Monitor<Shard>]

  /// - Parameter byteLimit: of all values.
  init(byteLimit: Int) {
    shards = (0..<Self.shardCount).map { _ in Monitor(Shard(byteLimit: byteLimit / Self.shardCount)) }
  }

  private static var shardCount: Int { 16 }

  private func shard(_ key: Key) -> Int { Int((key.mixed &* 0x9E37_79B9_7F4A_7C15) >> 60) }

  subscript(key: Key) -> Value? { shards[shard(key)].update { $0.find(key) } }

  /// Keeps a value, instead of one that the key has; one that is larger than a shard's part of the memory is left out.
  func keep(_ value: Value, byteCount: Int, for key: Key) {
    shards[shard(key)].update { $0.keep(value, byteCount: byteCount, for: key) }
  }

  var statistics: PageCache.Statistics {
    shards.indices.reduce(into: PageCache.Statistics()) { sum, index in
      let own = shards[index].update { $0.statistics }
      sum.hits += own.hits
      sum.misses += own.misses
      sum.pageCount += own.pageCount
      sum.byteCount += own.byteCount
    }
  }

  private struct Shard {
    private struct Entry {
      var key: Key
      var value: Value
      var byteCount: Int
      var isUsed: Bool
    }

    private let byteLimit: Int
    private var places: [Key: Int] = [:]
    private var entries: [Entry] = []
    private var hand = 0
    private(set) var statistics = PageCache.Statistics()

    init(byteLimit: Int) { self.byteLimit = byteLimit }

    mutating func find(_ key: Key) -> Value? {
      guard let place = places[key] else {
        statistics.misses += 1
        return nil
      }
      statistics.hits += 1
      entries[place].isUsed = true
      return entries[place].value
    }

    mutating func keep(_ value: Value, byteCount: Int, for key: Key) {
      let byteCount = byteCount + MemoryLayout<Entry>.stride + MemoryLayout<Key>.stride
      if let place = places[key] { remove(place) }
      guard byteCount <= byteLimit else { return }
      while statistics.byteCount + byteCount > byteLimit { removeOne() }
      places[key] = entries.count
      entries.append(Entry(key: key, value: value, byteCount: byteCount, isUsed: false))
      statistics.byteCount += byteCount
      statistics.pageCount += 1
    }

    private mutating func removeOne() {
      if hand >= entries.count { hand = 0 }
      while entries[hand].isUsed {
        entries[hand].isUsed = false
        hand = hand + 1 == entries.count ? 0 : hand + 1
      }
      remove(hand)
    }

    /// The last entry takes the place.
    private mutating func remove(_ place: Int) {
      let gone = entries[place]
      places[gone.key] = nil
      let last = entries.removeLast()
      if place < entries.count {
        entries[place] = last
        places[last.key] = place
      }
      statistics.byteCount -= gone.byteCount
      statistics.pageCount -= 1
    }
  }
}
