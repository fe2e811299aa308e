import Buffers

/// The body of a record or dictionary batch: the buffers of its arrays in depth-first order, each at a multiple of 64
/// bytes, and what the metadata says of them.
///
/// Only what the arrays' rows use is taken: a slice's offsets are shifted to begin at 0, and its bitmaps at bit 0. What
/// two columns share lies in the body once.
struct IPCBody {
  let rowCount: Int
  /// Two words per array: count of values, count of nulls.
  private(set) var nodes: [Int64] = []
  /// Two words per buffer: place in the body, byte count.
  private(set) var buffers: [Int64] = []
  private(set) var pieces: [Buffer] = []
  /// Where each piece lies in the body.
  private var places: [Int64] = []
  private(set) var byteCount = 0

  init(_ columns: [ArrowArray], rowCount: Int) {
    self.rowCount = rowCount
    reserve(columns.count)
    for column in columns { append(column) }
  }

  /// - Parameter stated: how the schema states the columns.
  init(_ columns: [ArrowArray], as stated: [IPCColumn], rowCount: Int) {
    self.rowCount = rowCount
    reserve(columns.count)
    for index in columns.indices {
      if stated[index].runEnds == nil { append(columns[index]) } else { append(runs: columns[index]) }
    }
  }

  /// Makes room for columns without children.
  private mutating func reserve(_ columnCount: Int) {
    nodes.reserveCapacity(columnCount * 2)
    buffers.reserveCapacity(columnCount * 6)
    pieces.reserveCapacity(columnCount * 2)
    places.reserveCapacity(columnCount * 2)
  }

  /// Appends a dictionary array whose indices number its runs: where the runs end, and their values.
  private mutating func append(runs array: ArrowArray) {
    guard case .dictionary(_, let values) = array.storage else { preconditionFailure("\(array.type) has no runs") }
    let first = array.count > 0 ? array.dictionaryIndex(0) : 0
    var run = first
    var ends = BufferBuilder()
    for row in 0..<array.count where array.dictionaryIndex(row) != run {
      precondition(array.dictionaryIndex(row) == run + 1, "run \(array.dictionaryIndex(row)) follows run \(run)")
      ends.append(Int32(row))
      run += 1
    }
    if array.count > 0 { ends.append(Int32(array.count)) }
    appendNode(array.count, nullCount: 0)
    let runCount = ends.byteCount / 4
    append(ArrowArray(.int32, count: runCount, storage: .fixed(ends.finish())))
    append(values.slice(first..<first + runCount))
  }

  private mutating func append(_ array: ArrowArray) {
    appendNode(array.count, nullCount: array.nullCount)
    if case .null = array.storage { return }
    append(array.validity.map { Self.bytes($0) } ?? .empty)
    switch array.storage {
    case .null: break
    case .boolean(let bits): append(Self.bytes(bits))
    case .fixed(let values): append(values.slice(0..<array.count * array.type.byteWidth!))
    case .variable(let offsets, let data):
      let range = append(offsets: offsets, count: array.count)
      append(data.slice(range))
    case .list(let offsets, let child):
      let range = append(offsets: offsets, count: array.count)
      append(child.slice(range))
    case .fixedSizeList(let child): append(child)
    case .structure(let children): for child in children { append(child) }
    case .dictionary(let indices, _): append(indices.slice(0..<array.count * array.type.byteWidth!))
    }
  }

  private mutating func appendNode(_ count: Int, nullCount: Int) {
    nodes.append(Int64(count))
    nodes.append(Int64(nullCount))
  }

  private mutating func append(_ bytes: Buffer) {
    let known = bytes.isEmpty ? nil : pieces.firstIndex { $0.isIdentical(to: bytes) }
    buffers.append(known.map { places[$0] } ?? Int64(byteCount))
    buffers.append(Int64(bytes.byteCount))
    if bytes.isEmpty || known != nil { return }
    pieces.append(bytes)
    places.append(Int64(byteCount))
    byteCount +=
      (bytes.byteCount + IPCMessageWriter.alignment - 1) / IPCMessageWriter.alignment * IPCMessageWriter.alignment
  }

  /// Appends offsets that begin at 0, and answers the range that the given ones span.
  private mutating func append(offsets: Buffer, count: Int) -> Range<Int> {
    let start = offsets.load(0, as: Int32.self)
    let end = offsets.load(count, as: Int32.self)
    let used = offsets.slice(0..<(count + 1) * 4)
    append(start == 0 ? used : used.adding(-start))
    return Int(start)..<Int(end)
  }

  private static func bytes(_ bits: Bitmap) -> Buffer {
    bits.normalized.buffer.slice(0..<(bits.count + 7) / 8)
  }
}

extension Buffer {
  /// The bytes as Int32s, `distance` added to each.
  fileprivate func adding(_ distance: Int32) -> Buffer {
    let count = byteCount / 4
    var builder = BufferBuilder(capacity: byteCount)
    unsafe withUnsafeBytes { source in
      unsafe builder.appendUnsafely(capacity: count * 4) { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return 0 }
        for index in 0..<count {
          let value = unsafe from.loadUnaligned(fromByteOffset: index &* 4, as: Int32.self)
          unsafe to.storeBytes(of: value &+ distance, toByteOffset: index &* 4, as: Int32.self)
        }
        return count * 4
      }
    }
    return builder.finish()
  }
}
