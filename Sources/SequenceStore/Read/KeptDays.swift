/// What is known of a dataset's days, for one user: of which all rows are kept, and of which files have to be looked for.
struct KeptDays: Sendable {
  /// Days that no others share a file with: what is read in one step.
  struct Group: Sendable, Hashable {
    let days: ClosedRange<Day>
    /// All that happened then is kept, in microseconds; nothing is known of the rest of the days.
    let wholeMicros: Range<Int64>

    /// - Parameter fromMicros: what happened before or from `untilMicros` on need not be kept; nil: all is.
    init(_ days: ClosedRange<Day>, from fromMicros: Int64?, until untilMicros: Int64?) {
      let start = days.lowerBound.startMicros
      let (from, until) = (max(start, fromMicros ?? start), min(days.upperBound.endMicros, untilMicros ?? .max))
      self.days = days
      wholeMicros = from < until ? from..<until : start..<start
    }

    /// Days of which files have to be looked for.
    init(unknown days: ClosedRange<Day>) {
      self.days = days
      wholeMicros = days.lowerBound.startMicros..<days.lowerBound.startMicros
    }

    /// Whether all is kept of these days that a read of a time looks at, which is not all before or after them.
    func isWhole(from: Int64?, until: Int64?) -> Bool {
      max(from ?? .min, days.lowerBound.startMicros) >= wholeMicros.lowerBound
        && min(until ?? .max, days.upperBound.endMicros) <= wholeMicros.upperBound
    }
  }

  /// What days of many users have in common, in memory that these share.
  struct Lists: Sendable, Hashable {
    let groups: [Group]
    let parts: [Range<Int>]
    let shards: [ShardBuckets]

    /// In memory.
    var byteCount: Int {
      groups.count * (MemoryLayout<Group>.stride + MemoryLayout<Range<Int>>.stride)
        + shards.reduce(0) { $0 + $1.states.count } * MemoryLayout<ShardBuckets.State>.stride + 128
    }
  }

  private let lists: Lists
  /// As `DatasetSnapshot` numbers the files that it had.
  let fileSet: UInt64
  /// In memory, what is shared with another user left out.
  let byteCount: Int

  /// The newest first, from the latest bucket on: of days between them that are in none there are no files.
  var groups: [Group] { lists.groups }
  /// By group, the places of their files among the parts of the rows that are kept.
  var parts: [Range<Int>] { lists.parts }
  /// As they were in the snapshot, those that end before the last group left out.
  private var shards: [ShardBuckets] { lists.shards }

  /// - Parameter parts: those of the rows that are kept, the earlier first.
  init(_ groups: [Group], in snapshot: DatasetSnapshot, of user: UserProbe, parts: [KeptRows.Part]) {
    var end = parts.count
    let places = groups.map { group in
      let micros = group.days.lowerBound.startMicros..<group.days.upperBound.endMicros
      while end > 0, parts[end - 1].startMicros >= micros.upperBound { end -= 1 }
      var start = end
      while start > 0, parts[start - 1].startMicros >= micros.lowerBound { start -= 1 }
      defer { end = start }
      return start..<end
    }
    let shards = groups.last.map { oldest in snapshot.shards(of: user).map { $0.until(oldest.days.lowerBound) } }
    let (lists, isShared) = snapshot.sharedDays.withLock {
      $0.shared(Lists(groups: groups, parts: places, shards: shards ?? []))
    }
    (self.lists, fileSet) = (lists, snapshot.fileSet)
    byteCount = isShared ? 0 : lists.byteCount
  }

  /// The days of which something is known, or that came after them, where the user's files are not the same any more.
  func changes(to snapshot: DatasetSnapshot, of user: UserProbe) -> [ClosedRange<Day>] {
    guard fileSet != snapshot.fileSet, let oldest = groups.last?.days.lowerBound else { return [] }
    return snapshot.changes(since: shards, of: user, from: oldest)
  }
}

/// Lists of days that were kept, for those who come to the same: most users who ask for as long a time have the same days.
struct SharedDays {
  private var known: Set<KeptDays.Lists> = []
  /// Those that were asked for last: comparing is cheaper than hashing.
  private var last: KeptDays.Lists?
  private var byteCount = 0

  /// More are forgotten, all at once: a few are made again and again.
  private static let byteLimit = 256 << 10

  /// - Returns: the same lists, and whether others have them already.
  mutating func shared(_ lists: KeptDays.Lists) -> (KeptDays.Lists, isShared: Bool) {
    if let last, last == lists { return (last, true) }
    let (isNew, same) = known.insert(lists)
    last = same
    guard isNew else { return (same, true) }
    byteCount += lists.byteCount
    if byteCount > Self.byteLimit { (known, byteCount) = ([], 0) }
    return (same, false)
  }
}

extension [KeptDays.Group] {
  /// The same days and others of which files have to be looked for: nothing is known any more of those that share days with
  /// them.
  func adding(unknown days: [ClosedRange<Day>]) -> [KeptDays.Group] {
    if days.isEmpty { return self }
    var groups: [KeptDays.Group] = []
    for group in (self + days.map { .init(unknown: $0) }).sorted(by: { $0.days.upperBound > $1.days.upperBound }) {
      if let last = groups.last?.days, last.lowerBound <= group.days.upperBound {
        groups[groups.count - 1] = .init(unknown: Swift.min(last.lowerBound, group.days.lowerBound)...last.upperBound)
      } else {
        groups.append(group)
      }
    }
    return groups
  }
}
