import Arrow
import Buffers
import Glibc

/// Rows of `sources`, arrays of one type, in the order of `rows`: the kernel under take, filter and interleave.
func gather<Rows: RowMap>(_ sources: [ArrowArray], _ rows: Rows) -> ArrowArray {
  let first = sources[0]
  if case .null = first.storage { return ArrowArray(nulls: .null, count: rows.count) }
  if case .dictionary = first.storage { return gatherDictionary(sources, rows) }
  let storage = gatherStorage(sources, rows)
  return ArrowArray(
    first.type.adapted(to: storage), count: rows.count, validity: gatherValidity(sources.map(\.validity), rows),
    storage: storage)
}

private func gatherStorage<Rows: RowMap>(_ sources: [ArrowArray], _ rows: Rows) -> ArrowArray.Storage {
  let type = sources[0].type
  switch type {
  case .boolean: return .boolean(gatherBits(sources.map(\.bits), rows))
  case .utf8, .binary:
    let (offsets, data) = gatherRanges(sources.map(\.offsets), sources.map(\.data), elementWidth: 1, rows)
    return .variable(offsets: offsets, data: data)
  case .list, .map: return gatherLists(sources, rows)
  case .fixedSizeList(_, let length): return .fixedSizeList(child: gatherFixedSizeLists(sources, length: length, rows))
  case .structure(let fields):
    return .structure(children: fields.indices.map { field in gather(sources.map { $0.children[field] }, rows) })
  default: return .fixed(gatherFixed(sources.map(\.values), width: type.byteWidth!, rows))
  }
}

// MARK: Fixed width

/// Values of `width` bytes; nulls become zero bytes.
func gatherFixed<Rows: RowMap>(_ sources: [Buffer], width: Int, _ rows: Rows) -> Buffer {
  let table = BufferTable(sources)
  switch width {
  case 1: return gatherWords(table, rows, as: UInt8.self)
  case 2: return gatherWords(table, rows, as: UInt16.self)
  case 4: return gatherWords(table, rows, as: UInt32.self)
  case 8: return gatherWords(table, rows, as: UInt64.self)
  case 16: return gatherWords(table, rows, as: SIMD2<UInt64>.self)
  default: return gatherBytes(table, rows, width: width)
  }
}

@inline(__always)
private func gatherWords<Word: BitwiseCopyable, Rows: RowMap>(
  _ table: borrowing BufferTable, _ rows: Rows, as type: Word.Type
) -> Buffer {
  var output = BufferBuilder(capacity: rows.count * MemoryLayout<Word>.stride)
  if rows.hasNulls {
    output.append(zeroes: rows.count * MemoryLayout<Word>.stride)
    output.withMutableSpan(of: Word.self) { output in
      for index in 0..<rows.count where rows.row(index) >= 0 {
        unsafe output[unchecked: index] = table.load(rows.source(index), rows.row(index), as: Word.self)
      }
    }
  } else {
    unsafe output.appendUnsafely(capacity: rows.count * MemoryLayout<Word>.stride) { memory in
      let words = unsafe memory.assumingMemoryBound(to: Word.self)
      for index in 0..<rows.count {
        unsafe words[index] = table.load(rows.source(index), rows.row(index), as: Word.self)
      }
      return memory.count
    }
  }
  return output.finish()
}

/// So many rows ahead wide values are asked for.
private var prefetchDistance: Int { 8 }

private func gatherBytes<Rows: RowMap>(_ table: borrowing BufferTable, _ rows: Rows, width: Int) -> Buffer {
  var output = BufferBuilder(capacity: rows.count * width)
  unsafe output.appendUnsafely(capacity: rows.count * width) { memory in
    guard var target = memory.baseAddress else { return 0 }
    for index in 0..<rows.count {
      let next = min(index &+ prefetchDistance, rows.count &- 1)
      table.prefetch(rows.source(next), byteOffset: max(rows.row(next), 0) &* width, byteCount: width)
      let row = rows.row(index)
      if row >= 0 {
        unsafe memcpy(target, table.pointer(rows.source(index), byteOffset: row &* width), width)
      } else {
        unsafe memset(target, 0, width)
      }
      unsafe target += width
    }
    return memory.count
  }
  return output.finish()
}

// MARK: Bits

