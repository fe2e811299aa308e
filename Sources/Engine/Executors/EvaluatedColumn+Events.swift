import Arrow
import Buffers
import Definitions
import Expressions

extension EvaluatedColumn {
  /// The values of rows that are events, null in all others, and how many events have none because of an error.
  ///
  /// - Parameter events: nil when all rows are events; those that are not are retractions, which have no features.
  func values(of events: Bitmap?) -> (array: ArrowArray, errorCount: Int) {
    guard let events else { return (array, errors?.setBitCount ?? 0) }
    let valid = array.validity.map { $0.and(events) } ?? events
    let masked = ArrowArray(array.type, count: array.count, validity: valid, storage: array.storage)
    return (masked, errors.map { $0.and(events).setBitCount } ?? 0)
  }
}

extension RecordBatch {
  /// Which rows are events and no retractions; nil when all are.
  var eventRows: Bitmap? {
    guard let retracted = self[SystemColumns.retracted], retracted.bits.setBitCount > 0 else { return nil }
    return retracted.bits.inverted()
  }
}
