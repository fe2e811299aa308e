import Arrow
import ArrowKernels
import Buffers
import Definitions
import Engine

extension EventCollector {
  /// Keeps what was read of users' rows for later reads.
  mutating func keepSources(in cache: PageCache?) {
    guard let cache else { return }
    for index in sources.indices { sources[index].keep(in: cache) }
  }

  /// Columns of some rows, which are given newest first, oldest first.
  ///
  /// - Parameter keepsDictionaries: whether columns of texts may be dictionaries.
  mutating func columns(
    _ fields: [Field], of rows: ArraySlice<Found>, keepsDictionaries: Bool = false,
    using context: inout DecodingContext
  ) throws(StoreError) -> RecordBatch {
    let ranges = SourceRanges(of: rows, sourceCount: sources.count)
    let known = hasTypes ? fields.firstIndex { $0.name == SystemColumns.eventType && $0.type == .utf8 } : nil
    var wanted = fields.map { WantedColumn($0) }
    if let known { wanted.remove(at: known) }
    var parts: [[[ArrowArray]]] = []
    for (source, range) in ranges.used {
      parts.append(try sources[source].parts(wanted, at: range, using: &context))
    }
    var gather = PartGather(ranges.references(to: rows))
    var columns: [ArrowArray] = []
    for (index, column) in wanted.enumerated() {
      columns.append(gather.column(index, parts) ?? ArrowArray(nulls: column.field.type, count: 0))
    }
    if let known { columns.insert(typeColumn(of: rows), at: known) }
    if !keepsDictionaries {
      for (index, field) in fields.enumerated() where columns[index].type != field.type {
        columns[index] = columns[index].decoded()
      }
    }
    return RecordBatch(Schema(fields).retyped(as: columns), columns, rowCount: rows.count)
  }

  /// The event types of some rows, which are given newest first, oldest first.
  private func typeColumn(of rows: ArraySlice<Found>) -> ArrowArray {
    var indices = BufferBuilder(capacity: rows.count * 4)
    for row in rows.reversed() { indices.append(row.type) }
    return ArrowArray(
      .dictionary(index: .int32, value: .utf8, isOrdered: false), count: rows.count,
      storage: .dictionary(indices: indices.finish(), values: types.names))
  }
}

/// The places of some rows in each source.
private struct SourceRanges {
  private var bySource: [Range<Int>]
  /// By source, its place among those used.
  private var numbers: [Int32]
  /// In the order of their first rows.
  private(set) var used: [(source: Int, range: Range<Int>)] = []

  init(of rows: ArraySlice<EventCollector.Found>, sourceCount: Int) {
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

  /// Where the rows lie in the ranges used, `RowReference` each, from the last row to the first.
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

/// Gathers rows of columns that lie in parts: where columns have parts of the same lengths, rows are placed once for all.
private struct PartGather {
  /// `RowReference` each, to sources as if each were in one part.
  private let rows: Buffer
  private var lengths: PartLengths?
  private var references = Buffer.empty

  init(_ rows: Buffer) { self.rows = rows }

  /// The rows of column `index`, given the parts of all columns by source; nil where there are no sources.
  mutating func column(_ index: Int, _ parts: [[[ArrowArray]]]) -> ArrowArray? {
    if parts.isEmpty { return nil }
    var arrays: [ArrowArray] = []
    var lengths = PartLengths()
    for source in parts {
      lengths.firsts.append(arrays.count)
      for part in source[index] {
        arrays.append(part)
        lengths.counts.append(part.count)
      }
    }
    if lengths != self.lengths { (self.lengths, references) = (lengths, lengths.references(to: rows)) }
    return .interleave(arrays.alike(), references)
  }
}

/// The parts of a column that several sources hold.
private struct PartLengths: Equatable {
  /// By source, its first part.
  var firsts: [Int] = []
  /// Rows by part.
  var counts: [Int] = []

  /// Where rows lie in the parts, given where they lie in the sources.
  func references(to rows: Buffer) -> Buffer {
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
