import Arrow
import Buffers

/// The identity of events in 8 bytes: XXH64 of the event id's UTF-8 bytes.
enum EventKeys {
  /// - Parameter ids: strings, or integers, which count as their decimal text.
  /// - Returns: an int64 column without nulls; a null id has key 0.
  static func keys(of ids: ArrowArray) -> ArrowArray {
    var keys = FixedWidthBuilder<Int64>(capacity: ids.count)
    if ids.type == .utf8 {
      let data = ids.data.bytes
      let offsets = ids.offsets
      var start = Int(offsets.load(0, as: Int32.self))
      for row in 0..<ids.count {
        let end = Int(offsets.load(row + 1, as: Int32.self))
        keys.append(key(data.extracting(start..<end)))
        start = end
      }
    } else {
      for id in ids.widenedIntegers { keys.append(key(of: String(id))) }
    }
    return keys.take(as: .int64)
  }

  /// The keys of elements that were exploded out of events: of `<id>/<element>`.
  static func keys(of ids: ArrowArray, elements: ArrowArray) -> ArrowArray {
    var keys = FixedWidthBuilder<Int64>(capacity: ids.count)
    for row in 0..<ids.count { keys.append(key(of: text(ids, row) + "/" + text(elements, row))) }
    return keys.take(as: .int64)
  }

  private static func text(_ values: ArrowArray, _ row: Int) -> String {
    if values.isNull(row) { return "" }
    return values.type == .utf8 ? values.string(row) : String(values.slice(row..<row + 1).widenedIntegers[0])
  }

  private static func key(_ bytes: RawSpan) -> Int64 { Int64(bitPattern: XXHash64.hash(bytes)) }

  private static func key(of text: String) -> Int64 {
    let bytes = Array(text.utf8)
    return unsafe key(bytes.span.bytes)
  }
}
