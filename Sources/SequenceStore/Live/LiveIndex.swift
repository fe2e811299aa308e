import Arrow
import ArrowKernels
import Buffers
import Definitions
import DeltaLog
import Engine
import Synchronization

/// A segment of some shard's live log.
package struct LiveSegmentID: Sendable, Hashable {
  package var shard: Shard
  package var number: UInt64

  package init(_ shard: Shard, _ number: UInt64) {
    self.shard = shard
    self.number = number
  }
}

/// The rows of the live log that tables do not cover yet, by dataset and user. Shared by threads.
///
/// One thread adds; any number of them read. A read holds the lock for a look-up per segment and as long as it takes to
/// note the places of one user's rows; adding holds it for a thousand rows at a time.
///
/// Who reads takes rows from here first and the tables' snapshot afterwards, and who moves on to a newer snapshot shows it
/// first and calls `cover` afterwards: then what moves into the tables meanwhile is found at least once, and identity
/// settles what is found twice.
package final class LiveIndex: Sendable {
  private let state = Mutex(State())

  fileprivate struct State {
    var segments: [Segment] = []
    /// By dataset, the last segment of each shard whose rows its table has.
    var covered: [String: [Shard: UInt64]] = [:]
    var newestSeen: [String: Int64] = [:]
    /// By event type, how long after its arrival the newest event of the last batch was here.
    var delays: [String: Int64] = [:]
    var watermarks: [Shard: Int64] = [:]
    /// When rows were dropped last whose memory the allocator still has.
    var droppedNanoseconds: Int64?
  }

  fileprivate struct Segment: Sendable {
    var id: LiveSegmentID
    /// By dataset; a table per schema.
    var tables: [String: [LiveTable]] = [:]
  }

  /// Which table rows are added to.
  fileprivate struct TableID {
    var segment: LiveSegmentID
    var dataset: String
    var schema: Schema
  }

  /// Rows that are linked under the lock at once.
  private static let linkedRowCount = 1_024

  /// What arrived before says nothing of how soon events are here.
  private let startMicros = LiveIndex.nowMicros

  private static var nowMicros: Int64 { DeltaTable.nowMillis() * 1_000 }

  package init() {}

  // MARK: Adding

  /// Makes rows of a segment visible, unless its dataset's table has them. One thread at a time.
  func add(_ batch: LiveBatch, of id: LiveSegmentID) {
    guard let table = state.withLock({ $0.append(batch, id) }) else { return }
    let rowCount = batch.batch.rowCount
    var corrections = batch.corrections[...]
    for start in stride(from: 0, to: rowCount, by: Self.linkedRowCount) {
      let rows = start..<min(start + Self.linkedRowCount, rowCount)
      makeRoom(for: rows.count, in: table)
      let users = batch.users.slice(rows.lowerBound * 8..<rows.upperBound * 8)
      let seconds = batch.seconds.slice(rows.lowerBound * 4..<rows.upperBound * 4)
      let own = corrections.prefix { $0 < rows.upperBound }
      corrections = corrections[own.endIndex...]
      let places = own.map { Int($0) - rows.lowerBound }
      state.withLock { _ = $0.update(table) { $0.link(users, seconds: seconds, corrections: places) } }
    }
    let now = Self.nowMicros
    state.withLock { $0.note(batch.newestSeen, since: startMicros, now: now) }
    merge(in: table)
  }

  /// Lets the index of users grow while others read.
  private func makeRoom(for count: Int, in table: TableID) {
    guard let users = state.withLock({ $0.update(table) { $0.users } }) else { return }
    guard let grown = users.grown(for: count) else { return }
    state.withLock { _ = $0.update(table) { $0.replace(users: grown) } }
  }

  /// Makes few large batches of many while others read.
  private func merge(in table: TableID) {
    guard let merge = state.withLock({ $0.update(table) { $0.dueMerge } ?? nil }) else { return }
    let outcome = merge.run()
    // What it was made of is freed after the lock is.
    withExtendedLifetime(merge) { state.withLock { _ = $0.update(table) { $0.finish(merge, outcome) } } }
  }

  /// Notes that no event before this time is expected any more.
  func note(watermark: Int64, of shard: Shard) {
    state.withLock { $0.watermarks[shard] = max($0.watermarks[shard] ?? .min, watermark) }
  }

  // MARK: Covering

  /// Drops what the dataset's tables of `snapshot` have.
  package func cover(by snapshot: StoreSnapshot) {
    // What is dropped is freed after the lock is.
    _ = state.withLock { state in
      let dropped = snapshot.datasets.map { name, dataset in state.cover(name, dataset.coveredSegments) }
      if dropped.contains(where: { !$0.isEmpty }) { state.droppedNanoseconds = monotonicNanoseconds() }
      return dropped
    }
  }

  /// Gives the memory of rows that were dropped a while ago back to the system: the allocator would keep it. Those who were
  /// reading them have let them go by then. To be called now and then.
  package func giveBackDropped() {
    let isDue = state.withLock { state in
      guard let dropped = state.droppedNanoseconds, monotonicNanoseconds() - dropped > Self.readingNanoseconds else {
        return false
      }
      state.droppedNanoseconds = nil
      return true
    }
    if isDue { FreedMemory.giveBack() }
  }

  /// What reads take at most, or nearly always.
  private static let readingNanoseconds: Int64 = 1_000_000_000

  // MARK: Reading

  /// The user's rows in some datasets.
  ///
  /// - Parameter limit: of each dataset so many of the newest events are enough; of others only what corrects them is there.
  package func rows(of user: UserID, in datasets: [String], newest limit: Int = .max) -> LiveRows {
    let probe = UserProbe(user)
    var (found, fromSeconds): ([LiveRows.Source], UInt32) = ([], 0)
    state.withLock { state in
      for dataset in datasets {
        var choice = NewestRows(limit)
        let tables = state.segments.reversed().flatMap { $0.tables[dataset] ?? [] }
        for table in tables { table.add(rowsOfHash: probe.liveHash, to: &choice) }
        let from = choice.fromSeconds
        for (index, table) in tables.enumerated() {
          let rows = table.found(choice.rows(ofTable: index), from: from, ofHash: probe.liveHash)
          if !rows.rows.isEmpty { found.append(LiveRows.Source(dataset, table.schema, rows)) }
        }
        fromSeconds = max(fromSeconds, from)
      }
    }
    return LiveRows(found, of: probe, fromSeconds: fromSeconds)
  }

  /// What there is, for those who watch.
  package var statistics: LiveStatistics {
    state.withLock { state in
      var statistics = LiveStatistics(
        newestSeenMicros: state.newestSeen, delayMicros: state.delays,
        watermarkMicros: state.watermarks.values.min())
      for segment in state.segments {
        statistics.segments[segment.id.shard] = max(statistics.segments[segment.id.shard] ?? 0, segment.id.number)
        for (dataset, tables) in segment.tables {
          for table in tables {
            statistics.rowCounts[dataset, default: 0] += table.rowCount
            statistics.byteCount += table.byteCount
          }
        }
      }
      return statistics
    }
  }

  /// The least of the shards' watermarks; nil when none was stated.
  package var watermarkMicros: Int64? { state.withLock { $0.watermarks.values.min() } }
}

