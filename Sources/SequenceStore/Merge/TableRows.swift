import Arrow
import ArrowKernels
import Buffers
import Definitions
import DeltaLog
import Engine
import Parquet

/// The rows of some files of one table, as events with all of the table's columns.
struct TableRows {
  /// How its new files are laid out.
  let layout: TableLayout
  /// The columns of the rows given out: the system columns first.
  let schema: Schema
  private let derived: DerivedColumns
  /// Where rows that must be sorted go to.
  private let temporaryDirectory: String

  /// Files that are merged at once; more go to sorted runs first.
  private static let mergeWidth = 64
  private static let batchRowCount = 1 << 12
  /// Bytes of events held in memory, about.
  private static let memoryLimit = 256 << 20

  /// - Parameters:
  ///   - table: at the snapshot that has the files.
  ///   - columns: names of columns beside the system columns; nil for all.
  ///   - areMarked: whether rows say that they are not retracted, as events on their way do.
  init(
    _ layout: TableLayout, of table: Snapshot, in store: StoreDirectory, columns: [String]? = nil,
    areMarked: Bool = false
  ) {
    self.layout = layout
    derived = DerivedColumns(of: table.metadata)
    temporaryDirectory = store.temporary
    let all = layout.eventSchema.fields.map { $0.name == SystemColumns.eventType ? EventFileRows.eventType : $0 }
    let systemCount = SystemColumns.stored(userType: .int64).count
    let mark = areMarked ? [Field(SystemColumns.retracted, .boolean, isNullable: false)] : []
    let features = all.dropFirst(systemCount).filter { columns?.contains($0.name) ?? true }
    schema = Schema(all.prefix(systemCount) + mark + features)
  }

  /// Reads the chosen rows of one file, as they lie in it.
  func reader(
    _ file: StoreFile, batchRowCount: Int = Self.batchRowCount, choosing choice: @escaping RowChoice
  ) throws(StoreError) -> EventFileRows {
    try EventFileRows(file, schema, deriving: derived, batchRowCount: batchRowCount, choosing: choice)
  }

  /// Gives out the chosen rows of `files` in the order (user_id, ts, event_type, event_key), of each event the one that
  /// holds: the highest revision, of equal ones the row seen first, then the one of the lower content hash.
  ///
  /// Memory holds a batch per file.
  /// - Returns: how many of the chosen rows gave way to others.
  func merge(
    _ files: [StoreFile], choosing choice: @escaping RowChoice = { _ in nil }, _ emit: (RecordBatch) throws -> Void
  ) throws -> Int {
    var types: Set<String> = []
    for file in files { types.formUnion(try file.eventTypes().keys) }
    let ranks = EventTypeRanks(types)
    var superseded = 0
    var runs: [any RunBatches] = []
    for file in files { runs.append(try sortedRows(file, choice, &superseded)) }
    while runs.count > Self.mergeWidth {
      let merge = try merge(of: Array(runs.prefix(Self.mergeWidth)), ranks)
      let run = try SortedRun(in: temporaryDirectory) { emit in superseded += try merge.write(emit) }
      runs.removeFirst(Self.mergeWidth)
      runs.append(try SortedRunReader(run))
    }
    return try superseded + merge(of: runs, ranks).write(emit)
  }

  private func merge(of runs: [any RunBatches], _ ranks: EventTypeRanks) throws(AssemblyError) -> RunMerge {
    try RunMerge(
      runs, schema, ranks, keepsRetractions: true, batchRowCount: Self.batchRowCount,
      heldByteLimit: Self.memoryLimit / 4)
  }

  /// The rows of a file in order: as they lie where the file is sorted, else brought into order first.
  private func sortedRows(
    _ file: StoreFile, _ choice: @escaping RowChoice, _ superseded: inout Int
  ) throws -> any RunBatches {
    let rows = try reader(file, choosing: choice)
    if try file.isSorted() { return rows }
    var assembler = Assembler(
      AssemblyOptions(memoryLimit: Self.memoryLimit, temporaryDirectory: temporaryDirectory))
    while let batch = try rows.next() { try assembler.append(batch) }
    var counts = AssemblyCounts()
    let run = try SortedRun(in: temporaryDirectory) { emit in counts = try assembler.finish(emit) }
    superseded += counts.superseded
    return try SortedRunReader(run)
  }
}

extension TableRows {
  /// Writes the chosen rows of `files`, merged, to files for `bucket`: one for each shard that has some.
  ///
  /// - Parameter isWanted: asked before each batch.
  /// - Throws: `.stopped` when it is not wanted any more.
  func write(
    _ files: [StoreFile], to bucket: Bucket, _ options: StoreFileOptions, while isWanted: () -> Bool = { true },
    choosing choice: @escaping RowChoice
  ) throws(StoreError) -> (files: [FinishedFile], superseded: Int) {
    var context = ParquetEncoderContext()
    let router = ShardRouter(count: options.shardCount)
    var outputs: [Shard: BucketFile] = [:]
    var superseded = 0
    do {
      superseded = try merge(files, choosing: choice) { batch in
        guard isWanted() else { throw StoreError.stopped }
        for (shard, rows) in router.split(batch) {
          let file =
            try outputs[shard] ?? BucketFile(layout, bucket, shard, in: temporaryDirectory, options: options.parquet)
          outputs[shard] = file
          try file.append(rows, using: &context)
        }
      }
      var files: [FinishedFile] = []
      for (_, output) in outputs.sorted(by: { $0.key < $1.key }) {
        files.append(try output.finish(using: &context))
        files[files.count - 1].shardCount = options.shardCount
      }
      return (files, superseded)
    } catch {
      for output in outputs.values { output.discard() }
      throw StoreError(error, at: layout.table)
    }
  }
}

extension StoreFile {
  /// Whether all its rows are in order. What other engines write may be, but only within each row group.
  func isSorted() throws(StoreError) -> Bool {
    let opened = try open()
    let isOwn = opened.file.metadata.createdBy == ParquetWriterOptions().createdBy
    return opened.groups.allSatisfy(\.isSorted) && (isOwn || opened.groups.count < 2)
  }
}
