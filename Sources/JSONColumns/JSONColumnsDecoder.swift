import Arrow
import Buffers
import CSimdJSON
import Glibc

/// Reads declared fields out of NDJSON into columns.
///
/// A line is good when the whole of it is one JSON object and every required field has a value. A bad line is rejected and
/// costs no other line. A value of the wrong type is null and counted. Of a repeated key the last value counts. A decoder
/// serves one thread at a time and reuses its memory.
///
/// Text is indexed a chunk of whole lines at a time: small enough that the index stays in the processor's cache, and that
/// a line which spoils its chunk's index (an open string, bytes that are no UTF-8) makes few others be indexed again.
package final class JSONColumnsDecoder {
  package let fields: [JSONFieldSpec]
  package let schema: Schema
  /// A longer line is rejected.
  package let maximumLineByteCount: Int

  private static let chunkByteCount = 64 << 10
  /// What may be decoded between two calls of `take`, so that no column's offsets overflow.
  package static let maximumPendingByteCount = 1 << 30

  private let plan: PathPlan
  private let nodes: Table<PathNode>
  private let entries: Table<KeyEntry>
  private let keyBytes: Table<UInt8>
  private let slots: Table<ColumnSlots>
  private let indexer: Indexer
  private let required: [(field: Int, slot: Int)]
  private var rejections: [JSONRejection] = []
  private var mismatches: [Int]
  /// How many rows wait to be taken.
  package private(set) var rowCount = 0
  /// How many bytes of text were decoded since the last batch was taken.
  package private(set) var pendingByteCount = 0
  /// How many lines were decoded since the last batch was taken.
  package private(set) var lineCount = 0
  private var blankCount = 0

  /// - Throws: when the fields' paths are malformed or cannot be read together.
  package init(_ fields: [JSONFieldSpec], maximumLineByteCount: Int = 64 << 20) throws(JSONFieldError) {
    plan = try PathPlan(fields)
    self.fields = fields
    self.maximumLineByteCount = min(maximumLineByteCount, 512 << 20)
    schema = Schema(zip(fields, plan.columns).map { Field($0.path, Self.columnType($0.type, $1)) })
    nodes = Table(plan.nodes)
    entries = Table(plan.entries)
    keyBytes = Table(plan.keyBytes)
    slots = Table(plan.layouts.map { ColumnSlots($0) })
    indexer = Indexer()
    let columns = plan.columns
    required = fields.indices.filter { fields[$0].isRequired }.map { ($0, columns[$0].slots) }
    mismatches = Array(repeating: 0, count: fields.count)
  }

  deinit {
    for index in 0..<slots.count { slots.view[index].release() }
  }

  private static func columnType(_ type: JSONFieldType, _ column: PathPlan.Column) -> DataType {
    var scalar = type
    while case .list(let element) = scalar { scalar = element }
    return column.lists.reduce(scalar.arrowType) { element, _ in .list(Field("item", element)) }
  }

  // MARK: Decoding

  /// Decodes whole lines; only the last one may lack its newline.
  ///
  /// - Parameters:
  ///   - byteOffset: where `text` begins in its source. At 0 a byte order mark is skipped.
  ///   - firstLine: the number of the first line in its source.
  /// - Precondition: no more than `maximumPendingByteCount` bytes are decoded between two calls of `take`.
  package func decode(_ text: RawSpan, byteOffset: Int = 0, firstLine: Int = 1) {
    pendingByteCount += text.byteCount
    precondition(pendingByteCount <= Self.maximumPendingByteCount, "take() the batch before 1 GiB of text is decoded")
    unsafe text.withUnsafeBytes { bytes in
      guard let base = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
      unsafe decode(base, bytes.count, byteOffset, firstLine)
    }
  }

  package func decode(_ text: Buffer, byteOffset: Int = 0, firstLine: Int = 1) {
    decode(text.bytes, byteOffset: byteOffset, firstLine: firstLine)
  }

  private func decode(_ text: UnsafePointer<UInt8>, _ byteCount: Int, _ byteOffset: Int, _ firstLine: Int) {
    var offset = 0
    let lineBefore = lineCount
    if unsafe byteOffset == 0 && byteCount >= 3 && text[0] == 0xEF && text[1] == 0xBB && text[2] == 0xBF { offset = 3 }
    while offset < byteCount {
      let end = unsafe chunkEnd(text, from: offset, byteCount)
      let place = Place(byteOffset: byteOffset + offset, line: firstLine + lineCount - lineBefore)
      if unsafe end + 64 <= byteCount && text[end - 1] == 0x0A {
        unsafe chunk(text + offset, end - offset, place)
      } else {
        let count = unsafe indexer.copy(text + offset, end - offset)
        unsafe chunk(indexer.padded, count, place)
      }
      offset = end
    }
  }

  /// The end of the chunk of whole lines that begins at `start`.
  private func chunkEnd(_ text: UnsafePointer<UInt8>, from start: Int, _ byteCount: Int) -> Int {
    let limit = start + Self.chunkByteCount
    guard limit < byteCount else { return byteCount }
    let end = unsafe sl_after_last_newline(text + start, Self.chunkByteCount)
    if end > 0 { return start + end }
    guard let newline = unsafe memchr(text + limit, 0x0A, byteCount - limit) else { return byteCount }
    return unsafe UnsafeRawPointer(newline) - UnsafeRawPointer(text) + 1
  }

  /// Where a chunk begins in its source.
  private struct Place {
    var byteOffset: Int
    var line: Int
  }

  /// Decodes a chunk that ends in a newline and is padded.
  private func chunk(_ text: UnsafePointer<UInt8>, _ byteCount: Int, _ place: Place) {
    let lines = unsafe indexer.lines(text, byteCount)
    lineCount += lines.count
    reserve(rows: lines.count, data: byteCount)
    guard byteCount <= maximumLineByteCount, unsafe indexer.run(text, byteCount) == nil else {
      return unsafe lineByLine(text, lines, place)
    }
    unsafe walk(text, lines, place)
  }

  /// Decodes each line of a chunk whose index failed as if it were alone.
  private func lineByLine(_ text: UnsafePointer<UInt8>, _ lines: LineView, _ place: Place) {
    var start = 0
    for line in 0..<lines.count {
      let end = lines.end(line)
      let here = Place(byteOffset: place.byteOffset + start, line: place.line + line)
      if end - start > maximumLineByteCount {
        reject(here, end - start, .tooLong, 0)
      } else if let fault = unsafe indexer.run(text + start, end - start + 1) {
        reject(here, end - start, fault, 0)
      } else {
        unsafe walk(text + start, lines.single(line, from: start), here)
      }
      start = end + 1
    }
  }

  /// Walks the lines of an indexed chunk: each becomes a row, a rejection or a blank line.
  private func walk(_ text: UnsafePointer<UInt8>, _ lines: LineView, _ place: Place) {
    let view = unsafe TextView(text)
    let tokens = indexer.tokens
    var walker = LineWalker(
      plan, nodes.view, entries.view, keyBytes.view, slots.view, view, tokens, tokenCount: indexer.tokenCount)
    var at = 0
    var start = 0
    for line in 0..<lines.count {
      let end = lines.end(line)
      walker.lineEnd = end
      walker.isEscaped = lines.isEscaped(line)
      if tokens[at] >= end {
        blankCount += 1
      } else {
        let next = walker.line(at, rowCount)
        let isGood = walker.fault == nil && hasRequired(&walker, rowCount)
        if isGood {
          walker.close(0, rowCount)
          rowCount += 1
          at = next
        } else {
          let here = Place(byteOffset: place.byteOffset + start, line: place.line + line)
          reject(here, end - start, walker.fault ?? .notAnObject, walker.faultOffset - start)
          walker.undo(rowCount)
          while tokens[at] < end { at += 1 }
        }
        if !walker.mismatches.isEmpty || !walker.nulls.isEmpty { countMismatches(&walker, isGood) }
        walker.fault = nil
      }
      start = end + 1
    }
  }

  /// Counts what a good line noted, and forgets it.
  private func countMismatches(_ walker: inout LineWalker, _ isGood: Bool) {
    if isGood { for field in walker.mismatches { mismatches[field] += 1 } }
    walker.mismatches.removeAll(keepingCapacity: true)
    walker.nulls.removeAll(keepingCapacity: true)
  }

  /// Whether the row has every required value; if not, `fault` says which one is wanting and why.
  private func hasRequired(_ walker: inout LineWalker, _ row: Int) -> Bool {
    let view = slots.view
    for (field, slot) in required where !view[slot].isPresent(row) {
      walker.fault =
        walker.mismatches.contains(field)
        ? .wrongType(field: field) : walker.nulls.contains(field) ? .null(field: field) : .missing(field: field)
      return false
    }
    return true
  }

  private func reject(_ place: Place, _ byteCount: Int, _ fault: JSONLineFault, _ offset: Int) {
    rejections.append(
      JSONRejection(
        byteOffset: place.byteOffset, byteCount: byteCount, line: place.line, fault: fault,
        offsetInLine: max(offset, 0),
        reason: fault.reason(fields)))
  }

  private func reserve(rows: Int, data byteCount: Int) {
    let view = slots.view
    for slot in plan.groups[0].slots { view[slot].reserve(rows: rowCount + rows) }
    for slot in 0..<slots.count { view[slot].reserve(data: byteCount + 64) }
  }

  // MARK: Handing over

  /// The rows and the bad lines since the last call; the decoder starts anew, empty.
  package func take() -> JSONBatch {
    let rows = rowCount
    var groupRows = Array(repeating: 0, count: plan.groups.count)
    groupRows[0] = rows
    var lists: [Int: (offsets: Buffer, validity: Bitmap)] = [:]
    let columns = fields.indices.map { takeColumn($0, &groupRows, &lists) }
    let result = JSONBatch(
      batch: RecordBatch(schema, columns, rowCount: rows), rejections: rejections, mismatches: mismatches,
      lineCount: lineCount, blankCount: blankCount)
    (rejections, lineCount, blankCount, rowCount, pendingByteCount) = ([], 0, 0, 0, 0)
    mismatches = Array(repeating: 0, count: fields.count)
    return result
  }

  private func takeColumn(
    _ field: Int, _ groupRows: inout [Int], _ lists: inout [Int: (offsets: Buffer, validity: Bitmap)]
  ) -> ArrowArray {
    let column = plan.columns[field]
    let view = slots.view
    var rows = rowCount
    for list in column.lists {
      if lists[list.slots] == nil {
        groupRows[list.group] = view[list.slots].end
        let validity = view[list.slots].takeValidity(rows)
        lists[list.slots] = (view[list.slots].takeEnds(rows), validity)
        view[list.slots].end = 0
      }
      rows = groupRows[list.group]
    }
    var scalar = fields[field].type
    while case .list(let element) = scalar { scalar = element }
    var array = view[column.slots].take(as: scalar.arrowType, rows)
    for list in column.lists.reversed() {
      let (offsets, validity) = lists[list.slots]!
      array = ArrowArray(
        .list(Field("item", array.type)), count: validity.count, validity: validity,
        storage: .list(offsets: offsets, child: array))
    }
    return array
  }
}
