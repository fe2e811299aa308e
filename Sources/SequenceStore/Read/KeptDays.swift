/// What is known of a dataset's days, for one user: of which all rows are kept, and of which files have to be looked for.
struct KeptDays: Sendable {
  /// Days that no others share a file with: what is read in one step.
  struct Group: Sendable, Equatable {
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

  /// The newest first, from the latest bucket on: of days between them that are in none there are no files.
  let groups: [Group]
  /// By group, the places of their files among the parts of the rows that are kept.
  let parts: [Range<Int>]
  /// As `DatasetSnapshot` numbers the files that it had.
  let fileSet: UInt64
  /// As they were then, those that end before the last group left out.
  private let shards: [ShardBuckets]

  /// - Parameter parts: those of the rows that are kept, the earlier first.
  init(_ groups: [Group], in snapshot: DatasetSnapshot, of user: UserProbe, parts: [KeptRows.Part]) {
    self.groups = groups
    var end = parts.count
    self.parts = groups.map { group in
      let micros = group.days.lowerBound.startMicros..<group.days.upperBound.endMicros
      while end > 0, parts[end - 1].startMicros >= micros.upperBound { end -= 1 }
      var start = end
      while start > 0, parts[start - 1].startMicros >= micros.lowerBound { start -= 1 }
      defer { end = start }
      return start..<end
    }
    fileSet = snapshot.fileSet
    shards = groups.last.map { oldest in snapshot.shards(of: user).map { $0.until(oldest.days.lowerBound) } } ?? []
  }

  /// The days of which something is known, or that came after them, where the user's files are not the same any more.
  func changes(to snapshot: DatasetSnapshot, of user: UserProbe) -> [ClosedRange<Day>] {
    guard fileSet != snapshot.fileSet, let oldest = groups.last?.days.lowerBound else { return [] }
    return snapshot.changes(since: shards, of: user, from: oldest)
  }

  /// In memory.
  var byteCount: Int {
    groups.count * (MemoryLayout<Group>.stride + MemoryLayout<Range<Int>>.stride)
      + shards.reduce(0) { $0 + $1.states.count } * MemoryLayout<ShardBuckets.State>.stride + 128
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
