import Arrow
import ArrowKernels
import Buffers

/// A table in memory whose rows enrich events by key.
package final class LookupTable: Sendable {
  package let name: String
  /// The columns that a match adds.
  package let fields: [Field]
  private let columns: [LookupColumnValues]
  private let index: KeyIndex
  /// Microseconds since 1970 from which each row holds; nil when rows hold always.
  private let asOf: [Int64]?
  package let rowCount: Int

  /// Rows whose key another row has as well, where no as-of time tells them apart: the last one counts.
  package var repeatedKeyCount: Int { asOf == nil ? index.repeatedCount : 0 }

  /// - Parameters:
  ///   - keys: integers or strings, one per row.
  ///   - asOf: timestamps in microseconds, or nil.
  ///   - columns: what a match adds, one value per row.
  package init(_ name: String, keys: ArrowArray, asOf: ArrowArray?, fields: [Field], columns: [ArrowArray]) {
    self.name = name
    self.fields = fields
    self.columns = columns.map { LookupColumnValues($0) }
    self.asOf = asOf.map { $0.widenedIntegers }
    rowCount = keys.count
    index = KeyIndex(keys, asOf: self.asOf)
  }

  /// The row for each event: the latest whose as-of time is not after the event; -1 where there is none.
  ///
  /// - Parameters:
  ///   - keys: integers or strings; any other type finds nothing.
  ///   - ts: microseconds since 1970, one per event.
  func match(_ keys: ArrowArray, ts: ArrowArray) -> LookupMatch {
    var rows = BufferBuilder(capacity: keys.count * 4)
    var match = LookupMatch(rows: .empty, hits: 0, misses: 0)
    let plain = keys.decoded()
    let times = ts.values
    if plain.type == .utf8 {
      for event in 0..<plain.count {
        let row = plain.isNull(event) ? nil : latest(in: index.group(of: plain.bytes(event).bytes), times, event)
        match.count(row, isKeyNull: plain.isNull(event))
        rows.append(row ?? -1)
      }
    } else {
      let integers = plain.type.isInteger ? plain.widenedIntegers : []
      for event in 0..<plain.count {
        let isNull = integers.isEmpty || plain.isNull(event)
        let row = isNull ? nil : latest(in: index.group(of: integers[event]), times, event)
        match.count(row, isKeyNull: isNull)
        rows.append(row ?? -1)
      }
    }
    match.rows = rows.finish()
    return match
  }

  /// The last row of a group that holds at the event's time.
  @inline(__always) private func latest(in group: Range<Int>, _ times: Buffer, _ event: Int) -> Int32? {
    guard let asOf else { return group.isEmpty ? nil : index.rows[group.upperBound - 1] }
    let time = times.load(event, as: Int64.self)
    var (low, high) = (group.lowerBound, group.upperBound)
    while low < high {
      let middle = (low + high) / 2
      if asOf[Int(index.rows[middle])] <= time { low = middle + 1 } else { high = middle }
    }
    return low == group.lowerBound ? nil : index.rows[low - 1]
  }

  /// The look-up's columns for matched rows, as dictionary arrays: a value that many events share travels once.
  func columns(for match: LookupMatch, scratch: inout LookupScratch) -> [ArrowArray] {
    let compacted = columns.contains { $0.isWide } ? scratch.compact(match.rows, tableRowCount: rowCount) : nil
    return columns.map { $0.values(for: match.rows, compacted: compacted) }
  }
}

/// Which table row each event got.
struct LookupMatch: Sendable {
  /// Int32 per event; -1 for none.
  var rows: Buffer
  var hits: Int
  /// Events with a key that the table lacks.
  var misses: Int

  mutating func count(_ row: Int32?, isKeyNull: Bool) {
    if row != nil { hits += 1 } else if !isKeyNull { misses += 1 }
  }
}

/// Table rows in use by one batch, numbered in the order of their first use.
struct CompactedRows {
  /// Int32 per event: the place in `distinct`; 0 where there is no row.
  let places: Buffer
  /// Int32 table rows.
  let distinct: Buffer
}

