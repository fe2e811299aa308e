import Arrow
import ArrowKernels
import Buffers
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
  }

  /// The key columns that are kept, whichever are asked for now. What rows are told apart by is kept once it was needed: who
  /// needs it first reads the files again.
  private var keptKeys: [KeyColumn] {
    let hadIdentities = kept.contains { $0?.rows.hasIdentities ?? false }
    return [.ts, .eventType, .revision] + (needsIdentities || hadIdentities ? KeyColumn.identities : [])
  }

  /// Where a dataset's rows of the user are kept; nil where it has none.
  func keptKey(_ dataset: Int) -> PageCache.RowsKey? {
    datasets[dataset] == nil ? nil : PageCache.RowsKey(reading.keptColumns[dataset], user.key)
  }

  /// Keeps what was read of the user's rows, where something was that had not been kept, and what is known of days now.
  /// The answer is then taken from there: its columns need not be gathered from every file again.
  mutating func keepRows(using context: inout DecodingContext) {
    guard let cache = context.cache, keepsRows else { return }
    keepsRows = false
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
    let pieces = pieces(dataset, days)
    guard let known = kept[dataset], let parts = known.parts(of: pieces) else {
      // What cannot be read did not matter for this answer; an answer for which it does says what is wrong.
      return try? joined(dataset, pieces, days, using: &context)
    }
    let kept = KeptRows(known.rows, parts, keptDays(dataset, days, parts))
    return kept.isSame(as: known.rows) ? nil : kept
  }

  private func keptDays(_ dataset: Int, _ days: ReadDays, _ parts: [KeptRows.Part]) -> KeptDays {
    KeptDays(days.groups, in: datasets[dataset]!, of: user, parts: parts)
  }

  /// Rows of pieces in memory of their own; nil when they are too many.
  private mutating func joined(
    _ dataset: Int, _ pieces: [KeptPiece], _ days: ReadDays, using context: inout DecodingContext
  ) throws(StoreError) -> KeptRows? {
    var (parts, count): ([KeptRows.Part], Int) = ([], 0)
    parts.reserveCapacity(pieces.count)
    for piece in pieces {
      let end = piece.rows.reduce(count) { $0 + $1.rows.count }
      parts.append(piece.part(count..<end))
      count = end
    }
    guard count <= KeptRows.limits.all else { return nil }
    let rows = pieces.flatMap(\.rows)
    var (keys, values): ([(KeyColumn, ArrowArray)], [(Field, ArrowArray)]) = ([], [])
    if !rows.isEmpty {
      for key in keptKeys { keys.append((key, try joined(key, of: rows, using: &context))) }
      var columns = [ColumnParts](repeating: ColumnParts(), count: reading.kept.count)
      for part in rows { try sources[part.source].append(reading.kept, at: part.rows, to: &columns, using: &context) }
      for (field, parts) in zip(reading.kept.map(\.field), columns) {
        let column = ArrowArray.joinedCopy(of: parts.arrays)
        values.append((field, column.type == field.type || column.isPooled ? column : column.decoded()))
      }
    }
    let kept = KeptRows(
      datasets[dataset]!.name, parts, keptDays(dataset, days, parts), keys: keys, values: values)
    move(rows, to: kept, dataset)
    return kept
  }

  /// A key column of some rows, in memory of its own.
  private mutating func joined(
    _ key: KeyColumn, of rows: [SourcePart], using context: inout DecodingContext
  ) throws(StoreError) -> ArrowArray {
    for part in rows { try sources[part.source].load([key], using: &context) }
    guard let width = key.type.byteWidth else {
      return .joinedCopy(
        of: try rows.map { part throws(StoreError) in try sources[part.source].key(key).slice(part.rows) })
    }
    let values = Buffer.joining(
      try rows.map { part throws(StoreError) in
        try sources[part.source].values(key).slice(part.rows.lowerBound * width..<part.rows.upperBound * width)
      })
    return ArrowArray(key.type, count: values.byteCount / width, storage: .fixed(values))
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
