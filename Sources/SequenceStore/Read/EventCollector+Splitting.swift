import Arrow
import Buffers

// Of a user who has very many rows in some days only the newest are read, and others when these were not enough.

extension EventCollector {
  /// How many rows are read of a file, at first, where there are very many; fewer are not worth a step.
  var wantedCount: Int { max(2 * min(request.last, 1 << 32), Self.leastCount) << min(2 * splitCount, 20) }

  /// From this time on there are as many live events as are asked for, in microseconds; nil: there are not so many.
  var enoughLiveMicros: Int64? {
    let end = live.lastIndex { $0.micros < request.untilMicros ?? .max }.map { $0 + 1 } ?? 0
    return request.last > 0 && request.last <= end ? live[end - request.last].micros : nil
  }

  /// Whether a user has very many rows in a step's files, by what was read of some.
  ///
  /// - Parameters:
  ///   - rowCount: of the files that were read.
  ///   - share: how many these are, of how many.
  func haveVeryMany(_ rowCount: Int, share: (read: Int, all: Int)) -> Bool {
    if share.read == 0 || rowCount < wantedCount { return false }
    return rowCount / share.read * share.all > Self.manyTimes * wantedCount
  }

  /// Whether the rows of each part are the user's, and so in the order of time.
  func areInOrder(_ parts: [SourcePart]) -> Bool { parts.allSatisfy { sources[$0.source].selected == nil } }

  /// Leaves all but the newest of very many rows to the step that comes next.
  ///
  /// - Parameters:
  ///   - parts: of a step that is to be read; what is to be read of them.
  ///   - files: of the step, the one with the latest event first, that are left to the next one whatever they have: all that
  ///     happened after their events is among the parts.
  /// - Returns: the time from which on all rows are among the parts, none from before; nil when nothing was left.
  mutating func leaveOlder(
    of parts: inout [SourcePart], and files: [ReadStep.File], using context: inout DecodingContext
  ) throws(StoreError) -> Int64? {
    var startMicros = files.first?.lastMicros.addingSaturated(1) ?? .min
    var newest = parts
    if isTooMuch(parts) {
      for index in newest.indices { newest[index] = newestRows(of: newest[index], wantedCount) }
    } else if files.isEmpty {
      return nil
    }
    for (part, tail) in zip(parts, newest) where tail.rows.count < part.rows.count {
      // Rows before the first of these may be of the same time.
      let first = try times(of: tail, using: &context).load(tail.rows.lowerBound, as: Int64.self)
      startMicros = max(startMicros, first.addingSaturated(1))
    }
    var (newer, older): ([SourcePart], [SourcePart]) = ([], [])
    for (part, tail) in zip(parts, newest) {
      let start = Self.start(of: tail.rows, try times(of: tail, using: &context), from: startMicros)
      if start < tail.rows.upperBound {
        newer.append(SourcePart(source: tail.source, rows: start..<tail.rows.upperBound))
      }
      let left = part.rows.count - (tail.rows.upperBound - start)
      if left > 0 { older.append(oldestRows(of: part, left)) }
    }
    if files.isEmpty, newer.isEmpty || older.isEmpty { return nil }
    parts = newer
    splitCount += 1
    steps.split(at: startMicros, leaving: older, and: files)
    return startMicros
  }

  /// Whether only the newest of some rows are read at first.
  private func isTooMuch(_ parts: [SourcePart]) -> Bool {
    guard areInOrder(parts) else { return false }
    let count = parts.reduce(0) { $0 + $1.rows.count }
    // What may be kept is read once, even if it is more than is asked for now.
    let mayKeep = count <= KeptRows.limits.all && parts.allSatisfy { $0.rows.count <= KeptRows.limits.file }
    return wantedCount < count / (mayKeep ? Self.manyTimes : 2)
  }

  /// Leaves what happened before all live events are there to a step that cannot be read: most answers are found without.
  ///
  /// - Parameter parts: of the step that was made last; what is to be read of them.
  mutating func leaveLackingLive(
    of parts: inout [SourcePart], using context: inout DecodingContext
  ) throws(StoreError) {
    var newer: [SourcePart] = []
    for part in parts {
      // Kept rows of several files may be one part, which is not in order then; they are few.
      guard case .file = sources[part.source].origin, sources[part.source].selected == nil else {
        newer.append(part)
        continue
      }
      let tail = newestRows(of: part, Self.leastCount)
      let start = Self.start(of: tail.rows, try times(of: tail, using: &context), from: liveFromMicros)
      if start == tail.rows.lowerBound, tail.rows.count < part.rows.count {
        newer.append(part)
      } else if start < tail.rows.upperBound {
        newer.append(SourcePart(source: tail.source, rows: start..<tail.rows.upperBound))
      }
    }
    parts = newer
    splitCount += 1
    steps.split(at: liveFromMicros)
  }

  private static let leastCount = 256
  /// So many times what is wanted is not read to be kept.
  private static let manyTimes = 8

  /// The place of the first of some rows, which ascend by time, that is not before `micros`.
  private static func start(of rows: Range<Int>, _ times: Buffer, from micros: Int64) -> Int {
    let times = times.span(of: Int64.self)
    var start = rows.upperBound
    while start > rows.lowerBound, times[start - 1] >= micros { start -= 1 }
    return start
  }

  /// Their last rows, as a source of their own, so that no more is read of the file.
  private mutating func newestRows(of part: SourcePart, _ count: Int) -> SourcePart {
    part.rows.count > count ? rows(part.rows.upperBound - count..<part.rows.upperBound, of: part.source) : part
  }

  private mutating func oldestRows(of part: SourcePart, _ count: Int) -> SourcePart {
    rows(part.rows.lowerBound..<part.rows.lowerBound + count, of: part.source)
  }

  private mutating func rows(_ rows: Range<Int>, of source: Int) -> SourcePart {
    guard case .file = sources[source].origin else { return SourcePart(source: source, rows: rows) }
    sources.append(sources[source].part(rows))
    return SourcePart(source: sources.count - 1, rows: 0..<rows.count)
  }

  /// Of all rows of its source, Int64 each.
  private mutating func times(of part: SourcePart, using context: inout DecodingContext) throws(StoreError) -> Buffer {
    try sources[part.source].load([.ts], using: &context)
    return try sources[part.source].values(.ts)
  }
}
