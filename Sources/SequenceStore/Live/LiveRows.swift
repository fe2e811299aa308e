import Arrow
import ArrowKernels
import Buffers
import Definitions

/// One user's rows in the live log, as they were at one moment. Immutable.
package struct LiveRows: Sendable {
  /// By time within a source.
  let sources: [Source]

  /// None.
  package init() { sources = [] }

  /// - Parameter found: rows of users of the same hash.
  init(_ found: [Source], of user: UserProbe) {
    sources = found.compactMap { source in
      var source = source
      source.keepRows(of: user)
      return source.rows.isEmpty ? nil : source
    }
  }

  /// Rows of one dataset, schema and segment.
  struct Source: Sendable {
    let dataset: String
    let schema: Schema
    let batches: [RecordBatch]
    fileprivate(set) var rows: [RowReference]
  }

  /// How many they are, corrections and retractions counted.
  package var count: Int { sources.reduce(0) { $0 + $1.rows.count } }
}

extension LiveRows.Source {
  /// Drops the rows of other users of the same hash, and brings the others into order of time.
  fileprivate mutating func keepRows(of user: UserProbe) {
    guard schema[SystemColumns.user]?.type == user.type else {
      rows = []
      return
    }
    let users = batches.map { $0[SystemColumns.user]! }
    rows.removeAll { user.order(of: users[Int($0.source)], Int($0.row)) != 0 }
    let times = batches.map { $0[SystemColumns.ts]!.values }
    func micros(_ row: RowReference) -> Int64 { times[Int(row.source)].load(Int(row.row), as: Int64.self) }
    // Rows come newest first, and mostly in order of time.
    rows.reverse()
    if zip(rows, rows.dropFirst()).contains(where: { micros($0) > micros($1) }) {
      rows.sort { micros($0) < micros($1) }
    }
  }

  /// Without the rows that a replacement of their day took back: what it saw and did not keep is gone.
  func hidden(by horizons: ReplacementHorizons) -> LiveRows.Source {
    if horizons.isEmpty { return self }
    let times = batches.map { $0[SystemColumns.ts]!.values }
    let seen = batches.map { $0[SystemColumns.seenAt]!.values }
    var kept = self
    var known: (day: Day, horizon: Int64?)?
    kept.rows.removeAll { row in
      let day = Day(micros: times[Int(row.source)].load(Int(row.row), as: Int64.self))
      if known?.day != day { known = (day, horizons[day]) }
      guard let horizon = known?.horizon else { return false }
      return seen[Int(row.source)].load(Int(row.row), as: Int64.self) <= horizon
    }
    return kept
  }

  /// A column of some of the rows, without a dictionary; nil when there is none of that name.
  func column(_ name: String, _ range: Range<Int>) -> ArrowArray? {
    guard let index = schema.index(of: name) else { return nil }
    let columns = batches.map { $0.columns[index] }
    var references = BufferBuilder(capacity: range.count * MemoryLayout<RowReference>.stride)
    for row in rows[range] { references.append(row.inDictionary(of: columns[Int(row.source)])) }
    return ArrowArray.interleave(columns.map(\.dictionaryValues), references.finish()).decoded()
  }
}

extension RowReference {
  /// The same value's place among the values of a dictionary; of other arrays the row itself.
  fileprivate func inDictionary(of column: ArrowArray) -> RowReference {
    guard case .dictionary = column.storage else { return self }
    if column.isNull(Int(row)) { return RowReference(source: source, row: -1) }
    return RowReference(source: source, row: Int32(column.dictionaryIndex(Int(row))))
  }
}

extension ArrowArray {
  /// A dictionary's values; another array itself.
  fileprivate var dictionaryValues: ArrowArray {
    if case .dictionary(_, let values) = storage { values } else { self }
  }
}