/// The validity of the rows; nil when none is null.
func gatherValidity<Rows: RowMap>(_ sources: [Bitmap?], _ rows: Rows) -> Bitmap? {
  if !rows.hasNulls && sources.allSatisfy({ $0 == nil }) { return nil }
  return gatherBits(sources, rows)
}

private let ones = Buffer([UInt8.max])

/// A bit per row: false for a null row, true for a row of a source without bitmap.
private func gatherBits<Rows: RowMap>(_ sources: [Bitmap?], _ rows: Rows) -> Bitmap {
  let table = BufferTable(sources.map { $0?.buffer ?? ones })
  let offsets = sources.map { $0?.bitOffset ?? 0 }
  // A source without bitmap reads bit 0 of `ones` for every row: no branch.
  let masks = sources.map { $0 == nil ? 0 : -1 }
  return gatherBits(table, offsets.span, masks.span, rows)
}

private func gatherBits<Rows: RowMap>(
  _ table: borrowing BufferTable, _ offsets: Span<Int>, _ masks: Span<Int>, _ rows: Rows
) -> Bitmap {
  var words = BufferBuilder(capacity: (rows.count + 63) / 64 * 8)
  var start = 0
  while start < rows.count {
    var word: UInt64 = 0
    for index in 0..<min(64, rows.count &- start) {
      let row = rows.row(start &+ index)
      let isRow = UInt64(unsafe unsafeBitCast(row >= 0, to: UInt8.self))
      let source = rows.source(start &+ index)
      let bit = (offsets[source] &+ max(row, 0)) & masks[source]
      let byte = UInt64(unsafe table.load(source, bit &>> 3, as: UInt8.self))
      word |= ((byte &>> UInt64(bit & 7)) & isRow) &<< UInt64(index)
    }
    words.append(word)
    start &+= 64
  }
  return Bitmap(words.finish(), count: rows.count)
}

// MARK: Ranges: strings and lists

/// The ranges that `offsets` name of `data`, one after the other, and the offsets to them.
///
/// - Precondition: offsets ascend within their data, and the output has fewer than 2^31 elements.
func gatherRanges<Rows: RowMap>(
  _ offsets: [Buffer], _ data: [Buffer], elementWidth: Int, _ rows: Rows
) -> (offsets: Buffer, data: Buffer) {
  let elementCounts = data.map { $0.byteCount / elementWidth }
  let found = gatherOffsets(BufferTable(offsets), elementCounts.span, rows)
  let byteCounts = data.map(\.byteCount)
  return (found.ends, copyRanges(BufferTable(data), byteCounts.span, found, elementWidth: elementWidth, rows))
}

/// Where the ranges of a gather lie, in elements.
private struct FoundRanges {
  /// In the output: Int32, one more than there are rows.
  var ends: Buffer
  /// In the source: Int32, one per row; remembered, since the offsets were far apart.
  var starts: Buffer
  var total: Int
}

private func gatherOffsets<Rows: RowMap>(
  _ offsets: borrowing BufferTable, _ elementCounts: Span<Int>, _ rows: Rows
) -> FoundRanges {
  var total = 0
  var ends = BufferBuilder(capacity: (rows.count + 1) * 4)
  var starts = BufferBuilder(capacity: rows.count * 4)
  ends.append(zeroes: (rows.count + 1) * 4)
  starts.append(zeroes: rows.count * 4)
  ends.withMutableSpan(of: Int32.self) { ends in
    starts.withMutableSpan(of: Int32.self) { starts in
      for index in 0..<rows.count {
        let row = rows.row(index)
        if row >= 0 {
          let source = rows.source(index)
          let (start, end) = unsafe offsets.range(source, row)
          precondition(start >= 0 && start <= end && end <= elementCounts[source], "offsets beyond their data")
          unsafe starts[unchecked: index] = Int32(truncatingIfNeeded: start)
          total &+= end &- start
        }
        unsafe ends[unchecked: index &+ 1] = Int32(truncatingIfNeeded: total)
      }
    }
  }
  precondition(total <= Int32.max, "\(total) elements in one column; cut the batch")
  return FoundRanges(ends: ends.finish(), starts: starts.finish(), total: total)
}

