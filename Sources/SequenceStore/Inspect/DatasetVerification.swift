import Arrow
import ArrowKernels
import Buffers
import Definitions
import DeltaLog
import Engine
import Parquet

/// Checks all that readers rely on: what `seq-store verify` does.
///
/// Every file is read whole, with its checksums, and must be what its table, statistics, indexes and bloom filters say:
/// sorted, of its bucket, each event once.
package struct DatasetVerification: Sendable {
  package struct Problem: Sendable, Equatable, CustomStringConvertible {
    package var path: String
    package var what: String

    package var description: String { "\(path): \(what)" }
  }

  package private(set) var problems: [Problem] = []
  package private(set) var fileCount = 0
  package private(set) var rowCount = 0

  /// Problems reported per file, at most.
  private static let problemLimit = 10

  /// - Throws: `.noSuchDataset`.
  package init(_ snapshot: StoreSnapshot, dataset name: String) throws(StoreError) {
    guard let dataset = snapshot.datasets[name], dataset.delta != nil else {
      throw .noSuchDataset(name, known: try snapshot.store.datasetNames())
    }
    for (bucket, files) in dataset.buckets {
      for file in files {
        var seen: Set<EventIdentity> = []
        var check = FileCheck(file, bucket: bucket, deriving: dataset.derived)
        check.run(&seen)
        fileCount += 1
        rowCount += check.rowCount
        problems += check.problems.prefix(Self.problemLimit).map { Problem(path: file.path, what: $0) }
      }
    }
  }
}

/// What makes two rows one event.
private struct EventIdentity: Hashable {
  var user: UserID
  var eventType: String
  var eventKey: Int64
}

/// Reads one file and lists what is wrong with it.
private struct FileCheck {
  private let file: StoreFile
  private let bucket: Bucket
  private let derived: DerivedColumns
  private(set) var problems: [String] = []
  private(set) var rowCount = 0
  private var times: ClosedRange<Int64>?

  init(_ file: StoreFile, bucket: Bucket, deriving derived: DerivedColumns) {
    self.file = file
    self.derived = derived
    self.bucket = bucket
  }

  mutating func run(_ seen: inout Set<EventIdentity>) {
    do {
      let opened = try file.open()
      if Int64(opened.bytes.byteCount) != file.action.byteCount {
        problems.append("\(opened.bytes.byteCount) bytes where the table says \(file.action.byteCount)")
      }
      let reader = try ParquetReader(opened.bytes)
      var order = OrderCheck()
      for group in 0..<opened.file.rowGroupCount {
        let batch = try reader.read(rowGroup: group)
        rowCount += batch.rowCount
        try check(batch, opened, group, &order, &seen)
      }
      checkStatistics()
    } catch {
      // A problem is printed after its path, with which most errors begin, too.
      let message = "\(StoreError(error, at: file.path))"
      problems.append(message.hasPrefix(file.path + ": ") ? String(message.dropFirst(file.path.count + 2)) : message)
    }
  }

  private mutating func check(
    _ batch: RecordBatch, _ opened: OpenedFile, _ group: Int, _ order: inout OrderCheck,
    _ seen: inout Set<EventIdentity>
  ) throws {
    let system = SystemColumns.stored(userType: batch[SystemColumns.user]?.type ?? .int64)
    var columns: [ArrowArray] = []
    for field in system {
      guard let column = derived.column(field.name, of: batch, in: opened.file.schema), column.type == field.type,
        column.nullCount == 0
      else {
        problems.append("system column '\(field.name)' is missing, of another type than \(field.type), or null")
        return
      }
      columns.append(column)
    }
    let keys = RecordBatch(Schema(system), columns, rowCount: batch.rowCount)
    if opened.groups[group].isSorted, !order.accepts(keys) {
      problems.append("row group \(group): the rows are not in the order that the file claims")
    }
    checkTimes(keys, group)
    checkIdentities(keys, group, &seen)
    checkShard(keys, group)
    checkUserIndex(keys, try opened.groups[group].index(), try opened.groups[group].userFilter(), group)
    try checkPages(batch, opened, group)
  }

  private mutating func checkTimes(_ keys: RecordBatch, _ group: Int) {
    let values = keys.columns[1].values
    let days = bucket.days
    var others = 0
    for row in 0..<keys.rowCount {
      let micros = values.load(row, as: Int64.self)
      if !days.contains(Day(micros: micros)) { others += 1 }
      times = min(times?.lowerBound ?? micros, micros)...max(times?.upperBound ?? micros, micros)
    }
    if others > 0 { problems.append("row group \(group): \(others) events of another day than \(bucket)") }
  }

  private mutating func checkShard(_ keys: RecordBatch, _ group: Int) {
    guard let part = file.part else { return }
    let own = ShardRouter(count: part.count).rows(of: part.shard, in: keys)?.rowCount ?? 0
    if own < keys.rowCount { problems.append("row group \(group): \(keys.rowCount - own) events of other shards") }
  }

  private mutating func checkIdentities(_ keys: RecordBatch, _ group: Int, _ seen: inout Set<EventIdentity>) {
    let (users, types, numbers) = (keys.columns[0], keys.columns[3], keys.columns[4].values)
    let repeated = (0..<keys.rowCount).count { row in
      let identity = EventIdentity(
        user: UserID(users, row), eventType: types.string(row), eventKey: numbers.load(row, as: Int64.self))
      return !seen.insert(identity).inserted
    }
    if repeated > 0 { problems.append("row group \(group): \(repeated) events are in the file more than once") }
  }

  /// The bloom filter holds every user, and the page bounds lead to each user's rows.
  private mutating func checkUserIndex(
    _ keys: RecordBatch, _ index: RowGroupIndex, _ filter: UserFilter, _ group: Int
  ) {
    let users = keys.columns[0]
    var row = 0
    while row < users.count {
      let probe = UserProbe(UserID(users, row))
      if !filter.mayContain(probe.hash) {
        return problems.append("row group \(group): user \(probe.key): the bloom filter lacks them")
      }
      if !index.candidateRows(probe).contains(where: { $0.contains(row) }) {
        return problems.append("row group \(group): user \(probe.key): the page bounds do not lead to row \(row)")
      }
      row += 1
      while row < users.count, probe.order(of: users, row) == 0 { row += 1 }
    }
  }

  /// Each page, read by itself through the offset index, has the rows that the whole chunk has there.
  private mutating func checkPages(_ batch: RecordBatch, _ opened: OpenedFile, _ group: Int) throws {
    var context = DecodingContext(verifiesChecksums: true)
    let pages = try opened.groups[group].index().pages
    for (column, node) in opened.file.schema.columns.enumerated() {
      guard let offsets = pages.offsetIndexes[node.leaves.lowerBound] else { continue }
      let starts = offsets.pages.map(\.firstRow) + [batch.rowCount]
      for (start, end) in zip(starts, starts.dropFirst()) where start < end {
        let page = try opened.read([column], group: group, rows: start..<end, using: &context)[0]
        guard page.isEqual(to: batch.columns[column].slice(start..<end)) else {
          problems.append("row group \(group), column '\(node.field.name)': the page at row \(start) is another one")
          return
        }
      }
    }
  }

  private mutating func checkStatistics() {
    guard let statistics = file.action.statistics.flatMap({ FileStatistics(parsing: $0) }) else { return }
    if Int(statistics.rowCount) != rowCount {
      problems.append("\(rowCount) rows where the table says \(statistics.rowCount)")
    }
    if let claimed = file.times, let times, !(claimed.contains(times.lowerBound) && claimed.contains(times.upperBound))
    {
      problems.append("its events are not within the times that the table says")
    }
  }
}
