import Arrow
import ArrowKernels
import Buffers

extension EventCollector {
  /// The columns asked for of the rows found, oldest first.
  mutating func events(using context: inout DecodingContext) throws(StoreError) -> RecordBatch {
    guard !found.isEmpty else { return RecordBatch(empty: Schema(request.columns)) }
    let enrichment = plan.enricher?.adding(Set(request.columns.map(\.name)))
    if computers.isEmpty && merging?.hasActions != true && enrichment == nil {
      return try columns(request.columns, of: found, using: &context)
    }
    var derived = try derivedColumns(using: &context)
    var names = enrichment?.inputs ?? []
    names += request.columns.map(\.name).filter { derived[$0] == nil && !names.contains($0) }
    let read = try columns(SequencePlan.fields(names, of: plan.columns), of: found, using: &context)
    if let enrichment {
      for (field, values) in zip(enrichment.outputs, enrichment.columns(of: read, coverage: &coverage)) {
        derived[field.name] = values
      }
    }
    return RecordBatch(
      Schema(request.columns), request.columns.map { derived[$0.name] ?? read[$0.name]! }, rowCount: found.count)
  }

  /// Columns of some rows, which are given newest first, oldest first.
  mutating func columns(
    _ fields: [Field], of rows: [Found], using context: inout DecodingContext
  ) throws(StoreError) -> RecordBatch {
    let ranges = Self.ranges(of: rows)
    var batches: [RecordBatch] = []
    for (index, range) in ranges.order.map({ ($0, ranges.bySource[$0]!.range) }) {
      try sources[Int(index)].derive(fields.map(\.name), using: &context)
      batches.append(try sources[Int(index)].columns(fields, at: range, using: &context))
    }
    var references = BufferBuilder(capacity: rows.count * MemoryLayout<RowReference>.stride)
    for row in rows.reversed() {
      let (range, batch) = ranges.bySource[row.id.source]!
      references.append(RowReference(source: batch, row: row.id.place - Int32(range.lowerBound)))
    }
    return RecordBatch.interleave(batches, references.finish())
  }

  /// The places of the rows in each source, and the sources in the order in which their batches are numbered.
  private static func ranges(of rows: [Found]) -> (bySource: [Int32: (range: Range<Int>, batch: Int32)], order: [Int32])
  {
    var bySource: [Int32: (range: Range<Int>, batch: Int32)] = [:]
    var order: [Int32] = []
    for row in rows {
      let (source, place) = (row.id.source, Int(row.id.place))
      if let known = bySource[source] {
        let range = min(known.range.lowerBound, place)..<max(known.range.upperBound, place + 1)
        bySource[source] = (range, known.batch)
      } else {
        bySource[source] = (place..<place + 1, Int32(order.count))
        order.append(source)
      }
    }
    return (bySource, order)
  }
}
