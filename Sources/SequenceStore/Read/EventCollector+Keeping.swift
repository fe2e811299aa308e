import Arrow
import ArrowKernels
import Definitions

// What is read of a user's rows in files is kept for those who ask for the same columns of the user's rows again.

extension EventCollector {
  /// A file that was looked into.
  struct Visit {
    let dataset: Int
    let file: StoreFile
    /// What it has of the user.
    let rows: [SourcePart]
    /// Whether that was read just now, and may be kept.
    var isNews: Bool
  }

  /// The key columns that are kept, whichever are asked for now: a live row may come that has to be told from others.
  private static let keptKeys: [KeyColumn] = [.ts, .eventType, .eventKey, .revision, .seenAt]

  /// Takes what was kept of each dataset's rows as a source.
  mutating func takeKept(from cache: PageCache) {
    keptFields = makeKeptFields()
    keptKeys = datasets.map { $0.map { PageCache.RowsKey($0.name, keptFields, user.key) } }
    for (dataset, key) in keptKeys.enumerated() {
      guard let key, let rows = cache[key] else { continue }
      kept[dataset] = KeptSource(rows, index: sources.count)
      sources.append(UserRows(rows, dataset: dataset))
    }
  }

  /// All columns that an answer may read, but for the key columns.
  private func makeKeptFields() -> [Field] {
    var fields = request.columns + plan.filterFields
    if merging != nil { fields += plan.mergeFields }
    let names = computers.flatMap(\.inputs) + (enrichment?.inputs ?? [])
    if !names.isEmpty { fields += SequencePlan.fields(names, of: plan.columns) }
    var wanted: [Field] = []
    for field in fields where KeyColumn(field.name) == nil && !wanted.contains(where: { $0.name == field.name }) {
      if plan.columns.contains(where: { $0.name == field.name }) { wanted.append(field) }
    }
    return wanted
  }

  /// Keeps nothing of what was read.
  mutating func forgetNews() {
    for place in visits.indices { visits[place].isNews = false }
    for source in sources.indices { sources[source].readsAll = false }
  }

  /// Keeps what was read of the user's rows, where something was that had not been kept.
  mutating func keepRows(using context: inout DecodingContext) {
    guard let cache = context.cache, visits.contains(where: \.isNews) else { return }
    for (dataset, key) in keptKeys.enumerated() {
      guard let key, visits.contains(where: { $0.dataset == dataset && $0.isNews }) else { continue }
      // What cannot be read did not matter for this answer; an answer for which it does says what is wrong.
      guard let rows = try? joined(dataset, using: &context) else { continue }
      cache.keep(rows, byteCount: rows.byteCount, for: key)
    }
    forgetNews()
  }

  /// All that was read of a dataset's files, and what was kept of files of other days; nil when it is too much.
  private mutating func joined(_ dataset: Int, using context: inout DecodingContext) throws(StoreError) -> KeptRows? {
    let pieces = pieces(dataset)
    var (parts, count): ([KeptRows.Part], Int) = ([], 0)
    for piece in pieces {
      let end = piece.rows.reduce(count) { $0 + $1.rows.count }
      parts.append(KeptRows.Part(file: piece.file, startMicros: piece.startMicros, rows: count..<end))
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
        keys.append((key, .concatenate(columns.alike()).copied()))
      }
      for field in keptFields {
        let columns = try rows.map { part throws(StoreError) in
          try sources[part.source].columns([field], at: part.rows, using: &context).columns[0]
        }
        values.append((field, .concatenate(columns).copied()))
      }
    }
    return KeptRows(datasets[dataset]!.name, parts, keys: keys, values: values)
  }

  private typealias Piece = (file: UInt32, startMicros: Int64, rows: [SourcePart])

  /// The parts of a dataset's files, the earlier first.
  private func pieces(_ dataset: Int) -> [Piece] {
    var pieces: [Piece] = []
    for visit in visits where visit.dataset == dataset && visit.rows.allSatisfy(isKeepable) {
      pieces.append((visit.file.id, visit.file.startMicros, visit.rows))
    }
    guard let kept = kept[dataset] else { return pieces.sorted { $0.startMicros < $1.startMicros } }
    let times = pieces.map(\.startMicros)
    if let first = times.min(), let last = times.max() {
      // A file of the days that were read that nobody looked into is not there any more.
      for part in kept.rows.parts where part.startMicros < first || part.startMicros > last {
        let rows = part.rows.isEmpty ? [] : [SourcePart(source: kept.index, rows: part.rows)]
        pieces.append((part.file, part.startMicros, rows))
      }
    }
    return pieces.sorted { $0.startMicros < $1.startMicros }
  }

  /// Whether rows are few and in order.
  func isKeepable(_ part: SourcePart) -> Bool {
    sources[part.source].selected == nil && part.rows.count <= KeptRows.limits.file
  }
}
