import Arrow
import ArrowKernels
import Definitions

// What is read of a user's rows in files is kept for those who ask for the same columns of the user's rows again.

extension EventCollector {
  /// A file that was looked into.
  struct Visit {
    let dataset: Int
    let step: Int
    let file: StoreFile
    /// What it has of the user.
    let rows: [SourcePart]
    /// Whether that was read just now, and may be kept.
    var isNews: Bool
  }

  /// The key columns that are kept, whichever are asked for now: a live row may come that has to be told from others.
  private static let keptKeys: [KeyColumn] = [.ts, .eventType, .eventKey, .revision, .seenAt]

  /// Where a dataset's rows of the user are kept; nil where it has none.
  func keptKey(_ dataset: Int) -> PageCache.RowsKey? {
    datasets[dataset] == nil ? nil : PageCache.RowsKey(reading.keptColumns[dataset], user.key)
  }

  /// Keeps what was read of the user's rows, where something was that had not been kept, and which days are whole now.
  /// The answer is then taken from there: its columns need not be gathered from every file again.
  mutating func keepRows(using context: inout DecodingContext) {
    guard let cache = context.cache, !visits.isEmpty else { return }
    let days = readDays
    for dataset in datasets.indices {
      guard let key = keptKey(dataset), let rows = keptAnew(dataset, days, using: &context) else { continue }
      cache.keep(rows, for: key)
    }
    visits = []
  }

  /// What is kept of a dataset from now on; nil: nothing else than before.
  private mutating func keptAnew(
    _ dataset: Int, _ days: ReadDays, using context: inout DecodingContext
  ) -> KeptRows? {
    let own = visits.filter { $0.dataset == dataset }
    if let known = kept[dataset]?.rows, let snapshot = datasets[dataset], !own.contains(where: \.isNews) {
      let isKnown = known.parts.count { days.looked(at: $0) } == own.count
      let days = KeptDays(days, fileSet: snapshot.fileSet, parts: known.parts)
      if isKnown { return known.days.map(days.isSame(as:)) ?? false ? nil : KeptRows(known, days: days) }
    }
    // What cannot be read did not matter for this answer; an answer for which it does says what is wrong.
    return try? joined(dataset, days, using: &context)
  }

  /// The days that were read whole, those known before among them.
  private var readDays: ReadDays {
    let isJoined = steps.made.contains { $0.keptGroups != nil }
    let end = visits.first { !$0.rows.allSatisfy { isKeepable($0) } }?.step ?? candidates.count
    let (looked, whole) = (steps.withFiles(before: candidates.count), steps.withFiles(before: end))
    let groups = whole.map { KeptDays.Group(startMicros: $0.startMicros!, lastDay: $0.lastDay!) }
    var days = ReadDays(groups: groups, fromMicros: readFromMicros, untilMicros: request.untilMicros)
    if let oldest = looked.last?.startMicros, let newest = looked.first?.lastDay {
      days.lookedMicros = oldest..<(isJoined ? wholeDays!.groups.last!.startMicros : newest.endMicros)
    }
    if let wholeDays {
      days.untilMicros = wholeDays.untilMicros
      if groups.isEmpty || !isJoined {
        (days.groups, days.fromMicros) = (wholeDays.groups, wholeDays.fromMicros)
      } else {
        days.groups.insert(contentsOf: wholeDays.groups, at: 0)
      }
    } else if datasets.allSatisfy({ $0?.ends(before: request.untilMicros ?? .max) ?? true }) {
      days.untilMicros = nil
    }
    if let from = days.fromMicros, let oldest = days.groups.last, from <= oldest.startMicros { days.fromMicros = nil }
    return days
  }

