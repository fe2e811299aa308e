import Arrow
import Definitions
import Engine

/// The rows that answer a request: chosen, but read only as they are given out, so that wide columns of long answers need
/// not lie in memory at once.
package struct SelectedEvents: ~Copyable {
  private var collector: EventCollector
  /// Derived columns of all rows found, oldest first; nil before the first rows are given out.
  private var derived: [String: ArrowArray]?
  /// How many rows were given out.
  private var givenCount = 0

  /// Events that were added to by look-ups, of those given out.
  package private(set) var coverage: [String: RunReport.Coverage] = [:]

  init(_ collector: consuming EventCollector) {
    self.collector = collector
  }

  /// Of the whole answer.
  package var rowCount: Int { collector.found.count }

  /// Why there are not more.
  package var cut: Set<SequenceEvents.Cut> { collector.cut }

  /// The next rows, `limit` of them at most, oldest first; nil after the last.
  ///
  /// - Parameter reader: of the snapshot that they were selected in.
  package mutating func next(
    _ limit: Int, using reader: SequenceReader
  ) throws(StoreError) -> RecordBatch? {
    try next(limit, using: &reader.context)
  }

  mutating func next(_ limit: Int, using context: inout DecodingContext) throws(StoreError) -> RecordBatch? {
    collector.keepRows(using: &context)
    let left = rowCount - givenCount
    guard left > 0 else { return nil }
    let count = min(limit, left)
    let batch = try read(collector.found[left - count..<left], using: &context)
    givenCount += count
    return batch
  }

  private mutating func read(
    _ rows: ArraySlice<EventCollector.Found>, using context: inout DecodingContext
  ) throws(StoreError) -> RecordBatch {
    if derived == nil { derived = try collector.derivedColumns(using: &context) }
    let (wanted, enrichment) = (collector.reading.wanted, collector.reading.enrichment)
    if derived!.isEmpty, enrichment == nil {
      let keepsDictionaries = collector.request.keepsDictionaries
      return try collector.columns(wanted, of: rows, keepsDictionaries: keepsDictionaries, using: &context)
    }
    let fields = wanted.map(\.field)
    var added = derived!.mapValues { $0.slice(givenCount..<givenCount + rows.count) }
    var names = enrichment?.inputs ?? []
    names += fields.map(\.name).filter { added[$0] == nil && !names.contains($0) }
    let read = try collector.columns(collector.plan.wantedColumns(names), of: rows, using: &context)
    if let enrichment {
      for (field, values) in zip(enrichment.outputs, enrichment.columns(of: read, coverage: &coverage)) {
        added[field.name] = values
      }
    }
    return RecordBatch(Schema(fields), fields.map { added[$0.name] ?? read[$0.name]! }, rowCount: rows.count)
  }
}
