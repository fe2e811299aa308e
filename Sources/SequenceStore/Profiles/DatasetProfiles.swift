import Definitions
import DeltaLog

/// What a dataset's events of the last weeks are like, by day, hour and type.
package struct DatasetProfiles: Sendable {
  /// Days that have a profile or a bucket; a day without events of a type has none in its hours.
  package private(set) var days: [Day: [TypeHour: EventProfile]] = [:]

  package init(days: [Day: [TypeHour: EventProfile]] = [:]) { self.days = days }

  package var eventTypes: Set<String> { Set(days.values.flatMap { $0.keys.map(\.eventType) }) }

  /// So many days have profiles: what is judged, and the weeks that it is compared with.
  package static let dayCount = AnomalyRules.judgedDayCount + AnomalyRules.weekCount * 7

  fileprivate mutating func set(_ files: [FileProfile], of day: Day) {
    var hours: [TypeHour: EventProfile] = [:]
    for file in files {
      for (hour, profile) in file.hours { hours[hour, default: EventProfile()].add(profile) }
    }
    days[day] = hours
  }
}

/// Brings a dataset's profiles up to its table: only files that are new are read.
struct DatasetProfiler {
  private let dataset: DatasetSnapshot
  private let table: DeltaTable
  private let version: Int64
  private let directory: ProfileDirectory
  private let layout: TableLayout
  /// The days to profile.
  private let window: ClosedRange<Day>

  /// - Parameter today: days after it count as none: their events' times are wrong.
  /// - Returns: nil where the dataset has no table.
  init?(_ snapshot: StoreSnapshot, dataset name: String, today: Day) throws(StoreError) {
    guard let dataset = snapshot.datasets[name], let state = dataset.delta else { return nil }
    (self.dataset, table, version) = (dataset, snapshot.store.dataset(name), state.version)
    directory = ProfileDirectory(snapshot.store, dataset: name)
    layout = try TableLayout(of: state, dataset: name, table: "datasets/\(name)")
    let newest = dataset.buckets.map { min($0.bucket.days.upperBound, today) }.max() ?? today
    window = Day(newest.number - Int32(DatasetProfiles.dayCount) + 1)...newest
  }

  /// - Parameter report: told of each day that changed.
  /// - Returns: all profiles.
  func run(_ report: (UpkeepAction) -> Void) throws(StoreError) -> DatasetProfiles {
    var profiles = DatasetProfiles()
    var found: Set<Day> = []
    for (bucket, files) in dataset.buckets {
      guard case .day(let day) = bucket, window.contains(day) else { continue }
      found.insert(day)
      profiles.set(try refresh(day, files, report), of: day)
    }
    for day in try directory.days() where !found.contains(day) {
      // A day that was merged into its month stays as it was.
      if window.contains(day), isInMonth(day) {
        profiles.set(directory.profiles(of: day), of: day)
      } else {
        directory.remove(day)
      }
    }
    return profiles
  }

  private func isInMonth(_ day: Day) -> Bool { dataset.buckets.contains { $0.bucket == .month(Month(day)) } }

  /// Profiles the files of a day that have no profile yet.
  private func refresh(
    _ day: Day, _ files: [StoreFile], _ report: (UpkeepAction) -> Void
  ) throws(StoreError) -> [FileProfile] {
    let known = Dictionary(directory.profiles(of: day).map { ($0.file, $0) }) { first, _ in first }
    var action = UpkeepAction(.profile, layout.table, bucket: .day(day))
    var profiles: [FileProfile] = []
    for file in files {
      if let profile = known[PathEncoding.fileKey(file.action.path)] {
        profiles.append(profile)
        continue
      }
      guard let profile = try made(of: file, day) else { continue }
      profiles.append(profile)
      action.filesIn += 1
      action.rowsIn += profile.hours.values.reduce(0) { $0 + $1.rowCount }
    }
    guard action.filesIn > 0 || known.count != profiles.count else { return profiles }
    try directory.replace(profiles, of: day)
    if action.filesIn > 0 { report(action) }
    return profiles
  }

  /// Nil where the file is gone: newer versions of the table do without it.
  private func made(of file: StoreFile, _ day: Day) throws(StoreError) -> FileProfile? {
    do { return try FileProfiler.profile(file, layout, deriving: dataset.derived, day: day) } catch {
      if error.isMissingFile { return nil }
      throw error
    }
  }

  /// What the table's commits tell, with those that came since the last time.
  func history() throws(StoreError) -> TableHistory {
    var history = directory.history
    let known = history
    do { try history.advance(table, to: version) } catch { throw .delta(error) }
    if history != known { try directory.replaceHistory(by: history) }
    return history
  }
}