  /// All that was read of a dataset's files, and what was kept of files of other days; nil when it is too much.
  private mutating func joined(
    _ dataset: Int, _ days: ReadDays, using context: inout DecodingContext
  ) throws(StoreError) -> KeptRows? {
    let pieces = pieces(dataset, days)
    var (parts, count): ([KeptRows.Part], Int) = ([], 0)
    parts.reserveCapacity(pieces.count)
    for piece in pieces {
      let end = piece.rows.reduce(count) { $0 + $1.rows.count }
      parts.append(
        KeptRows.Part(file: piece.file, startMicros: piece.startMicros, times: piece.times, rows: count..<end))
      count = end
    }
    guard count <= KeptRows.limits.all else { return nil }
    let rows = pieces.flatMap(\.rows)
    var (keys, values): ([(KeyColumn, ArrowArray)], [(Field, ArrowArray)]) = ([], [])
    if !rows.isEmpty {
      for key in Self.keptKeys {
        let columns = try rows.map { part throws(StoreError) in
          try sources[part.source].load([key], using: &context)
          return try sources[part.source].key(key).slice(part.rows)
        }
        keys.append((key, .joinedCopy(of: columns)))
      }
      var columns = [ColumnParts](repeating: ColumnParts(), count: reading.kept.count)
      for part in rows { try sources[part.source].append(reading.kept, at: part.rows, to: &columns, using: &context) }
      for (field, parts) in zip(reading.kept.map(\.field), columns) {
        let column = ArrowArray.joinedCopy(of: parts.arrays)
        values.append((field, column.type == field.type || column.isPooled ? column : column.decoded()))
      }
    }
    let days = KeptDays(days, fileSet: datasets[dataset]!.fileSet, parts: parts)
    let kept = KeptRows(datasets[dataset]!.name, parts, days, keys: keys, values: values)
    move(rows, to: kept, dataset)
    return kept
  }

  /// Takes rows that were found where they are kept from now on: all of them, one part after the other.
  private mutating func move(_ parts: [SourcePart], to rows: KeptRows, _ dataset: Int) {
    var places = [[(rows: Range<Int>, start: Int)]](repeating: [], count: sources.count)
    var start = 0
    for part in parts {
      places[part.source].append((part.rows, start))
      start += part.rows.count
    }
    let source = Int32(sources.count)
    sources.append(UserRows(rows, dataset: dataset))
    func move(_ found: inout [Found]) {
      for index in found.indices {
        let (old, place) = (Int(found[index].id.source), Int(found[index].id.place))
        guard let part = places[old].first(where: { $0.rows.contains(place) }) else { continue }
        found[index].id = RowID(source: source, place: Int32(part.start + place - part.rows.lowerBound))
      }
    }
    move(&found)
    move(&history)
  }

  private typealias Piece = (file: UInt32, startMicros: Int64, times: ClosedRange<Int64>?, rows: [SourcePart])

  /// The parts of a dataset's files, the earlier first.
  private func pieces(_ dataset: Int, _ days: ReadDays) -> [Piece] {
    var pieces: [Piece] = []
    for visit in visits where visit.dataset == dataset && visit.rows.allSatisfy({ isKeepable($0) }) {
      pieces.append((visit.file.id, visit.file.startMicros, visit.file.times, visit.rows))
    }
    if let kept = kept[dataset] {
      // A file of the days that were read that nobody looked into is not there any more, or not of the time.
      for part in kept.rows.parts where !days.looked(at: part) {
        let rows = part.rows.isEmpty ? [] : [SourcePart(source: kept.index, rows: part.rows)]
        pieces.append((part.file, part.startMicros, part.times, rows))
      }
    }
    return pieces.sorted { $0.startMicros < $1.startMicros }
  }

  /// Whether rows are few and in order.
  func isKeepable(_ part: SourcePart) -> Bool {
    sources[part.source].selected == nil && part.rows.count <= KeptRows.limits.file
  }
}

extension ArrowArray {
  /// Columns one after the other, in memory of their own.
  fileprivate static func joinedCopy(of parts: [ArrowArray]) -> ArrowArray {
    let filled = parts.filter { $0.count > 0 }
    return filled.count < 2 ? (filled.first ?? parts[0]).copied() : .concatenate(filled.alike())
  }
}
