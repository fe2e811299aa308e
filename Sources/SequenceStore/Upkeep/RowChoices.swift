import Arrow
import Buffers
import Definitions
import DeltaLog

extension RecordBatch {
  /// The rows of other event types than `names`; the event type is a dictionary.
  func rows(withoutEventTypes names: Set<String>) -> Bitmap? {
    guard let types = self[SystemColumns.eventType], case .dictionary(_, let values) = types.storage else { return nil }
    let isKept = (0..<values.count).map { !names.contains(values.string($0)) }
    if isKept.allSatisfy(\.self) { return nil }
    return Bitmap((0..<rowCount).map { isKept[types.dictionaryIndex($0)] })
  }
}

extension StoreFile {
  /// The type of all its events, as its statistics say; nil where they do not, or there are several.
  var onlyEventType: String? {
    guard let least = statistics?.minValues[SystemColumns.eventType]?.string,
      least.unicodeScalars.count < FileStatistics.textLimit,
      statistics?.maxValues[SystemColumns.eventType]?.string == least
    else { return nil }
    return least
  }
}
