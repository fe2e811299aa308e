import Arrow
import Definitions
import Engine
import Synchronization

/// Compares files that are replaced with those that replace them.
///
/// Of each bucket both sides are walked in their common order, so that memory holds a batch a file; only events that
/// one side lacks at their place are kept, to be found in other buckets: an event may have moved.
struct DriftMeasurement: Sendable {
  /// The files of a bucket.
  struct BucketFiles: Sendable {
    var old: [StoreFile] = []
    var new: [StoreFile] = []
  }

  /// All columns of both sides, the system columns first.
  private let schema: Schema
  private let derived: DerivedColumns
  private let names = EventTypeNames()

  private static let batchRowCount = 1 << 13

  /// - Parameter layout: with the columns of both sides.
  init(_ layout: TableLayout) {
    derived = layout.derived
    let systemCount = SystemColumns.stored(userType: .int64).count
    schema = Schema(
      layout.eventSchema.fields.enumerated().map { index, field in
        if field.name == SystemColumns.eventType { return EventFileRows.eventType }
        // What one side lacks is null there.
        return Field(field.name, field.type, isNullable: field.isNullable || index >= systemCount)
      })
  }

  func measure(_ buckets: [BucketFiles], threads: Int = processorCount) -> ReplacementDrift {
    let next = Mutex(0)
    let all = Mutex(BucketDrift())
    onThreads(min(threads, max(1, buckets.count))) { _ in
      while let bucket = next.withLock({ index in
        defer { index += 1 }
        return index < buckets.count ? buckets[index] : nil
      }) {
        let drift = self.drift(of: bucket)
        all.withLock { $0.add(drift) }
      }
    }
    return all.withLock { $0 }.settled(names)
  }

  /// A bucket that cannot be read says nothing: its replacement is the remedy.
  private func drift(of bucket: BucketFiles) -> BucketDrift {
    do {
      return try walk(cursor(bucket.old), cursor(bucket.new))
    } catch {
      var drift = BucketDrift()
      drift.unreadableBuckets = 1
      return drift
    }
  }

  private func cursor(_ files: [StoreFile]) throws -> DriftCursor {
    DriftCursor(
      try files.map { file in
        let reader = try EventFileRows(
          file, schema, deriving: derived, batchRowCount: Self.batchRowCount, choosing: { _ in nil })
        return try DriftFileCursor(reader, names)
      })
  }

  private func walk(_ first: DriftCursor, _ second: DriftCursor) throws -> BucketDrift {
    var (old, new) = (first, second)
    var drift = BucketDrift()
    while let left = old.rows, let right = new.rows {
      let (was, now) = (left.digest(old.row), right.digest(new.row))
      if was.identity == now.identity {
        if was.content != now.content { drift.noteChanged(now.type) }
        try old.advance()
        try new.advance()
      } else if OrderCheck.compare(left.events, old.row, right.events, new.row) < 0 {
        drift.onlyOld.append(was)
        try old.advance()
      } else {
        drift.onlyNew.append(now)
        try new.advance()
      }
    }
    try old.takeRest(into: &drift.onlyOld)
    try new.takeRest(into: &drift.onlyNew)
    return drift
  }
}

/// What tells events, and their contents, apart.
struct EventDigest: BitwiseCopyable {
  var identity: UInt64
  var content: UInt64
  /// A number of `EventTypeNames`.
  var type: Int32
}

/// The drift of some buckets, of which events may have moved to others.
private struct BucketDrift: Sendable {
  var changed: [Int32: Int] = [:]
  var onlyOld: [EventDigest] = []
  var onlyNew: [EventDigest] = []
  var unreadableBuckets = 0

  mutating func noteChanged(_ type: Int32) { changed[type, default: 0] += 1 }

  mutating func add(_ other: BucketDrift) {
    changed.merge(other.changed, uniquingKeysWith: +)
    onlyOld += other.onlyOld
    onlyNew += other.onlyNew
    unreadableBuckets += other.unreadableBuckets
  }

  /// Looks for what one side lacks at its place elsewhere.
  consuming func settled(_ names: EventTypeNames) -> ReplacementDrift {
    onlyOld.sort { $0.identity < $1.identity }
    onlyNew.sort { $0.identity < $1.identity }
    var counts: [Int32: ReplacementDrift.Counts] = changed.mapValues { ReplacementDrift.Counts(changed: $0) }
    var (old, new) = (0, 0)
    while old < onlyOld.count || new < onlyNew.count {
      let was = old < onlyOld.count ? onlyOld[old] : nil
      let now = new < onlyNew.count ? onlyNew[new] : nil
      if let was, now.map({ was.identity < $0.identity }) ?? true {
        counts[was.type, default: .init()].dropped += 1
        old += 1
      } else if let now, was.map({ now.identity < $0.identity }) ?? true {
        counts[now.type, default: .init()].added += 1
        new += 1
      } else if let was, let now {
        if was.content != now.content { counts[now.type, default: .init()].changed += 1 }
        (old, new) = (old + 1, new + 1)
      }
    }
    var drift = ReplacementDrift()
    for (type, counts) in counts { drift.types[names.name(type)] = counts }
    drift.unreadableBuckets = unreadableBuckets
    return drift
  }
}

/// Numbers for the names of event types, the same on all threads.
final class EventTypeNames: Sendable {
  private let state = Mutex<(numbers: [String: Int32], names: [String])>(([:], []))

  func number(_ name: String) -> Int32 {
    state.withLock { state in
      if let number = state.numbers[name] { return number }
      let number = Int32(state.names.count)
      state.numbers[name] = number
      state.names.append(name)
      return number
    }
  }

  func name(_ number: Int32) -> String { state.withLock { $0.names[Int(number)] } }
}
