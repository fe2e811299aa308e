/// Days of which all is kept that a dataset's files have of a user: who reads these need not look for files.
struct KeptDays: Sendable {
  /// Days that no others share a file with: what is read in one step.
  struct Group: Sendable {
    /// No event of them is earlier, in microseconds.
    var startMicros: Int64
    var lastDay: Day
    /// The places of their files among the parts of the rows that are kept.
    var parts: Range<Int> = 0..<0
  }

  /// As `DatasetSnapshot` numbers the files that it has.
  let fileSet: UInt64
  /// The newest first, none left out between the first and the last.
  let groups: [Group]
  /// What happened before or from then on need not be kept, even of these days, in microseconds; nil: all is.
  let fromMicros: Int64?
  let untilMicros: Int64?

  /// Whether all is kept of the days that a read of a time looks at.
  func cover(from: Int64?, until: Int64?) -> Bool {
    if let untilMicros, until.map({ $0 > untilMicros }) ?? true { return false }
    if let fromMicros, from.map({ $0 < fromMicros }) ?? true { return false }
    return true
  }

  /// Whether both say the same.
  func isSame(as other: KeptDays) -> Bool {
    fileSet == other.fileSet && fromMicros == other.fromMicros && untilMicros == other.untilMicros
      && hasSameDays(as: other)
  }

  func hasSameDays(as other: KeptDays) -> Bool {
    groups.count == other.groups.count
      && zip(groups, other.groups).allSatisfy { $0.startMicros == $1.startMicros && $0.lastDay == $1.lastDay }
  }

  /// In memory.
  var byteCount: Int { groups.count * MemoryLayout<Group>.stride + 64 }
}

extension KeptDays {
  /// What a read of several datasets saw, for those that have these files and parts, the earlier first.
  init(_ read: ReadDays, fileSet: UInt64, parts: [KeptRows.Part]) {
    self.fileSet = fileSet
    (fromMicros, untilMicros) = (read.fromMicros, read.untilMicros)
    var end = parts.count
    groups = read.groups.map { group in
      let endMicros = group.lastDay.endMicros
      while end > 0, parts[end - 1].startMicros >= endMicros { end -= 1 }
      var start = end
      while start > 0, parts[start - 1].startMicros >= group.startMicros { start -= 1 }
      defer { end = start }
      return Group(startMicros: group.startMicros, lastDay: group.lastDay, parts: start..<end)
    }
  }
}

/// Days that a request read, or knew to be whole, of all its datasets.
struct ReadDays {
  /// The newest first.
  var groups: [KeptDays.Group]
  /// As those of `KeptDays`.
  var fromMicros: Int64?
  var untilMicros: Int64?
  /// Of which all files were looked for; nil: none were.
  var lookedMicros: Range<Int64>?

  /// Whether the file of a part was looked for.
  func looked(at part: KeptRows.Part) -> Bool { lookedMicros?.contains(part.startMicros) ?? false }
}
