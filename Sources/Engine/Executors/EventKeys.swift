import Arrow
import Buffers

/// The identity of events in 8 bytes: XXH64 of the event id's UTF-8 bytes.
package enum EventKeys {
  /// - Parameters:
  ///   - ids: strings, also by a dictionary, or integers, which count as their decimal text.
  ///   - elements: what tells records that were exploded out of one event apart, as strings or integers; the first that is
  ///     not null counts, and the key is that of `<id>/<element>`. None for whole events.
  /// - Returns: an int64 column without nulls; a null string has key 0.
  package static func keys(of ids: ArrowArray, elements: [ArrowArray] = []) -> ArrowArray {
    if case .dictionary(_, let values) = ids.storage, elements.isEmpty {
      return keys(of: ids, amongst: keys(of: values).values)
    }
    var keys = FixedWidthBuilder<Int64>(capacity: ids.count)
    if ids.type == .utf8, elements.isEmpty {
      let data = ids.data.bytes
      let offsets = ids.offsets
      var start = Int(offsets.load(0, as: Int32.self))
      for row in 0..<ids.count {
        let end = Int(offsets.load(row + 1, as: Int32.self))
        keys.append(ids.isNull(row) ? 0 : key(data.extracting(start..<end)))
        start = end
      }
    } else {
      for row in 0..<ids.count {
        let element = elements.first { $0.isValid(row) }.map { "/" + text($0, row) }
        keys.append(key(of: text(ids, row) + (element ?? "")))
      }
    }
    return keys.take(as: .int64)
  }

  /// The keys of ids that have a dictionary, by the keys of its values.
  private static func keys(of ids: ArrowArray, amongst known: Buffer) -> ArrowArray {
    var keys = FixedWidthBuilder<Int64>(capacity: ids.count)
    for row in 0..<ids.count {
      keys.append(ids.isNull(row) ? 0 : known.load(ids.dictionaryIndex(row), as: Int64.self))
    }
    return keys.take(as: .int64)
  }

  private static func text(_ values: ArrowArray, _ row: Int) -> String {
    switch values.type {
    case .utf8: values.string(row)
    case .uint64: String(values.values.load(row, as: UInt64.self))
    default: String(values.slice(row..<row + 1).widenedIntegers[0])
    }
  }

  private static func key(_ bytes: RawSpan) -> Int64 { Int64(bitPattern: XXHash64.hash(bytes)) }

  private static func key(of text: String) -> Int64 {
    let bytes = Array(text.utf8)
    return unsafe key(bytes.span.bytes)
  }
}
