import Arrow
import ArrowKernels
import Buffers
import Definitions
import Engine

extension EventCollector {
  /// Columns of some rows, which are given newest first, oldest first.
  ///
  /// - Parameter keepsDictionaries: whether columns of texts may be dictionaries.
  mutating func columns(
    _ wanted: [WantedColumn], of rows: ArraySlice<Found>, keepsDictionaries: Bool = false,
    using context: inout DecodingContext
  ) throws(StoreError) -> RecordBatch {
    let isKnown = wanted.map { self.isKnown($0) }
    var read = try self.read(zip(wanted, isKnown).filter { !$1 }.map(\.0), of: rows, using: &context).makeIterator()
    var columns: [ArrowArray] = []
    columns.reserveCapacity(wanted.count)
    for (column, isKnown) in zip(wanted, isKnown) {
      let values = isKnown ? knownColumn(column, of: rows) : read.next()!
      let isReady = values.type == column.field.type || keepsDictionaries && !values.isPooled
      columns.append(isReady ? values : values.decoded())
    }
    return RecordBatch(reading.schema(of: columns, for: wanted), columns, rowCount: rows.count)
  }

  private mutating func read(
    _ wanted: [WantedColumn], of rows: ArraySlice<Found>, using context: inout DecodingContext
  ) throws(StoreError) -> [ArrowArray] {
    if wanted.isEmpty { return [] }
    let ranges = SourceRanges(of: rows, sourceCount: sources.count)
    var parts = [ColumnParts](repeating: ColumnParts(), count: wanted.count)
    for (source, range) in ranges.used {
      try sources[source].append(wanted, at: range, to: &parts, using: &context)
    }
    if ranges.isOneRun {
      return parts.map { $0.arrays.count == 1 ? $0.arrays[0] : .concatenate($0.arrays.alike()) }
    }
    var gather = PartGather(ranges.references(to: rows))
    return zip(wanted, parts).map { gather.column($1) ?? ArrowArray(nulls: $0.field.type, count: 0) }
  }

  /// Whether a column follows from what is known of rows.
  private func isKnown(_ column: WantedColumn) -> Bool {
    switch column.key {
    case .ts: column.field.type == KeyColumn.ts.type
    case .eventType: column.field.type == .utf8 && hasTypes
    default: false
    }
  }

  /// A column that follows from what is known of rows, which are given newest first; oldest first.
  private func knownColumn(_ column: WantedColumn, of rows: ArraySlice<Found>) -> ArrowArray {
    if column.key == .eventType { return typeColumn(of: rows) }
    var times = BufferBuilder(capacity: rows.count * 8)
    for row in rows.reversed() { times.append(row.micros) }
    return ArrowArray(column.field.type, count: rows.count, storage: .fixed(times.finish()))
  }

  /// The event types of some rows, which are given newest first, oldest first.
  private func typeColumn(of rows: ArraySlice<Found>) -> ArrowArray {
    var indices = BufferBuilder(capacity: rows.count * 4)
    for row in rows.reversed() { indices.append(row.type) }
    return ArrowArray(
      .textDictionary, count: rows.count, storage: .dictionary(indices: indices.finish(), values: types.names))
  }
}

/// The places of some rows in each source.
private struct SourceRanges {
  private var bySource: [Range<Int>]
  /// By source, its place among those used.
  private var numbers: [Int32]
  /// In the order of their first rows.
  private(set) var used: [(source: Int, range: Range<Int>)] = []
  /// Whether the rows, which are given newest first, are all of one source's range, from its last to its first.
  private(set) var isOneRun = false

  init(of rows: ArraySlice<EventCollector.Found>, sourceCount: Int) {
    if let run = Self.run(rows) {
      (used, bySource, numbers, isOneRun) = ([run], [], [], true)
      return
    }
    bySource = [Range<Int>](repeating: 0..<0, count: sourceCount)
    numbers = [Int32](repeating: -1, count: sourceCount)
    var order: [Int] = []
    for row in rows {
      let (source, place) = (Int(row.id.source), Int(row.id.place))
      if numbers[source] < 0 {
        numbers[source] = Int32(order.count)
        order.append(source)
        bySource[source] = place..<place + 1
      } else {
        let known = bySource[source]
        bySource[source] = min(known.lowerBound, place)..<max(known.upperBound, place + 1)
      }
    }
    used = order.map { ($0, bySource[$0]) }
  }

