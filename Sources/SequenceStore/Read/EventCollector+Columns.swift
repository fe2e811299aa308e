import Arrow
import ArrowKernels
import Buffers
import Engine

extension EventCollector {
  /// Columns of some rows, which are given newest first, oldest first.
  mutating func columns(
    _ fields: [Field], of rows: ArraySlice<Found>, using context: inout DecodingContext
  ) throws(StoreError) -> RecordBatch {
    let ranges = SourceRanges(of: rows, sourceCount: sources.count)
    var parts: [[[ArrowArray]]] = []
    for (source, range) in ranges.used {
      parts.append(try sources[source].parts(fields, at: range, using: &context))
    }
    var gather = PartGather(ranges.references(to: rows))
    var columns: [ArrowArray] = []
    for (index, field) in fields.enumerated() {
      let column = gather.column(parts.map { $0[index] }) ?? ArrowArray(nulls: field.type, count: 0)
      columns.append(column.type == field.type ? column : column.decoded())
    }
    return RecordBatch(Schema(fields), columns, rowCount: rows.count)
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
  private var counts: [[Int]] = []
  private var references = Buffer.empty

  init(_ rows: Buffer) { self.rows = rows }

  /// The rows of a column, given its parts by source; nil where there are none.
  mutating func column(_ parts: [[ArrowArray]]) -> ArrowArray? {
    let arrays = parts.flatMap(\.self)
    if arrays.isEmpty { return nil }
    let counts = parts.map { $0.map(\.count) }
    if counts != self.counts { (self.counts, references) = (counts, Self.references(rows, to: counts)) }
    return .interleave(arrays.alike(), references)
  }

  /// - Parameter counts: the rows of each part, by source.
  private static func references(_ rows: Buffer, to counts: [[Int]]) -> Buffer {
    if counts.allSatisfy({ $0.count == 1 }) { return rows }
    var firsts: [Int] = []
    var next = 0
    for parts in counts {
      firsts.append(next)
      next += parts.count
    }
    // By source, the part that held its last row, and where that part begins: rows ascend but for those of equal times.
    var last = [(part: Int, start: Int)](repeating: (0, 0), count: counts.count)
    var references = BufferBuilder(capacity: rows.byteCount)
    let rows = rows.span(of: RowReference.self)
    for index in 0..<rows.count {
      let (source, row) = (Int(rows[index].source), Int(rows[index].row))
      var (part, start) = last[source].start <= row ? last[source] : (0, 0)
      while row >= start + counts[source][part] {
        start += counts[source][part]
        part += 1
      }
      last[source] = (part, start)
      references.append(RowReference(source: Int32(firsts[source] + part), row: Int32(row - start)))
    }
    return references.finish()
  }
}
