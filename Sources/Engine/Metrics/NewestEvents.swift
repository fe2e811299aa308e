import Arrow
import Buffers
import Definitions

/// When the newest event of each kind happened, and when it arrived: what lag and freshness are measured by.
package struct NewestEvents: Sendable, Equatable {
  /// In microseconds since 1970.
  package struct Times: Sendable, Equatable {
    package var ts: Int64
    package var seenAt: Int64

    mutating func advance(to other: Times) {
      ts = max(ts, other.ts)
      seenAt = max(seenAt, other.seenAt)
    }
  }

  /// By event type.
  package private(set) var eventTypes: [String: Times] = [:]
  /// Of raw events, by source.
  package private(set) var sources: [String: Times] = [:]

  package init() {}

  package var isEmpty: Bool { eventTypes.isEmpty && sources.isEmpty }

  package mutating func add(_ other: NewestEvents) {
    eventTypes.merge(other.eventTypes) { $0.advanced(to: $1) }
    sources.merge(other.sources) { $0.advanced(to: $1) }
  }

  /// Takes note of events, whichever types they are of.
  package mutating func add(_ events: RecordBatch) {
    guard let types = events[SystemColumns.eventType], types.type.valueType == .utf8, types.nullCount == 0,
      let ts = events.micros(SystemColumns.ts), let seenAt = events.micros(SystemColumns.seenAt)
    else { return }
    // Names become strings once a batch; in between they go by their hashes.
    var found: [UInt64: (row: Int, times: Times)] = [:]
    var start = 0
    while start < types.count {
      let end = types.endOfRun(from: start)
      let times = Times(ts: ts.greatest(start..<end), seenAt: seenAt.greatest(start..<end))
      let (texts, place) = types.text(start)
      let hash = XXHash64.hash(texts.data.bytes.extracting(texts.range(place)))
      found[hash, default: (start, times)].times.advance(to: times)
      start = end
    }
    for (row, times) in found.values {
      let (texts, place) = types.text(row)
      eventTypes[texts.string(place), default: times].advance(to: times)
    }
  }

  /// Takes note of raw events.
  package mutating func add(_ raw: RecordBatch, of source: SourceDefinition) {
    guard raw.rowCount > 0, let ts = raw.micros(source.ts.columnName) else { return }
    let happened = ts.greatest(0..<raw.rowCount)
    let arrived = source.arrival.flatMap { raw.micros($0.columnName) }?.greatest(0..<raw.rowCount) ?? happened
    let times = Times(ts: happened, seenAt: arrived)
    sources[source.name, default: times].advance(to: times)
  }
}

extension NewestEvents.Times {
  fileprivate func advanced(to other: Self) -> Self {
    var times = self
    times.advance(to: other)
    return times
  }
}

extension RecordBatch {
  /// The values of a column of times.
  fileprivate func micros(_ name: String) -> Buffer? {
    guard let column = self[name], column.type == .timestampMicrosUTC else { return nil }
    return column.values
  }
}

extension Buffer {
  /// The greatest of some Int64 elements; a null's bytes count as they are.
  fileprivate func greatest(_ rows: Range<Int>) -> Int64 {
    precondition(rows.upperBound * 8 <= byteCount, "rows \(rows) of \(byteCount) bytes")
    var greatest = Int64.min
    for row in rows { greatest = Swift.max(greatest, unsafe load(unchecked: row, as: Int64.self)) }
    return greatest
  }
}

/// Texts, or a dictionary of texts; nulls among neither.
extension ArrowArray {
  /// The texts among which a value is, and where.
  fileprivate func text(_ row: Int) -> (texts: ArrowArray, place: Int) {
    if case .dictionary(_, let texts) = storage { (texts, dictionaryIndex(row)) } else { (self, row) }
  }

  /// Where a run of equal values ends that begins at `start`.
  fileprivate func endOfRun(from start: Int) -> Int {
    var row = start + 1
    while row < count {
      let end = min(row + 512, count)
      if hasEqualValues(row - 1..<end) {
        row = end
      } else {
        // Halves lead to the first value that differs.
        var (low, high) = (row, end)
        while low < high {
          let middle = (low + high) / 2
          if hasEqualValues(row - 1..<middle + 1) { low = middle + 1 } else { high = middle }
        }
        return low
      }
    }
    return count
  }

  /// Whether some values are all the same: as long as each other, and their bytes, or those of their indices, repeat.
  private func hasEqualValues(_ rows: Range<Int>) -> Bool {
    guard rows.count > 1 else { return true }
    if let width = type.byteWidth {
      return values.bytes.repeats(rows.lowerBound * width..<rows.upperBound * width, width)
    }
    let first = range(rows.lowerBound)
    for row in rows where range(row).count != first.count { return false }
    return data.bytes.repeats(first.lowerBound..<range(rows.upperBound - 1).upperBound, first.count)
  }
}

extension RawSpan {
  /// Whether some bytes are the same piece of so many bytes again and again.
  fileprivate func repeats(_ bytes: Range<Int>, _ byteCount: Int) -> Bool {
    extracting(bytes.lowerBound..<bytes.upperBound - byteCount).hasSameBytes(
      as: extracting(bytes.lowerBound + byteCount..<bytes.upperBound))
  }
}
