import Arrow
import Buffers
import Definitions

extension RecordBatch {
  /// When the row that came last arrived, in microseconds; nil without rows or times of arrival.
  var newestSeenMicros: Int64? {
    guard rowCount > 0, let seen = self[SystemColumns.seenAt]?.values else { return nil }
    var newest = Int64.min
    for row in 0..<rowCount { newest = max(newest, seen.load(row, as: Int64.self)) }
    return newest
  }
}