  /// The source and its range of which rows are all, from its last to its first; nil where they are not.
  private static func run(_ rows: ArraySlice<EventCollector.Found>) -> (source: Int, range: Range<Int>)? {
    guard let first = rows.first?.id else { return nil }
    var next = first.place
    for row in rows {
      if row.id.source != first.source || row.id.place != next { return nil }
      next -= 1
    }
    return (Int(first.source), Int(next + 1)..<Int(first.place + 1))
  }

  /// Where the rows lie in the ranges used, `RowReference` each, from the last row to the first.
  ///
  /// - Precondition: they are not one run.
  func references(to rows: ArraySlice<EventCollector.Found>) -> Buffer {
    var references = BufferBuilder(capacity: rows.count * MemoryLayout<RowReference>.stride)
    for row in rows.reversed() {
      let source = Int(row.id.source)
      references.append(
        RowReference(source: numbers[source], row: row.id.place - Int32(bySource[source].lowerBound)))
    }
    return references.finish()
  }
}

/// The parts of a column that several sources hold.
struct ColumnParts {
  private(set) var arrays: [ArrowArray] = []
  /// By source, its first part.
  fileprivate var firsts: [Int] = []
  /// Rows by part.
  fileprivate var counts: [Int] = []

  /// Begins with the next source's parts.
  mutating func beginSource() { firsts.append(arrays.count) }

  mutating func append(_ part: ArrowArray) {
    arrays.append(part)
    counts.append(part.count)
  }

  /// The parts of the source begun last as one array.
  mutating func takeSource() -> ArrowArray {
    let parts = Array(arrays[firsts.removeLast()...])
    arrays.removeLast(parts.count)
    counts.removeLast(parts.count)
    return .concatenate(parts.alike())
  }

  /// Where rows lie in the parts, given where they lie in the sources.
  fileprivate func references(to rows: Buffer) -> Buffer {
    if firsts.count == counts.count { return rows }
    // By source, the part that held its last row, and where that part begins: rows ascend but for those of equal times.
    var last = firsts.map { (part: $0, start: 0) }
    var references = BufferBuilder(capacity: rows.byteCount)
    let rows = rows.span(of: RowReference.self)
    for index in 0..<rows.count {
      let (source, row) = (Int(rows[index].source), Int(rows[index].row))
      var (part, start) = last[source].start <= row ? last[source] : (firsts[source], 0)
      while row >= start + counts[part] {
        start += counts[part]
        part += 1
      }
      last[source] = (part, start)
      references.append(RowReference(source: Int32(part), row: Int32(row - start)))
    }
    return references.finish()
  }
}

/// Gathers rows of columns that lie in parts: where columns have parts of the same lengths, rows are placed once for all.
private struct PartGather {
  /// `RowReference` each, to sources as if each were in one part.
  private let rows: Buffer
  private var last: ColumnParts?
  private var references = Buffer.empty

  init(_ rows: Buffer) { self.rows = rows }

  /// The rows of a column; nil where there are no sources.
  mutating func column(_ parts: ColumnParts) -> ArrowArray? {
    if parts.arrays.isEmpty { return nil }
    if last.map({ $0.firsts != parts.firsts || $0.counts != parts.counts }) ?? true {
      (last, references) = (parts, parts.references(to: rows))
    }
    return .interleave(parts.arrays.alike(), references)
  }
}

extension [ArrowArray] {
  /// The same arrays, all of one type: without dictionaries where not all have one, or not all the same one of lists.
  func alike() -> [ArrowArray] {
    guard allSatisfy({ $0.type == self[0].type }) else { return map { $0.decoded() } }
    if count > 1, self[0].isPooled, !allSatisfy({ $0.children[0].isIdentical(to: self[0].children[0]) }) {
      return map { $0.decoded() }
    }
    return self
  }
}
