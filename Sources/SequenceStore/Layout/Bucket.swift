import Definitions
import DeltaLog

/// What a table's files are partitioned by: a UTC day, or a month that older days were merged into.
package enum Bucket: Sendable, Hashable {
  case day(Day)
  case month(Month)

  /// `2026-11-20` or `2026-09`.
  package init?(_ text: String) {
    if let day = Day(text) {
      self = .day(day)
    } else if let month = Month(text) {
      self = .month(month)
    } else {
      return nil
    }
  }

  /// No bucket covers more.
  static let maximumDayCount: Int32 = 31

  /// The days that it covers.
  package var days: ClosedRange<Day> {
    switch self {
    case .day(let day): day...day
    case .month(let month): month.days
    }
  }

  /// The first microsecond after it.
  package var endMicros: Int64 { days.upperBound.endMicros }
}

extension Bucket: CustomStringConvertible {
  package var description: String {
    switch self {
    case .day(let day): day.description
    case .month(let month): month.description
    }
  }
}

extension Bucket: Comparable {
  /// By their last days, then by their first.
  package static func < (left: Bucket, right: Bucket) -> Bool {
    let (one, other) = (left.days, right.days)
    return (one.upperBound, one.lowerBound) < (other.upperBound, other.lowerBound)
  }
}

extension AddFile {
  /// Nil where another engine put the file into no bucket.
  var bucket: Bucket? { (partitionValues[PartitionColumns.bucket] ?? nil).flatMap { Bucket($0) } }
}

/// A UTC month: months since January 1970.
package struct Month: Sendable, Hashable, Comparable, CustomStringConvertible {
  package var number: Int32

  /// The month that holds a day.
  package init(_ day: Day) {
    let parts = CalendarText.yearAndMonth(Int64(day.number))
    number = Int32(truncatingIfNeeded: (parts.year - 1970) * 12 + parts.month - 1)
  }

  /// `2026-09`.
  package init?(_ text: String) {
    guard let first = Day(text + "-01") else { return nil }
    self.init(first)
    guard description == text else { return nil }
  }

  private init(number: Int32) { self.number = number }

  package var days: ClosedRange<Day> {
    let next = Month(number: number + 1).firstDay
    return firstDay...Day(next.number - 1)
  }

  private var firstDay: Day {
    Day(Int32(truncatingIfNeeded: CalendarText.days(year: 1970 + year, month: Int64(number) - year * 12 + 1)))
  }

  /// Years since 1970.
  private var year: Int64 { number < 0 ? (Int64(number) - 11) / 12 : Int64(number) / 12 }

  package var description: String { String(firstDay.description.dropLast(3)) }

  package static func < (left: Month, right: Month) -> Bool { left.number < right.number }
}

/// Which bucket of a table a day's rows go into: its month's where that was merged, else one of its own.
struct BucketPlaces: Sendable {
  private let months: Set<Month>

  init(_ buckets: some Sequence<Bucket>) {
    months = Set(buckets.compactMap { if case .month(let month) = $0 { month } else { nil } })
  }

  init(_ table: Snapshot) { self.init(table.files.compactMap(\.bucket)) }

  func bucket(of day: Day) -> Bucket {
    let month = Month(day)
    return months.contains(month) ? .month(month) : .day(day)
  }

  /// Days' files, in the months' buckets where the table has those.
  func placing(_ files: [FinishedFile]) -> [FinishedFile] {
    files.map { file in
      var file = file
      if case .day(let day) = file.bucket { file.bucket = bucket(of: day) }
      return file
    }
  }
}

/// Files of buckets that share days: what must be read together, for rows of one event may lie in any of them.
struct BucketGroup<File> {
  var days: ClosedRange<Day>
  var files: [File]

  /// All files, in groups that share no day with each other, the latest first.
  static func groups(_ files: [(bucket: Bucket, file: File)]) -> [BucketGroup] {
    var buckets: [Bucket: [File]] = [:]
    for (bucket, file) in files { buckets[bucket, default: []].append(file) }
    var groups: [BucketGroup] = []
    for (bucket, files) in buckets.sorted(by: { $0.key > $1.key }) {
      let days = bucket.days
      if let last = groups.indices.last, groups[last].days.lowerBound <= days.upperBound {
        groups[last].files += files
        groups[last].days = min(groups[last].days.lowerBound, days.lowerBound)...groups[last].days.upperBound
      } else {
        groups.append(BucketGroup(days: days, files: files))
      }
    }
    return groups
  }
}
