// What is kept after a read: of days that were read the files' rows as they are now, of others what was kept before.

/// What a request learned of days.
struct ReadDays {
  /// Those of which something is known from now on, as `KeptDays` has them.
  var groups: [KeptDays.Group] = []
  /// Which of them had their files looked for.
  private(set) var areRead: [Bool] = []

  mutating func append(_ group: KeptDays.Group, isRead: Bool) {
    groups.append(group)
    areRead.append(isRead)
  }

  /// Which of some parts, the earlier first, stay: those of files that nobody looked for. Of days that were read a file that
  /// nobody looked into is not there any more, or not of the time.
  func stay(_ parts: [KeptRows.Part]) -> [Bool] {
    var stay = [Bool](repeating: true, count: parts.count)
    var group = 0
    for place in parts.indices.reversed() {
      let micros = parts[place].startMicros
      while group < groups.count, groups[group].days.lowerBound.startMicros > micros { group += 1 }
      if group == groups.count { break }
      stay[place] = !areRead[group] && micros < groups[group].days.upperBound.endMicros
    }
    return stay
  }
}

/// What one file has of a user, where it lies now.
struct KeptPiece {
  let file: UInt32
  let startMicros: Int64
  let times: ClosedRange<Int64>?
  let rows: [EventCollector.SourcePart]

  init(_ file: StoreFile, _ rows: [EventCollector.SourcePart]) {
    (self.file, startMicros, times, self.rows) = (file.id, file.startMicros, file.times, rows)
  }

  init(_ part: KeptRows.Part, in source: Int) {
    (file, startMicros, times) = (part.file, part.startMicros, part.times)
    rows = part.rows.isEmpty ? [] : [EventCollector.SourcePart(source: source, rows: part.rows)]
  }

  func part(_ rows: Range<Int>) -> KeptRows.Part {
    KeptRows.Part(file: file, startMicros: startMicros, times: times, rows: rows)
  }
}

extension KeptSource {
  /// Parts by which its rows are those of some pieces; nil where they are not, all of them and in their order.
  func parts(of pieces: [KeptPiece]) -> [KeptRows.Part]? {
    var (parts, end): ([KeptRows.Part], Int) = ([], 0)
    parts.reserveCapacity(pieces.count)
    for piece in pieces {
      let start = end
      for rows in piece.rows {
        guard rows.source == index, rows.rows.lowerBound == end else { return nil }
        end = rows.rows.upperBound
      }
      parts.append(piece.part(start..<end))
    }
    return end == rows.count ? parts : nil
  }
}

extension EventCollector {
  /// What is known of days after the read.
  var readDays: ReadDays {
    var days = ReadDays()
    let read = readGroups
    var next = 0
    for group in knownGroups {
      let start = next
      while next < read.count, read[next].days.lowerBound >= group.days.lowerBound { next += 1 }
      if isReplaced(group, by: read[start..<next]) {
        for group in read[start..<next] { days.append(group, isRead: true) }
      } else {
        days.append(group, isRead: false)
      }
    }
    guard let newest = read[next...].first?.days.upperBound else { return days }
    let known = knownGroups.last?.days.lowerBound ?? Day(.max)
    for group in withLater(Array(read[next...])) where group.days.upperBound < known {
      days.append(group, isRead: group.days.upperBound <= newest)
    }
    return days
  }

  /// The days whose files were looked for, the newest first: what was read of them can be kept, or else they stay unknown.
  private var readGroups: [KeptDays.Group] {
    var until = request.untilMicros
    if let micros = until, datasets.allSatisfy({ $0?.ends(before: micros) ?? true }) { until = nil }
    let unkept = visits.filter { !$0.rows.allSatisfy { isKeepable($0) } }.map(\.step)
    return candidates.indices.compactMap { index in
      guard !steps.made[index].files.isEmpty, let days = steps.made[index].days else { return nil }
      return unkept.contains(index) ? .init(unknown: days) : .init(days, from: readFromMicros, until: until)
    }
  }

  /// The same, and the days of later buckets: nobody looked for those that are after the request's time.
  private func withLater(_ read: [KeptDays.Group]) -> [KeptDays.Group] {
    guard request.untilMicros != nil, let newest = read.first?.days.upperBound else { return read }
    let later = datasets.compactMap { $0 }.flatMap { snapshot in
      snapshot.changes(since: [], of: user, from: Day(newest.number + 1))
    }
    return read.adding(unknown: later)
  }

  /// Whether a group of days that was known before the read gives way to what was read.
  private func isReplaced(_ group: KeptDays.Group, by read: ArraySlice<KeptDays.Group>) -> Bool {
    if group.isWhole(from: readFromMicros, until: request.untilMicros) { return false }
    if read.contains(where: { $0.days == group.days }) { return true }
    guard let first = steps.firstDay(ofSteps: candidates.count) else { return false }
    return group.days.lowerBound >= first && group.days.upperBound <= steps.lastDay ?? group.days.upperBound
  }

  /// What a dataset's files have of the user, as far as it was read now or is kept, in the order of their days.
  func pieces(_ dataset: Int, _ days: ReadDays) -> [KeptPiece] {
    var pieces: [KeptPiece] = []
    // The newest were looked into first: this is the order, or about.
    for visit in visits.reversed() where visit.dataset == dataset && visit.rows.allSatisfy({ isKeepable($0) }) {
      pieces.append(KeptPiece(visit.file, visit.rows))
    }
    if let kept = kept[dataset] {
      let visited = Set(pieces.map(\.file))
      for (part, stays) in zip(kept.rows.parts, days.stay(kept.rows.parts)) where stays && !visited.contains(part.file)
      {
        pieces.append(KeptPiece(part, in: kept.index))
      }
    }
    return pieces.sorted { $0.startMicros < $1.startMicros }
  }
}