/// A thread's memory for numbering table rows, so that a batch costs its own size and not the table's.
struct LookupScratch {
  private var batchOfRow: [UInt32] = []
  private var placeOfRow: [Int32] = []
  private var batch: UInt32 = 0

  mutating func compact(_ rows: Buffer, tableRowCount: Int) -> CompactedRows {
    if batchOfRow.count < tableRowCount {
      batchOfRow = Array(repeating: 0, count: tableRowCount)
      placeOfRow = Array(repeating: 0, count: tableRowCount)
      batch = 0
    }
    batch += 1
    var places = BufferBuilder(capacity: rows.byteCount)
    var distinct = BufferBuilder(capacity: rows.byteCount)
    var count: Int32 = 0
    let span = rows.span(of: Int32.self)
    for event in 0..<span.count {
      let row = Int(span[event])
      guard row >= 0 else {
        places.append(Int32(0))
        continue
      }
      if batchOfRow[row] != batch {
        batchOfRow[row] = batch
        placeOfRow[row] = count
        distinct.append(Int32(row))
        count += 1
      }
      places.append(placeOfRow[row])
    }
    return CompactedRows(places: places.finish(), distinct: distinct.finish())
  }
}

/// A table's column, ready to be handed out by row.
private struct LookupColumnValues: Sendable {
  private enum Form {
    /// Few distinct strings: all of them travel with every batch.
    case coded(codes: [Int32], values: ArrowArray)
    /// Anything else: the rows in use travel.
    case wide(ArrowArray)
  }

  private let form: Form
  /// So many distinct strings are cheaper to send whole than to pick from.
  private static var codedLimit: Int { 1_024 }

  init(_ column: ArrowArray) {
    if column.type == .utf8, let coded = Self.code(column) { form = coded } else { form = .wide(column) }
  }

  var isWide: Bool { if case .wide = form { true } else { false } }

  private static func code(_ column: ArrowArray) -> Form? {
    var codeOfText: [String: Int32] = [:]
    var texts: [String?] = []
    var codes: [Int32] = []
    codes.reserveCapacity(column.count)
    for row in 0..<column.count {
      guard column.isValid(row) else {
        codes.append(-1)
        continue
      }
      let text = column.string(row)
      let code = codeOfText[text] ?? Int32(texts.count)
      if Int(code) == texts.count {
        guard texts.count < codedLimit else { return nil }
        codeOfText[text] = code
        texts.append(text)
      }
      codes.append(code)
    }
    return .coded(codes: codes, values: ArrowArray(texts))
  }

  func values(for rows: Buffer, compacted: CompactedRows?) -> ArrowArray {
    switch form {
    case .coded(let codes, let values): Self.dictionary(rows, values: values) { codes[Int($0)] }
    case .wide(let column):
      Self.dictionary(rows, places: compacted!.places, values: column.take(compacted!.distinct), of: column)
    }
  }

  private static func dictionary(_ rows: Buffer, values: ArrowArray, code: (Int32) -> Int32) -> ArrowArray {
    var indices = FixedWidthBuilder<Int32>(capacity: rows.byteCount / 4)
    let span = rows.span(of: Int32.self)
    for event in 0..<span.count {
      let index = span[event] < 0 ? -1 : code(span[event])
      if index < 0 { indices.appendNull() } else { indices.append(index) }
    }
    return dictionary(indices.take(as: .int32), values: values)
  }

  private static func dictionary(_ rows: Buffer, places: Buffer, values: ArrowArray, of column: ArrowArray)
    -> ArrowArray
  {
    var validity = BitmapBuilder(capacity: rows.byteCount / 4)
    let span = rows.span(of: Int32.self)
    for event in 0..<span.count { validity.append(span[event] >= 0 && column.isValid(Int(span[event]))) }
    let bits = validity.finish()
    return dictionary(
      ArrowArray(.int32, count: bits.count, validity: bits, storage: .fixed(places)), values: values)
  }

  private static func dictionary(_ indices: ArrowArray, values: ArrowArray) -> ArrowArray {
    ArrowArray(
      .dictionary(index: .int32, value: values.type, isOrdered: false), count: indices.count,
      validity: indices.validity, storage: .dictionary(indices: indices.values, values: values))
  }
}
