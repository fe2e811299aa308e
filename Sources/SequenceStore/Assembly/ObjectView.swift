import Arrow
import ArrowKernels
import Buffers
import Definitions

/// Turns a user's events into a row per item.
struct ObjectView {
  let definition: ObjectsDefinition
  let eventTypes: [String]

  /// The columns that are read of the events.
  var inputs: [String] { [definition.key.name, SystemColumns.ts, SystemColumns.eventType] }

  /// - Parameters:
  ///   - events: in order; those without a key are left out.
  ///   - limit: so many items at most, those of the latest last events.
  /// - Returns: the items in the order of their last events, with all columns; and whether there are more of them.
  func objects(_ events: RecordBatch, last limit: Int) -> (rows: RecordBatch, isCut: Bool) {
    var merger = DictionaryMerger(definition.key.type)
    let keys = events[definition.key.name]!.decoded()
    let (numberBytes, timeBytes) = (merger.add(keys), events[SystemColumns.ts]!.values)
    let numbers = numberBytes.span(of: Int32.self)
    let times = timeBytes.span(of: Int64.self)
    let types = typeNumbers(events[SystemColumns.eventType]!)
    var (first, last) = ([Int64](repeating: 0, count: merger.count), [Int64](repeating: 0, count: merger.count))
    var counts = [[Int64]](repeating: [Int64](repeating: 0, count: merger.count), count: eventTypes.count + 1)
    var order: [Int32] = []
    for row in (0..<events.rowCount).reversed() where keys.isValid(row) {
      let item = Int(numbers[row])
      if counts[0][item] == 0 {
        order.append(Int32(item))
        last[item] = times[row]
      }
      first[item] = times[row]
      counts[0][item] += 1
      if let type = types[row] { counts[type + 1][item] += 1 }
    }
    let items = Array(order.prefix(limit).reversed())
    func column(_ type: DataType, _ values: [Int64]) -> ArrowArray { ArrowArray(type, items.map { values[Int($0)] }) }
    let columns =
      [merger.values().take(Buffer(items)), column(.timestampMicrosUTC, first), column(.timestampMicrosUTC, last)]
      + counts.map { column(.int64, $0) }
    return (RecordBatch(Schema(definition.fields(eventTypes)), columns, rowCount: items.count), order.count > limit)
  }

  /// The place of each event's type among the sequence's.
  private func typeNumbers(_ types: ArrowArray) -> [Int?] {
    guard let coded = types.dictionaryEncoded() else { return [] }
    let names = coded.children[0]
    let known = (0..<names.count).map { eventTypes.firstIndex(of: names.string($0)) }
    return (0..<types.count).map { known[coded.dictionaryIndex($0)] }
  }
}
