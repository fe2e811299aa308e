import Engine

/// A key that says by itself which of several locks it belongs to.
protocol CacheKey: Sendable {
  /// A number whose product with a large odd one has well-mixed highest bits.
  var mixed: UInt { get }
}

/// Values in a bounded amount of memory, those that are asked for before others. Shared by threads.
final class ClockCache<Key: Hashable & CacheKey, Value: Sendable>: Sendable {
  private let shards: [Monitor<Shard>]
  private let byteLimit: Int

  /// - Parameter byteLimit: of all values.
  init(byteLimit: Int) {
    self.byteLimit = byteLimit
    shards = (0..<Self.shardCount).map { _ in Monitor(Shard()) }
  }

  private static var shardCount: Int { 16 }

  private func shard(_ key: Key) -> Int { Int((key.mixed &* 0x9E37_79B9_7F4A_7C15) >> 60) }

  subscript(key: Key) -> Value? { shards[shard(key)].update { $0.find(key) } }

  /// Whether it has a value, which does not count as asking for it.
  func contains(_ key: Key) -> Bool { shards[shard(key)].update { $0.contains(key) } }

  /// Keeps a value, instead of one that the key has; one that is larger than a shard's part of the memory is left out.
  ///
  /// - Parameter others: memory, of that which the values may take, that others take now.
  func keep(_ value: Value, byteCount: Int, for key: Key, beside others: Int = 0) {
    let limit = max(0, byteLimit - others) / Self.shardCount
    shards[shard(key)].update { $0.keep(value, byteCount: byteCount, limit, for: key) }
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
    private struct Kept {
      var value: Value
      var isUsed = false
    }

    private var ring = ClockRing<Key, Kept>()
    private var hits = 0
    private var misses = 0

    var statistics: PageCache.Statistics {
      PageCache.Statistics(hits: hits, misses: misses, pageCount: ring.count, byteCount: ring.byteCount)
    }

    func contains(_ key: Key) -> Bool { ring.contains(key) }

    mutating func find(_ key: Key) -> Value? {
      let found = ring.use(key) { kept in
        kept.isUsed = true
        return kept.value
      }
      if found == nil { misses += 1 } else { hits += 1 }
      return found
    }

    mutating func keep(_ value: Value, byteCount: Int, _ byteLimit: Int, for key: Key) {
      let byteCount = byteCount + ClockRing<Key, Kept>.entryByteCount
      ring.remove(key)
      // Where others take more than before, there is less room than what is kept takes.
      ring.makeRoom(max(0, byteLimit - (byteCount <= byteLimit ? byteCount : 0))) { kept in
        defer { kept.isUsed = false }
        return !kept.isUsed
      }
      guard byteCount <= byteLimit else { return }
      ring.add(byteCount, to: key, Kept(value: value))
    }
  }
}
