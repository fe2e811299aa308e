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
  /// The last row of each group, which counts where no as-of time tells rows apart.
  private let lastRows: [Int32]
  /// Microseconds since 1970 from which each row holds; nil when rows hold always.
  private let asOf: [Int64]?
  package let rowCount: Int
  /// How many rows never count: a later row has the same key, and the same as-of time.
  package var repeatedKeyCount: Int { index.repeatedKeyCount(asOf: asOf) }

  /// - Parameters:
  ///   - keys: integers or strings, one per row.
  ///   - asOf: timestamps in microseconds, or nil; a row whose time is null holds from the beginning.
  ///   - columns: what a match adds, one value per row.
  package init(_ name: String, keys: ArrowArray, asOf: ArrowArray?, fields: [Field], columns: [ArrowArray]) {
    self.name = name
    self.fields = fields
    self.columns = columns.map { LookupColumnValues($0) }
    // A row without a time holds from the beginning.
    self.asOf = asOf.map { times in
      times.widenedIntegers.enumerated().map { times.isValid($0) ? $1 : .min }
    }
    rowCount = keys.count
    let index = KeyIndex(keys, asOf: self.asOf)
    lastRows = asOf == nil ? (0..<index.groupCount).map { index.rows[index.range($0).upperBound - 1] } : []
    self.index = index
  }

  /// The row for each event: the latest whose as-of time is not after the event; -1 where there is none.
  ///
  /// - Parameters:
  ///   - keys: integers or strings; any other type finds nothing.
  ///   - ts: microseconds since 1970, one per event.
  func match(_ keys: ArrowArray, ts: ArrowArray) -> LookupMatch {
    let keys = keys.decoded()
    let times = ts.values
    var rows = BufferBuilder(capacity: keys.count * 4)
    var hits = 0
    for (event, group) in index.groups(of: keys).enumerated() {
      let row = group < 0 ? -1 : latest(in: Int(group), times, event)
      if row >= 0 { hits += 1 }
      rows.append(row)
    }
    return LookupMatch(rows: rows.finish(), hits: hits, misses: keys.count - keys.nullCount - hits)
  }

  /// The last row of a group that holds at the event's time; -1 if none does yet.
  @inline(__always) private func latest(in group: Int, _ times: Buffer, _ event: Int) -> Int32 {
    guard let asOf else { return lastRows[group] }
    let time = times.load(event, as: Int64.self)
    let range = index.range(group)
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high {
      let middle = (low + high) / 2
      if asOf[Int(index.rows[middle])] <= time { low = middle + 1 } else { high = middle }
    }
    return low == range.lowerBound ? -1 : index.rows[low - 1]
  }

  /// The look-up's columns for matched rows, as dictionary arrays: a value that many events share travels once.
  func columns(for match: LookupMatch, scratch: inout LookupScratch) -> [ArrowArray] {
    let compacted = columns.contains { $0.isWide } ? scratch.compact(match.rows, tableRowCount: rowCount) : nil
    return columns.map { $0.values(for: match.rows, compacted: compacted) }
  }

  /// The look-up's columns for matched rows, a value for each: for few events.
  func values(for match: LookupMatch) -> [ArrowArray] { columns.map { $0.plainValues(for: match.rows) } }
}

/// Which table row each event got.
struct LookupMatch: Sendable {
  /// Int32 per event; -1 for none.
  var rows: Buffer
  var hits: Int
  /// Events with a key that the table lacks.
  var misses: Int
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

  func plainValues(for rows: Buffer) -> ArrowArray {
    switch form {
    case .coded(let codes, let values):
      let span = rows.span(of: Int32.self)
      var places = BufferBuilder(capacity: rows.byteCount)
      for event in 0..<span.count { places.append(span[event] < 0 ? -1 : codes[Int(span[event])]) }
      return values.take(places.finish())
    case .wide(let column): return column.take(rows)
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
