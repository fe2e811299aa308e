import Arrow

/// Reads users' sequences from a snapshot: one per thread.
///
/// Days are read from the newest back, until enough events are found. In each file bloom filter and page bounds lead to
/// the pages that hold the user; of those the columns that select events are decoded first, and the wanted columns only
/// where events were selected. The live log's rows take part in the day in which they happened. Among rows of one event,
/// in the live log and whatever files of the days that were read, the highest revision holds, of equal ones the row seen
/// first; one that a higher revision took back is left out.
///
/// For derived columns days are read further back, as far as these look, and only the columns that they compute with.
package final class SequenceReader {
  private let snapshot: StoreSnapshot
  private var context: DecodingContext

  /// - Parameters:
  ///   - verifiesChecksums: whether pages must match their CRC.
  ///   - cache: keeps decoded pages for all readers that it is given to.
  package init(_ snapshot: StoreSnapshot, verifiesChecksums: Bool = false, cache: PageCache? = nil) {
    self.snapshot = snapshot
    context = DecodingContext(verifiesChecksums: verifiesChecksums, cache: cache)
  }

  /// The newest events or items that `request` wants, oldest first.
  ///
  /// - Parameter live: the user's rows of the live log, taken before the snapshot was.
  package func read(
    _ request: SequenceRequest, of plan: SequencePlan, live: LiveRows = LiveRows()
  ) throws(StoreError) -> SequenceEvents {
    if request.view == .objects, let objects = plan.objects { return try read(objects, request, of: plan, live) }
    var collector = EventCollector(snapshot, live, request, plan)
    try collector.collect(using: &context)
    let events = try collector.events(using: &context)
    return SequenceEvents(events: events, cut: collector.cut, coverage: collector.coverage)
  }

  private func read(
    _ objects: ObjectView, _ request: SequenceRequest, of plan: SequencePlan, _ live: LiveRows
  ) throws(StoreError) -> SequenceEvents {
    var whole = request
    (whole.last, whole.caps) = (.max, [:])
    whole.columns = SequencePlan.fields(objects.inputs, of: plan.columns)
    var collector = EventCollector(snapshot, live, whole, plan)
    try collector.collect(using: &context)
    let (rows, isCut) = objects.objects(try collector.events(using: &context), last: request.last)
    let columns = request.columns.map { rows[$0.name]! }
    return SequenceEvents(
      events: RecordBatch(Schema(request.columns), columns, rowCount: rows.rowCount),
      cut: isCut ? collector.cut.union([.length]) : collector.cut)
  }
}
