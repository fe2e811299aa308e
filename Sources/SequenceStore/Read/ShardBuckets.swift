import Definitions

/// The buckets in which a dataset has files of one shard, each with a number that tells its files from others.
struct ShardBuckets: Sendable, Hashable {
  struct State: Sendable, Hashable {
    let bucket: Bucket
    /// Of the first snapshot in which the bucket had the files that it has.
    let fileSet: UInt64
  }

  /// Nil: of files that may have any user's rows.
  let part: ShardPart?
  /// The latest first.
  let states: [State]

  /// Those of files that were grouped by bucket, the latest first.
  ///
  /// - Parameters:
  ///   - fileSet: the number for files that are not the same as before.
  ///   - earlier: the snapshot before.
  static func all(
    of buckets: [(bucket: Bucket, files: [StoreFile])], fileSet: UInt64, after earlier: DatasetSnapshot?
  ) -> [ShardBuckets] {
    var numbers: [ShardPart?: [Bucket: UInt64]] = [:]
    for shard in earlier?.shards ?? [] {
      numbers[shard.part] = Dictionary(uniqueKeysWithValues: shard.states.map { ($0.bucket, $0.fileSet) })
    }
    let known = Dictionary(uniqueKeysWithValues: (earlier?.buckets ?? []).map { ($0.bucket, $0.files) })
    var states: [ShardPart?: [State]] = [:]
    for (bucket, files) in buckets {
      let before = Dictionary(grouping: known[bucket] ?? [], by: \.part)
      for (part, files) in Dictionary(grouping: files, by: \.part) {
        let isSame = before[part].map { files.elementsEqual($0, by: ===) } ?? false
        states[part, default: []].append(
          State(bucket: bucket, fileSet: isSame ? numbers[part]![bucket]! : fileSet))
      }
    }
    return states.map { ShardBuckets(part: $0.key, states: $0.value) }
  }

  /// Those that do not end before a day.
  func until(_ oldest: Day) -> ShardBuckets {
    let end = states.lastIndex { $0.bucket.days.upperBound >= oldest }.map { $0 + 1 } ?? 0
    return end == states.count ? self : ShardBuckets(part: part, states: Array(states[..<end]))
  }

  /// Appends the days of buckets that have other files in one of two lists than in the other, or are in one alone.
  ///
  /// - Parameter oldest: buckets that end before do not matter.
  static func appendChanges(
    _ one: [State], _ other: [State], from oldest: Day, to days: inout [ClosedRange<Day>]
  ) {
    var (place, otherPlace) = (0, 0)
    while place < one.count || otherPlace < other.count {
      let bucket: Bucket
      if place < one.count, otherPlace < other.count, one[place].bucket == other[otherPlace].bucket {
        defer { (place, otherPlace) = (place + 1, otherPlace + 1) }
        if one[place].fileSet == other[otherPlace].fileSet { continue }
        bucket = one[place].bucket
      } else if otherPlace == other.count || place < one.count && other[otherPlace].bucket < one[place].bucket {
        bucket = one[place].bucket
        place += 1
      } else {
        bucket = other[otherPlace].bucket
        otherPlace += 1
      }
      if bucket.days.upperBound < oldest { return }
      days.append(bucket.days)
    }
  }
}

extension DatasetSnapshot {
  /// The buckets of files that may have a user's rows.
  func shards(of user: UserProbe) -> [ShardBuckets] { shards.filter { user.mayBe(in: $0.part) } }

  /// The days of buckets whose files of a user are not those that they were.
  ///
  /// - Parameters:
  ///   - known: as they were.
  ///   - oldest: buckets that end before do not matter.
  func changes(since known: [ShardBuckets], of user: UserProbe, from oldest: Day) -> [ClosedRange<Day>] {
    var days: [ClosedRange<Day>] = []
    let shards = shards(of: user)
    for shard in shards {
      let before = known.first { $0.part == shard.part }?.states ?? []
      ShardBuckets.appendChanges(before, shard.states, from: oldest, to: &days)
    }
    for shard in known where !shards.contains(where: { $0.part == shard.part }) {
      ShardBuckets.appendChanges(shard.states, [], from: oldest, to: &days)
    }
    return days
  }
}
