import Arrow
import Engine

/// Decoded pages of data files, in a bounded amount of memory. Shared by threads.
///
/// A page that was asked for since the hand last passed it stays when others must make room (CLOCK): nearly the choice of
/// least recent use, without an order to keep under a lock. Pages of files that are gone leave in the same way.
package final class PageCache: Sendable {
  /// A page of a table's column in a row group of a file; `~column`: the events' keys that follow from it.
  struct Key: Hashable {
    /// As `OpenedFile` numbers itself.
    var file: UInt32
    var group: Int32
    var column: Int32
    var page: Int32
  }

  package struct Statistics: Sendable {
    package var hits = 0
    package var misses = 0
    package var pageCount = 0
    package var byteCount = 0
  }

  private let shards: [Monitor<Shard>]

  /// - Parameter byteLimit: of the pages' arrays.
  package init(byteLimit: Int) {
    shards = (0..<Self.shardCount).map { _ in Monitor(Shard(byteLimit: byteLimit / Self.shardCount)) }
  }

  private static let shardCount = 16

  private func shard(_ key: Key) -> Int {
    let place = UInt(truncatingIfNeeded: key.page) &* 7 &+ UInt(truncatingIfNeeded: key.column)
    let mixed = (UInt(key.file) &* 31 &+ UInt(truncatingIfNeeded: key.group)) &* 31 &+ place
    return Int((mixed &* 0x9E37_79B9_7F4A_7C15) >> 60)
  }

  subscript(key: Key) -> ArrowArray? { shards[shard(key)].update { $0.find(key) } }

  /// Keeps a page; one that is larger than a shard's part of the memory is left out.
  func keep(_ page: ArrowArray, for key: Key) { shards[shard(key)].update { $0.keep(page, for: key) } }

  package var statistics: Statistics {
    shards.indices.reduce(into: Statistics()) { sum, index in
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
      var page: ArrowArray
      var byteCount: Int
      var isUsed: Bool
    }

    private let byteLimit: Int
    private var places: [Key: Int] = [:]
    private var entries: [Entry] = []
    private var hand = 0
    private(set) var statistics = Statistics()

    init(byteLimit: Int) { self.byteLimit = byteLimit }

    mutating func find(_ key: Key) -> ArrowArray? {
      guard let place = places[key] else {
        statistics.misses += 1
        return nil
      }
      statistics.hits += 1
      entries[place].isUsed = true
      return entries[place].page
    }

    mutating func keep(_ page: ArrowArray, for key: Key) {
      let byteCount = page.byteCount + MemoryLayout<Entry>.stride + MemoryLayout<Key>.stride
      guard byteCount <= byteLimit, places[key] == nil else { return }
      while statistics.byteCount + byteCount > byteLimit { removeOne() }
      places[key] = entries.count
      entries.append(Entry(key: key, page: page, byteCount: byteCount, isUsed: false))
      statistics.byteCount += byteCount
      statistics.pageCount += 1
    }

    private mutating func removeOne() {
      if hand >= entries.count { hand = 0 }
      while entries[hand].isUsed {
        entries[hand].isUsed = false
        hand = hand + 1 == entries.count ? 0 : hand + 1
      }
      let gone = entries[hand]
      places[gone.key] = nil
      let last = entries.removeLast()
      if hand < entries.count {
        entries[hand] = last
        places[last.key] = hand
      }
      statistics.byteCount -= gone.byteCount
      statistics.pageCount -= 1
    }
  }
}
