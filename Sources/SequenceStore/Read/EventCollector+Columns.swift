import Arrow
import ArrowKernels
import Buffers

extension EventCollector {
  /// The wanted columns of the rows found, oldest first.
  mutating func events(_ fields: [Field], using context: inout DecodingContext) throws(StoreError) -> RecordBatch {
    guard !found.isEmpty else { return RecordBatch(empty: Schema(fields)) }
    let ranges = foundRanges()
    var batches: [RecordBatch] = []
    for (index, range) in ranges.order.map({ ($0, ranges.bySource[$0]!.range) }) {
      try sources[Int(index)].derive(fields.map(\.name), using: &context)
      batches.append(try sources[Int(index)].columns(fields, at: range, using: &context))
    }
    var rows = BufferBuilder(capacity: found.count * MemoryLayout<RowReference>.stride)
    for row in found.reversed() {
      let (range, batch) = ranges.bySource[row.id.source]!
      rows.append(RowReference(source: batch, row: row.id.place - Int32(range.lowerBound)))
    }
    return RecordBatch.interleave(batches, rows.finish())
  }

  /// The places found in each source, and the sources in the order in which their batches are numbered.
  private func foundRanges() -> (bySource: [Int32: (range: Range<Int>, batch: Int32)], order: [Int32]) {
    var bySource: [Int32: (range: Range<Int>, batch: Int32)] = [:]
    var order: [Int32] = []
    for row in found {
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
