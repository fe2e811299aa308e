import Arrow
import Buffers
import Definitions

/// When the newest event of each kind happened, and when it arrived: what lag and freshness are measured by.
package struct NewestEvents: Sendable, Equatable {
  /// In microseconds since 1970.
  package struct Times: Sendable, Equatable {
    package var ts: Int64
    package var seenAt: Int64

    /// Those of no event.
    static let none = Times(ts: .min, seenAt: .min)

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
    let times = EventTimes(ts: ts, seenAt: seenAt, count: types.count)
    switch types.storage {
    case .dictionary(let indices, let names):
      let greatest = times.greatest(by: indices, width: types.type.byteWidth!, count: names.count)
      for (place, times) in greatest.enumerated() where times != .none { add(times, named: names.string(place)) }
    case .variable(let offsets, let data):
      for (row, times) in times.greatest(by: TextRuns(offsets: offsets, data: data, count: types.count)) {
        add(times, named: types.string(row))
      }
    default: break
    }
  }

  private mutating func add(_ times: Times, named eventType: String) {
    eventTypes[eventType, default: times].advance(to: times)
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

/// The two columns of times of a batch.
private struct EventTimes {
  let ts: Buffer
  let seenAt: Buffer
  let count: Int

  /// Of the events that have each of `count` names, by the indices of the names.
  func greatest(by indices: Buffer, width: Int, count: Int) -> [NewestEvents.Times] {
    switch width {
    case 1: greatest(by: indices, as: UInt8.self, count)
    case 2: greatest(by: indices, as: UInt16.self, count)
    case 4: greatest(by: indices, as: UInt32.self, count)
    default: greatest(by: indices, as: UInt64.self, count)
    }
  }

  private func greatest<Index: FixedWidthInteger & BitwiseCopyable>(
    by indices: Buffer, as type: Index.Type, _ nameCount: Int
  ) -> [NewestEvents.Times] {
    precondition(
      count * MemoryLayout<Index>.size <= indices.byteCount && count * 8 <= min(ts.byteCount, seenAt.byteCount))
    var found = [NewestEvents.Times](repeating: .none, count: nameCount)
    for row in 0..<count {
      let place = Int(truncatingIfNeeded: unsafe indices.load(unchecked: row, as: Index.self))
      guard found.indices.contains(place) else { continue }
      found[place].advance(
        to: NewestEvents.Times(
          ts: unsafe ts.load(unchecked: row, as: Int64.self), seenAt: unsafe seenAt.load(unchecked: row, as: Int64.self)
        ))
    }
    return found
  }

  /// Of the events of each name, with a row that has it.
  func greatest(by names: TextRuns) -> [(row: Int, times: NewestEvents.Times)] {
    // Names go by their hashes.
    var found: [UInt64: (row: Int, times: NewestEvents.Times)] = [:]
    var start = 0
    while start < count {
      let end = names.end(from: start)
      let times = NewestEvents.Times(ts: ts.greatest(start..<end), seenAt: seenAt.greatest(start..<end))
      found[names.hash(start), default: (start, times)].times.advance(to: times)
      start = end
    }
    return Array(found.values)
  }
}

/// Finds runs of equal texts.
private struct TextRuns {
  /// Int32, `count + 1` of them.
  let offsets: Buffer
  let data: Buffer
  let count: Int

  private func offset(_ row: Int) -> Int { Int(offsets.load(row, as: Int32.self)) }

  func hash(_ row: Int) -> UInt64 { XXHash64.hash(data.bytes.extracting(offset(row)..<offset(row + 1))) }

  /// Where the run ends that begins at `start`. Runs are of one value or of thousands: steps grow.
  func end(from start: Int) -> Int {
    var (row, step) = (start + 1, 1)
    while row < count {
      let end = min(row + step, count)
      guard areEqual(row - 1..<end) else { return firstOther(from: row, before: end) }
      (row, step) = (end, min(step * 2, 1_024))
    }
    return count
  }

  /// The first row that differs from the one before it; there is one.
  private func firstOther(from start: Int, before end: Int) -> Int {
    var (low, high) = (start, end - 1)
    while low < high {
      let middle = (low + high) / 2
      if areEqual(start - 1..<middle + 1) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Whether texts are all the same: as long as each other, and their bytes repeat.
  private func areEqual(_ rows: Range<Int>) -> Bool {
    let (first, length) = (offset(rows.lowerBound), offset(rows.lowerBound + 1) - offset(rows.lowerBound))
    guard offsets.ascends(rows, by: Int32(length)) else { return false }
    let last = first + (rows.count - 1) * length
    return data.bytes.extracting(first..<last).hasSameBytes(as: data.bytes.extracting(first + length..<last + length))
  }
}

extension Buffer {
  /// Whether Int32 elements grow by the same step, from the first of some rows to the one behind them.
  fileprivate func ascends(_ rows: Range<Int>, by step: Int32) -> Bool {
    precondition((rows.upperBound + 1) * 4 <= byteCount, "rows \(rows) of \(byteCount) bytes of offsets")
    var isOther: Int32 = 0
    for row in rows {
      isOther |= unsafe load(unchecked: row + 1, as: Int32.self) &- load(unchecked: row, as: Int32.self) ^ step
    }
    return isOther == 0
  }
}
