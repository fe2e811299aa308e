import Arrow
import ArrowKernels
import Buffers
import Engine

/// How events are assembled.
package struct AssemblyOptions: Sendable {
  /// Bytes of events held in memory; beyond it sorted runs go to temporary files.
  package var memoryLimit: Int
  /// Where those files are made; they have no name there.
  package var temporaryDirectory: String
  /// Whether an event that was taken back stays as the row that says so.
  package var keepsRetractions: Bool
  /// The most rows of a batch given out.
  package var batchRowCount: Int

  package init(
    memoryLimit: Int = 1 << 30, temporaryDirectory: String = "/tmp", keepsRetractions: Bool = true,
    batchRowCount: Int = 1 << 13
  ) {
    self.memoryLimit = memoryLimit
    self.temporaryDirectory = temporaryDirectory
    self.keepsRetractions = keepsRetractions
    self.batchRowCount = batchRowCount
  }
}

/// What assembling did.
package struct AssemblyCounts: Sendable, Equatable {
  package var rowsIn = 0
  package var rowsOut = 0
  /// Rows that gave way to another row of the same event: duplicates and earlier revisions.
  package var superseded = 0
  /// Sorted runs written to temporary files.
  package var spilledRuns = 0
  /// By look-up: events given out that found their key, and events whose key the table lacks.
  package var coverage: [String: RunReport.Coverage] = [:]

  package init() {}
}

/// Brings the events of one dataset into order (user, ts, event_type, event_key) and leaves of each event the row that
/// holds: the highest revision, of equal ones the row seen first, then the one of the lower content hash.
///
/// The outcome does not depend on the order of arrival, on how the rows were cut into batches, or on the memory limit.
/// Events of one user are held in memory together, whatever the limit.
package struct Assembler: ~Copyable {
  private let options: AssemblyOptions
  private var segments: EventSegments?
  private var runs: [SortedRun] = []
  /// The event types of all runs.
  private var eventTypes: Set<String> = []
  package private(set) var counts = AssemblyCounts()

  /// The most rows of a batch given out: fewer than the options say where rows are large.
  private var batchRowCount: Int

  package init(_ options: AssemblyOptions = AssemblyOptions()) {
    self.options = options
    batchRowCount = options.batchRowCount
  }

  /// Adds events, all batches of one dataset: columns of one name have one type, system columns have no nulls.
  ///
  /// Event types of a dataset may have different columns; the output has all of them, null in rows that lack them.
  package mutating func append(_ batch: RecordBatch) throws {
    let segments = try segments ?? EventSegments(EventColumns(batch.schema))
    self.segments = segments
    try segments.append(batch)
    counts.rowsIn += batch.rowCount
    if segments.byteCount > options.memoryLimit || segments.isOverfull { try spill() }
  }

  /// Gives out all events in order, in batches that are marked as such, and answers the final counts.
  package mutating func finish(_ emit: (RecordBatch) throws -> Void) throws -> AssemblyCounts {
    guard let segments else { return counts }
    var rowsOut = 0
    func count(_ batch: RecordBatch) throws {
      rowsOut += batch.rowCount
      try emit(batch)
    }
    if runs.isEmpty {
      limitBatches(segments)
      let writer = AssembledWriter(
        segments, keepsRetractions: options.keepsRetractions, batchRowCount: batchRowCount, givesMemoryBack: true)
      counts.superseded += try writer.write(count)
    } else {
      try spill()
      self.segments = nil
      try merge(segments.columns, count)
    }
    counts.rowsOut += rowsOut
    return counts
  }

  /// Of the batches to come, by the events so far; nil without events.
  package var schema: Schema? { segments?.columns.schema }

  /// How much memory the events take, with what sorting them will need.
  package var byteCount: Int { segments?.byteCount ?? 0 }

  /// Keeps batches small enough that every stage behind this one holds several of them in little memory.
  private mutating func limitBatches(_ segments: EventSegments) {
    batchRowCount = min(batchRowCount, max(1, Self.batchByteTarget / segments.rowByteCount))
  }

  private static var batchByteTarget: Int { 4 << 20 }

  /// Sorts what is in memory into a temporary file.
  package mutating func spill() throws {
    guard let full = segments, full.rowCount > 0 else { return }
    limitBatches(full)
    let least = min(64, batchRowCount)
    let runBatchRowCount = min(max(runBatchByteCount / full.rowByteCount, least), 1 << 16)
    let writer = AssembledWriter(
      full, keepsRetractions: true, batchRowCount: runBatchRowCount, givesMemoryBack: false)
    var superseded = 0
    runs.append(try SortedRun(in: options.temporaryDirectory) { emit in superseded = try writer.write(emit) })
    counts.superseded += superseded
    counts.spilledRuns += 1
    eventTypes.formUnion(full.eventTypes)
    segments = EventSegments(try EventColumns(full.columns.schema))
  }

  /// Batches of a run are small enough for a merge to hold one of each run in a quarter of the memory.
  private var runBatchByteCount: Int { min(options.memoryLimit / 4 / Self.mergeWidth, 1 << 20) }

  private static var mergeWidth: Int { 64 }

  private mutating func merge(_ columns: EventColumns, _ emit: (RecordBatch) throws -> Void) throws {
    while runs.count > Self.mergeWidth {
      let merge = try merge(of: Array(runs.prefix(Self.mergeWidth)), columns, isLast: false)
      var superseded = 0
      let run = try SortedRun(in: options.temporaryDirectory) { emit in superseded = try merge.write(emit) }
      counts.superseded += superseded
      runs.removeFirst(Self.mergeWidth)
      runs.append(run)
    }
    counts.superseded += try merge(of: runs, columns, isLast: true).write(emit)
  }

  private func merge(of runs: [SortedRun], _ columns: EventColumns, isLast: Bool) throws(AssemblyError) -> RunMerge {
    var readers: [SortedRunReader] = []
    for run in runs { readers.append(try SortedRunReader(run)) }
    return try RunMerge(
      readers, columns.schema, EventTypeRanks(eventTypes), keepsRetractions: isLast ? options.keepsRetractions : true,
      batchRowCount: isLast ? batchRowCount : min(batchRowCount, 4096),
      heldByteLimit: options.memoryLimit / 4)
  }
}