private func copyRanges<Rows: RowMap>(
  _ data: borrowing BufferTable, _ byteCounts: Span<Int>, _ found: FoundRanges, elementWidth: Int, _ rows: Rows
) -> Buffer {
  let byteCount = found.total * elementWidth
  var output = BufferBuilder(capacity: byteCount)
  unsafe output.appendUnsafely(capacity: byteCount) { memory in
    guard let base = memory.baseAddress else { return 0 }
    var target = 0
    for index in 0..<rows.count {
      let end = Int(unsafe found.ends.load(unchecked: index &+ 1, as: Int32.self)) &* elementWidth
      let length = end &- target
      if length == 0 { continue }
      let source = rows.source(index)
      let start = Int(unsafe found.starts.load(unchecked: index, as: Int32.self)) &* elementWidth
      // Most strings are short: one unconditional 16-byte move is 4 times faster than memcpy. It may read beyond the
      // value but not the source, and write beyond the value but not the output.
      if length <= 16 && start &+ 16 <= byteCounts[source] && target &+ 16 <= byteCount {
        let bytes = unsafe data.pointer(source, byteOffset: start).loadUnaligned(as: SIMD16<UInt8>.self)
        unsafe (base + target).storeBytes(of: bytes, as: SIMD16<UInt8>.self)
      } else {
        unsafe memcpy(base + target, data.pointer(source, byteOffset: start), length)
      }
      target = end
    }
    return byteCount
  }
  return output.finish()
}

extension BufferTable {
  /// The range that Int32 offsets `row` and `row + 1` of buffer `source` name.
  @unsafe @inline(__always) fileprivate func range(_ source: Int, _ row: Int) -> (start: Int, end: Int) {
    unsafe (Int(load(source, row, as: Int32.self)), Int(load(source, row &+ 1, as: Int32.self)))
  }
}

// MARK: Nested

private func gatherLists<Rows: RowMap>(_ sources: [ArrowArray], _ rows: Rows) -> ArrowArray.Storage {
  let children = sources.map { $0.children[0] }
  let offsets = sources.map(\.offsets)
  if let width = flatWidth(children) {
    let (ends, values) = gatherRanges(offsets, children.map(\.values), elementWidth: width, rows)
    let child = ArrowArray(children[0].type, count: values.byteCount / width, storage: .fixed(values))
    return .list(offsets: ends, child: child)
  }
  let counts = children.map(\.count)
  let found = gatherOffsets(BufferTable(offsets), counts.span, rows)
  let ends = found.ends.span(of: Int32.self)
  let starts = found.starts.span(of: Int32.self)
  var elements = BufferBuilder(capacity: found.total * MemoryLayout<RowReference>.stride)
  for index in 0..<rows.count {
    for element in 0..<Int(ends[index + 1] - ends[index]) {
      Rows.append(source: rows.source(index), row: Int(starts[index]) + element, to: &elements)
    }
  }
  return .list(offsets: found.ends, child: gather(children, Rows(checked: elements.finish(), hasNulls: false)))
}

private func gatherFixedSizeLists<Rows: RowMap>(_ sources: [ArrowArray], length: Int, _ rows: Rows) -> ArrowArray {
  let children = sources.map { $0.children[0] }
  let count = rows.count * length
  if let width = flatWidth(children), length > 0 {
    let values = gatherFixed(children.map(\.values), width: width * length, rows)
    return ArrowArray(children[0].type, count: count, storage: .fixed(values))
  }
  var elements = BufferBuilder(capacity: count * MemoryLayout<RowReference>.stride)
  for index in 0..<rows.count {
    let row = rows.row(index)
    for element in 0..<length {
      Rows.append(source: rows.source(index), row: row < 0 ? -1 : row * length + element, to: &elements)
    }
  }
  return gather(children, Rows(checked: elements.finish(), hasNulls: rows.hasNulls))
}

/// The byte width of arrays that are bare fixed-width values without nulls, so that ranges of them are copied as bytes.
private func flatWidth(_ arrays: [ArrowArray]) -> Int? {
  for array in arrays {
    guard case .fixed = array.storage, array.validity == nil else { return nil }
  }
  return arrays[0].type.byteWidth
}

// MARK: Dictionaries

private func gatherDictionary<Rows: RowMap>(_ sources: [ArrowArray], _ rows: Rows) -> ArrowArray {
  let unified = UnifiedDictionary(sources)
  let indices = gatherFixed(unified.indices, width: unified.type.byteWidth!, rows)
  return ArrowArray(
    unified.type, count: rows.count, validity: gatherValidity(unified.validities, rows),
    storage: .dictionary(indices: indices, values: unified.values))
}