extension LiveIndex.State {
  /// - Returns: the table that the batch went to; nil when its dataset's table has it.
  fileprivate mutating func append(_ batch: LiveBatch, _ id: LiveSegmentID) -> LiveIndex.TableID? {
    guard id.number > covered[batch.dataset]?[id.shard] ?? 0 else { return nil }
    let table = LiveIndex.TableID(segment: id, dataset: batch.dataset, schema: batch.batch.schema)
    if update(table, { $0.append(batch) }) != nil { return table }
    if !segments.contains(where: { $0.id == id }) { segments.append(LiveIndex.Segment(id: id)) }
    let segment = segments.lastIndex { $0.id == id }!
    var made = LiveTable(schema: table.schema)
    made.append(batch)
    segments[segment].tables[batch.dataset, default: []].append(made)
    return table
  }

  /// Changes a table; nil when it is not there.
  fileprivate mutating func update<R>(_ id: LiveIndex.TableID, _ body: (inout LiveTable) -> R) -> R? {
    guard let segment = segments.lastIndex(where: { $0.id == id.segment }),
      let table = segments[segment].tables[id.dataset]?.firstIndex(where: { $0.schema == id.schema })
    else { return nil }
    return body(&segments[segment].tables[id.dataset]![table])
  }

  fileprivate mutating func note(_ seen: [(eventType: String, micros: Int64)], since start: Int64, now: Int64) {
    for (type, micros) in seen {
      newestSeen[type] = max(newestSeen[type] ?? .min, micros)
      if micros >= start { delays[type] = max(0, now - micros) }
    }
  }

  /// - Returns: what was dropped.
  fileprivate mutating func cover(_ dataset: String, _ last: [Shard: UInt64]) -> [LiveTable] {
    covered[dataset, default: [:]].merge(last) { max($0, $1) }
    var dropped: [LiveTable] = []
    for index in segments.indices where segments[index].id.number <= last[segments[index].id.shard] ?? 0 {
      dropped += segments[index].tables.removeValue(forKey: dataset) ?? []
    }
    segments.removeAll { $0.tables.isEmpty }
    return dropped
  }
}

/// What a live index holds.
package struct LiveStatistics: Sendable {
  /// By dataset.
  package var rowCounts: [String: Int] = [:]
  /// Of all batches.
  package var byteCount = 0
  /// The newest segment of each shard that has rows that no table covers.
  package var segments: [Shard: UInt64] = [:]
  /// When the newest visible event of each type was seen.
  package var newestSeenMicros: [String: Int64]
  /// How long the newest event of each type's last batch took from its arrival until it was visible; only of what
  /// arrived since the index was begun.
  package var delayMicros: [String: Int64]
  package var watermarkMicros: Int64?
}
