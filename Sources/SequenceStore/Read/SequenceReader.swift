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
  var context: DecodingContext

  /// - Parameters:
  ///   - verifiesChecksums: whether pages must match their CRC.
  ///   - cache: keeps decoded pages for all readers that it is given to.
  ///   - meter: counts what they read.
  package init(
    _ snapshot: StoreSnapshot, verifiesChecksums: Bool = false, cache: PageCache? = nil, meter: ReadMeter? = nil
  ) {
    self.snapshot = snapshot
    context = DecodingContext(verifiesChecksums: verifiesChecksums, cache: cache, meter: meter)
  }

  /// The newest events or items of the tables that `request` wants, oldest first.
  package func read(_ request: SequenceRequest, of plan: SequencePlan) throws(StoreError) -> SequenceEvents {
    // Of the live log nothing is missing.
    try read(request, of: plan, live: LiveRows())!
  }

  /// The newest events or items that `request` wants, oldest first.
  ///
  /// - Parameter live: the user's rows of the live log, taken before the snapshot was.
  /// - Returns: nil when more of these are needed than the newest.
  package func read(
    _ request: SequenceRequest, of plan: SequencePlan, live: LiveRows
  ) throws(StoreError) -> SequenceEvents? {
    if request.view == .objects, let objects = plan.objects { return try read(objects, request, of: plan, live) }
    guard var selected = try select(request, of: plan, live: live) else { return nil }
    let events = try selected.next(.max, using: &context)
    return SequenceEvents(
      events: events ?? RecordBatch(empty: Schema(request.columns)), cut: selected.cut, coverage: selected.coverage)
  }

  /// Chooses the newest events that `request` wants, for them to be read piece by piece.
  ///
  /// - Parameter live: the user's rows of the live log, taken before the snapshot was.
  /// - Returns: nil when more of these are needed than the newest.
  /// - Precondition: the request is for events, not for items.
  package func select(
    _ request: SequenceRequest, of plan: SequencePlan, live: LiveRows
  ) throws(StoreError) -> SelectedEvents? {
    var collector = EventCollector(snapshot, live, request, plan)
    try collector.collect(using: &context)
    if collector.lacksIdentities {
      collector = EventCollector(snapshot, live, request, plan, needsIdentities: true)
      try collector.collect(using: &context)
    }
    if collector.lacksLiveRows { return nil }
    return SelectedEvents(collector)
  }

  private func read(
    _ objects: ObjectView, _ request: SequenceRequest, of plan: SequencePlan, _ live: LiveRows
  ) throws(StoreError) -> SequenceEvents? {
    var whole = request
    (whole.view, whole.last, whole.caps) = (.objects, .max, [:])
    whole.columns = SequencePlan.fields(objects.inputs, of: plan.columns)
    guard var selected = try select(whole, of: plan, live: live) else { return nil }
    let events = try selected.next(.max, using: &context) ?? RecordBatch(empty: Schema(whole.columns))
    let (rows, isCut) = objects.objects(events, last: request.last)
    let columns = request.columns.map { rows[$0.name]! }
    return SequenceEvents(
      events: RecordBatch(Schema(request.columns), columns, rowCount: rows.rowCount),
      cut: isCut ? selected.cut.union([.length]) : selected.cut)
  }
}
