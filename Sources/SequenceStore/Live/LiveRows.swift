import Arrow
import ArrowKernels
import Buffers
import Definitions

/// One user's rows in the live log, as they were at one moment: all, or those of the newest events and all that correct others.
/// Immutable.
package struct LiveRows: Sendable {
  /// By time within a source.
  let sources: [Source]
  /// From this time on all events are there, in microseconds.
  let fromMicros: Int64

  /// None.
  package init() { (sources, fromMicros) = ([], .min) }

  /// - Parameters:
  ///   - found: rows of users of the same hash.
  ///   - fromSeconds: from then on all events are there, in seconds since 1970; 0: all are.
  init(_ found: [Source], of user: UserProbe, fromSeconds: UInt32) {
    fromMicros = fromSeconds == 0 ? .min : Int64(fromSeconds) * 1_000_000
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

    init(_ dataset: String, _ schema: Schema, _ found: LiveTable.Found) {
      (self.dataset, self.schema, batches, rows) = (dataset, schema, found.batches, found.rows)
    }
  }

  /// How many there are, corrections and retractions counted.
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

  /// Some of its rows as rows of their own.
  func rows(at places: [Int]) -> LiveRows.Source {
    var picked = self
    picked.rows = places.map { rows[$0] }
    return picked
  }

  /// A column of some of the rows; nil when there is none of that name.
  ///
  /// - Parameter keepsDictionaries: whether values that come in dictionaries stay in one, which may have some twice.
  func column(_ name: String, _ range: Range<Int>, keepsDictionaries: Bool = false) -> ArrowArray? {
    guard let index = schema.index(of: name) else { return nil }
    let columns = batches.map { $0.columns[index] }
    guard keepsDictionaries, columns.allSatisfy({ $0.isDictionary && $0.nullCount == 0 }) else {
      var references = BufferBuilder(capacity: range.count * MemoryLayout<RowReference>.stride)
      forEachRun(range) { source, rows in
        columns[source].forEachValue(rows) { references.append(RowReference(source: Int32(source), row: Int32($0))) }
      }
      return ArrowArray.interleave(columns.map(\.dictionaryValues), references.finish()).decoded()
    }
    let values = columns.map(\.dictionaryValues)
    let starts = values.reduce(into: [0]) { $0.append($0.last! + $1.count) }
    var indices = BufferBuilder(capacity: range.count * 4)
    forEachRun(range) { source, rows in
      columns[source].forEachValue(rows) { indices.append(Int32(starts[source] + $0)) }
    }
    return ArrowArray(
      .dictionary(index: .int32, value: values[0].type, isOrdered: false), count: range.count,
      storage: .dictionary(indices: indices.finish(), values: .concatenate(values)))
  }

  /// Calls `body` for the rows of each batch that follow each other.
  private func forEachRun(_ range: Range<Int>, _ body: (_ source: Int, ArraySlice<RowReference>) -> Void) {
    var start = range.lowerBound
    while start < range.upperBound {
      let source = rows[start].source
      var end = start + 1
      while end < range.upperBound, rows[end].source == source { end += 1 }
      body(Int(source), rows[start..<end])
      start = end
    }
  }
}

extension ArrowArray {
  fileprivate var isDictionary: Bool { if case .dictionary = storage { true } else { false } }

  /// A dictionary's values; another array itself.
  fileprivate var dictionaryValues: ArrowArray {
    if case .dictionary(_, let values) = storage { values } else { self }
  }

  /// Calls `body` with the place of each row's value among `dictionaryValues`; -1 for a null of a dictionary.
  fileprivate func forEachValue(_ rows: ArraySlice<RowReference>, _ body: (Int) -> Void) {
    guard case .dictionary(let indices, _) = storage, case .dictionary(let width, _, _) = type else {
      for row in rows { body(Int(row.row)) }
      return
    }
    func forEach<Index: FixedWidthInteger & BitwiseCopyable>(_: Index.Type) {
      let indices = indices.span(of: Index.self)
      for row in rows { body(isNull(Int(row.row)) ? -1 : Int(truncatingIfNeeded: indices[Int(row.row)])) }
    }
    switch width {
    case .int8: forEach(Int8.self)
    case .uint8: forEach(UInt8.self)
    case .int16: forEach(Int16.self)
    case .uint16: forEach(UInt16.self)
    case .int32, .uint32: forEach(Int32.self)
    default: forEach(Int64.self)
    }
  }
}
