import Arrow
import Engine
import SequenceStore

/// A user's events, chosen from one snapshot and read as they are asked for, so that long answers take little memory.
/// Any thread may ask, one at a time.
final class EventPieces: Sendable {
  /// Of all events.
  let rowCount: Int
  let cut: Set<SequenceEvents.Cut>
  /// How many rows of the user the live log held, corrections and retractions counted.
  let liveRowCount: Int
  let tables: ServedTablesState
  private let state = Monitor(State())

  private struct State: ~Copyable {
    var reader: SequenceReader?
    var selected: SelectedEvents?
  }

  init(_ selected: consuming SelectedEvents, of reader: SequenceReader, _ tables: ServedTablesState, liveRowCount: Int)
  {
    (rowCount, cut, self.liveRowCount, self.tables) = (selected.rowCount, selected.cut, liveRowCount, tables)
    var selected: SelectedEvents? = selected
    state.update { state in
      state.reader = reader
      swap(&state.selected, &selected)
    }
  }

  /// The next events, `limit` of them at most, oldest first; nil after the last.
  func next(_ limit: Int) throws(StoreError) -> RecordBatch? {
    try state.update { state throws(StoreError) in
      guard let reader = state.reader else { return nil }
      return try state.selected?.next(limit, using: reader)
    }
  }

  /// All of them, when none was given out yet.
  func whole(_ fields: [Field]) throws(StoreError) -> StoreView.Reading {
    let events = try next(.max) ?? RecordBatch(noneOf: fields)
    let coverage = state.update { $0.selected?.coverage ?? [:] }
    return StoreView.Reading(
      events: SequenceEvents(events: events, cut: cut, coverage: coverage), liveRowCount: liveRowCount)
  }
}

extension StoreView {
  /// Chooses a user's events.
  /// - Precondition: the request is for events, not for items.
  func select(_ request: SequenceRequest, of plan: SequencePlan) throws(StoreError) -> EventPieces {
    try Self.withNewestLiveRows(for: [request]) { limit throws(StoreError) in
      try select(request, of: plan, newest: limit)
    }
  }

  private func select(
    _ request: SequenceRequest, of plan: SequencePlan, newest limit: Int
  ) throws(StoreError) -> EventPieces? {
    let live = liveRows(of: request.user, plan, newest: limit)
    let (reader, state) = newReader()
    guard let selected = try reader.select(request, of: plan, live: live) else { return nil }
    return EventPieces(selected, of: reader, state, liveRowCount: live.count)
  }
}
