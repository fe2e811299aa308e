import Arrow
import Definitions
import DeltaLog

/// Counts what the events of a day's data file are like.
///
/// Times and types are read of all rows. Of the other columns at most `sampledGroupCount` row groups are, spread evenly: as
/// rows are in order of users, that is a sample of users.
struct FileProfiler {
  private static let sampledGroupCount = 32
  private static let batchRowCount = 1 << 14

  private let layout: TableLayout
  private let derived: DerivedColumns
  private let day: Day
  /// The event types met, with their first group: one for each hour.
  private var firstGroups: [String: Int] = [:]
  private var rowCounts: [Int] = []
  private var lags: ColumnCounter?
  private var columns: [(name: String, counter: ColumnCounter)] = []

  /// - Parameter day: of the file's bucket.
  init(_ layout: TableLayout, deriving derived: DerivedColumns, day: Day) {
    self.layout = layout
    self.derived = derived
    self.day = day
  }

  /// - Returns: the file's profile.
  static func profile(
    _ file: StoreFile, _ layout: TableLayout, deriving derived: DerivedColumns, day: Day
  ) throws(StoreError) -> FileProfile {
    var profiler = FileProfiler(layout, deriving: derived, day: day)
    let groupCount = try file.open().file.rowGroupCount
    let step = (groupCount + sampledGroupCount - 1) / sampledGroupCount
    let sampled = step > 1 ? Array(stride(from: 0, to: groupCount, by: step)) : nil
    try profiler.countTimes(of: file)
    try profiler.countColumns(of: file, groups: sampled)
    return profiler.result(for: file)
  }

  private var keys: [Field] {
    [
      EventFileRows.eventType, Field(SystemColumns.ts, .timestampMicrosUTC, isNullable: false),
      Field(SystemColumns.seenAt, .timestampMicrosUTC, isNullable: false),
    ]
  }

  // MARK: Counting

  /// How many events there are, and how late they were.
  private mutating func countTimes(of file: StoreFile) throws(StoreError) {
    // Without a time of arrival it is the event's own, and says nothing.
    let hasArrival = derived[SystemColumns.seenAt] == nil
    if hasArrival { lags = ColumnCounter(.int64, groupCount: 0) }
    try forEachBatch(of: file, hasArrival ? keys : Array(keys.prefix(2)), groups: nil) { profiler, batch, groups in
      for group in groups { profiler.rowCounts[group] += 1 }
      guard hasArrival else { return }
      profiler.lags?.grow(to: profiler.rowCounts.count)
      profiler.lags?.addLags(from: batch.columns[1], to: batch.columns[2], groups: groups)
    }
  }

  /// What the other columns hold.
  private mutating func countColumns(of file: StoreFile, groups: [Int]?) throws(StoreError) {
    let features = layout.eventSchema.fields.filter { !SystemColumns.names.contains($0.name) }
    columns = features.map { ($0.name, ColumnCounter($0.type, groupCount: rowCounts.count)) }
    try forEachBatch(of: file, keys.prefix(2) + features, groups: groups) { profiler, batch, groups in
      for place in features.indices { profiler.columns[place].counter.add(batch.columns[place + 2], groups: groups) }
    }
  }

  private mutating func forEachBatch(
    of file: StoreFile, _ fields: [Field], groups: [Int]?, _ body: (inout FileProfiler, RecordBatch, [Int]) -> Void
  ) throws(StoreError) {
    let rows = try EventFileRows(
      file, Schema(fields), deriving: derived, batchRowCount: Self.batchRowCount, groups: groups,
      choosing: { _ in nil })
    do throws(AssemblyError) {
      while let batch = try rows.next() { body(&self, batch, self.groups(of: batch)) }
    } catch { throw .assembly(error) }
  }

  /// The group of each row: its type's first, and its hour.
  private mutating func groups(of batch: RecordBatch) -> [Int] {
    guard case .dictionary(_, let names) = batch.columns[0].storage else { return [] }
    let first = (0..<names.count).map { firstGroup(of: names.string($0)) }
    let (types, times) = (batch.columns[0], batch.columns[1].values)
    return (0..<batch.rowCount).map { row in
      let hour = (times.load(row, as: Int64.self) - day.startMicros) / ProfilePeriod.hourMicros
      return first[types.dictionaryIndex(row)] + Int(min(max(0, hour), 23))
    }
  }

  private mutating func firstGroup(of eventType: String) -> Int {
    if let known = firstGroups[eventType] { return known }
    let first = rowCounts.count
    firstGroups[eventType] = first
    rowCounts.append(contentsOf: repeatElement(0, count: 24))
    return first
  }

  private func result(for file: StoreFile) -> FileProfile {
    var hours: [TypeHour: EventProfile] = [:]
    for (eventType, first) in firstGroups {
      for hour in 0..<24 where rowCounts[first + hour] > 0 {
        var profiles: [String: ColumnProfile] = [:]
        for (name, counter) in columns { profiles[name] = counter.profile(group: first + hour) }
        if let lags { profiles[SystemColumns.seenAt] = lags.profile(group: first + hour) }
        hours[TypeHour(eventType, hour: hour)] = EventProfile(
          rowCount: rowCounts[first + hour], columns: profiles.filter { $0.value.rowCount > 0 })
      }
    }
    return FileProfile(file: PathEncoding.fileKey(file.action.path), hours: hours)
  }
}
