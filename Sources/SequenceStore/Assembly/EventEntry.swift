import ArrowKernels

/// What order and revisions need to know of one event of a user.
struct EventEntry: BitwiseCopyable {
  var ts: Int64
  var seenAt: Int64
  var eventKey: Int64
  /// The event type's place in the order of all types' names.
  var typeRank: Int32
  var revision: Int32
  var row: RowReference
  var isRetracted: Bool
  /// Another event of the same identity won.
  var isDropped = false

  @inline(__always) func isSameEvent(as other: EventEntry) -> Bool {
    eventKey == other.eventKey && typeRank == other.typeRank
  }

  /// The total order within a user.
  @inline(__always) func precedes(_ other: EventEntry) -> Bool {
    if ts != other.ts { return ts < other.ts }
    if typeRank != other.typeRank { return typeRank < other.typeRank }
    return eventKey < other.eventKey
  }
}

/// Looks into the rows behind entries, where revision and time of arrival do not decide.
protocol EventRows {
  func areEqual(_ a: RowReference, _ b: RowReference) -> Bool
  /// See `RecordBatch.contentHashes`.
  func hash(_ row: RowReference) -> UInt64
}
