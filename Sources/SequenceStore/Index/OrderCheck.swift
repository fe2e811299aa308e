import Arrow
import ArrowKernels
import Buffers

/// Checks that rows come in the order (user_id, ts, event_type, event_key), each of them greater than the one before.
struct OrderCheck {
  private var last: RecordBatch?

  /// Columns of the key, in order, in batches whose system columns come first.
  static let key = [0, 1, 3, 4]

  /// Answers whether `batch` goes on in order.
  mutating func accepts(_ batch: RecordBatch) -> Bool {
    guard batch.rowCount > 0 else { return true }
    defer { last = batch.slice(batch.rowCount - 1..<batch.rowCount) }
    if let last, Self.compare(last, 0, batch, 0) >= 0 { return false }
    switch batch.columns[0].type {
    case .int64: return Self.isAscending(batch)
    default: return (1..<max(1, batch.rowCount)).allSatisfy { Self.compare(batch, $0 - 1, batch, $0) < 0 }
    }
  }

  private static func isAscending(_ batch: RecordBatch) -> Bool {
    let (users, times) = (batch.columns[0].values, batch.columns[1].values)
    var user = users.load(0, as: Int64.self)
    var time = times.load(0, as: Int64.self)
    for row in 1..<max(1, batch.rowCount) {
      let (nextUser, nextTime) = (users.load(row, as: Int64.self), times.load(row, as: Int64.self))
      let isAfter = nextUser > user || nextUser == user && nextTime > time
      if !isAfter && compare(batch, row - 1, batch, row) >= 0 { return false }
      (user, time) = (nextUser, nextTime)
    }
    return true
  }

  /// The order of two rows by the key: negative, 0 or positive.
  static func compare(_ left: RecordBatch, _ row: Int, _ right: RecordBatch, _ otherRow: Int) -> Int {
    for column in key {
      let order = left.columns[column].compare(row, right.columns[column], otherRow)
      if order != 0 { return order }
    }
    return 0
  }
}
