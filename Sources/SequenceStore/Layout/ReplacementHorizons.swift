import Arrow
import ArrowKernels
import Buffers
import Definitions
import DeltaLog

/// Up to what time of arrival a table's days were replaced by batches: rows that arrived until then, and that a table
/// does not have, were left out on purpose.
///
/// A replacement records its horizon for each whole month that it covers and for each other day, or once for all days.
package struct ReplacementHorizons: Sendable, Equatable {
  /// Microseconds by the name of a bucket, or `all`.
  private var byName: [String: Int64] = [:]

  package init() {}

  package init(_ table: Snapshot) {
    for (appID, transaction) in table.transactions {
      if case .horizon(let name)? = TableTransaction(appID: appID) { byName[name] = transaction.version }
    }
  }

  package var isEmpty: Bool { byName.isEmpty }

  /// The greatest horizon, in microseconds, that a day was replaced with; nil when it never was.
  package subscript(day: Day) -> Int64? {
    guard !byName.isEmpty else { return nil }
    return [byName[Self.all], byName[Month(day).description], byName[day.description]].compactMap(\.self).max()
  }

  /// The latest of all.
  package var newest: Int64? { byName.values.max() }

  /// The actions that record a replacement, except where a later horizon is recorded already; for a horizon that is the
  /// greatest number, what will arrive from now on is not among what was replaced.
  func actions(replacing range: DayRange, horizon: Int64) -> [Action] {
    let horizon = horizon == .max ? DeltaTable.nowMillis() * 1_000 : horizon
    return Self.names(range).filter { byName[$0] ?? .min < horizon }
      .map { TableTransaction.horizon(bucket: $0).action(version: horizon) }
  }

  /// The transactions that say whether a replacement covers some of the days.
  static func appIDs(of days: ClosedRange<Day>) -> Set<String> {
    let each = (days.lowerBound.number...days.upperBound.number).map { Day($0) }
    let names = [all] + each.map(\.description) + each.map { Month($0).description }
    return Set(names.map { TableTransaction.horizon(bucket: $0).appID })
  }

  /// Those of `events` that no replacement has seen, or seen to be gone, and how many are left out.
  func fresh(_ events: RecordBatch) -> (rows: RecordBatch, staleCount: Int) {
    guard !isEmpty, let times = events[SystemColumns.ts]?.values, let seen = events[SystemColumns.seenAt]?.values else {
      return (events, 0)
    }
    var horizons: [Int32: Int64] = [:]
    let isFresh = (0..<events.rowCount).map { row in
      let day = Day(micros: times.load(row, as: Int64.self))
      if horizons[day.number] == nil { horizons[day.number] = self[day] ?? .min }
      return seen.load(row, as: Int64.self) > horizons[day.number] ?? .min
    }
    let staleCount = isFresh.count { !$0 }
    return (staleCount == 0 ? events : events.filter(Bitmap(isFresh)), staleCount)
  }

  private static let all = "all"

  private static func names(_ range: DayRange) -> [String] {
    guard case .days(let days) = range else { return [all] }
    var names: [String] = []
    var day = days.lowerBound
    while day <= days.upperBound {
      let month = Month(day)
      let isWhole = day == month.days.lowerBound && month.days.upperBound <= days.upperBound
      names.append(isWhole ? month.description : day.description)
      day = Day((isWhole ? month.days.upperBound : day).number + 1)
    }
    return names
  }
}
