import Buffers

/// Turns the bodies of record and dictionary batches into arrays, and keeps the dictionaries.
struct IPCBatchReader {
  /// A dictionary as sent so far. It is decoded when a batch first needs it, since one that contains another may be
  /// sent before that one.
  private struct Dictionary {
    let column: IPCColumn
    /// The last whole batch and the deltas after it.
    var messages: [IPCMessage] = []
    /// The values of the first `decodedCount` messages.
    var values: ArrowArray?
    var decodedCount = 0
    /// Whether the values contain other dictionaries, so that any message may change them.
    let isNested: Bool
    /// How many dictionary messages had come when the values were decoded.
    var age = 0

    init(column: IPCColumn) {
      self.column = column
      isNested = column.containsDictionary
    }
  }

  private let columns: [IPCColumn]
  private let isBigEndian: Bool
  private let options: IPCDecodingOptions
  private var dictionaries: [Int64: Dictionary] = [:]
  private var dictionaryMessageCount = 0
  private var remainingByteCount: Int

  init(
    _ columns: [IPCColumn], isBigEndian: Bool, options: IPCDecodingOptions, byteOffset: Int
  ) throws(IPCError) {
    self.columns = columns
    self.isBigEndian = isBigEndian
    self.options = options
    remainingByteCount = options.maximumByteCount
    for column in columns { try register(column, byteOffset: byteOffset) }
  }

  /// Notes the dictionaries of `column` and below.
  private mutating func register(_ column: IPCColumn, byteOffset: Int) throws(IPCError) {
    for child in column.children { try register(child, byteOffset: byteOffset) }
    guard let id = column.dictionaryID else { return }
    let values = column.dictionaryValues
    if let known = dictionaries[id], known.column != values {
      throw IPCError(.dictionaryConflict(id: id), byteOffset: byteOffset, field: column.field.name)
    }
    dictionaries[id] = Dictionary(column: values)
  }

  mutating func recordBatch(_ message: IPCMessage, schema: Schema) throws(IPCError) -> RecordBatch {
    var cursor = try IPCBatchCursor(message, message.header)
    let rowCount = cursor.rowCount
    var arrays: [ArrowArray] = []
    arrays.reserveCapacity(columns.count)
    for column in columns { arrays.append(try array(column, count: rowCount, &cursor)) }
    return RecordBatch(schema, arrays, rowCount: rowCount)
  }

  mutating func addDictionary(_ message: IPCMessage) throws(IPCError) {
    let id = try message.header.integer(0, default: Int64(0))
    guard dictionaries[id] != nil else { throw IPCError(.dictionaryUnknown(id: id), byteOffset: message.byteOffset) }
    if try message.header.bool(2) {
      dictionaries[id]?.messages.append(message)
    } else {
      dictionaries[id]?.messages = [message]
      dictionaries[id]?.values = nil
    }
    dictionaryMessageCount += 1
  }

  /// Decodes the dictionaries that no batch has used, so that a malformed one does not pass.
  mutating func checkDictionaries() throws(IPCError) {
    for (id, dictionary) in dictionaries where !dictionary.messages.isEmpty { _ = try values(of: id, byteOffset: 0) }
  }

  /// The values of a dictionary as of now.
  private mutating func values(of id: Int64, byteOffset: Int) throws(IPCError) -> ArrowArray {
    guard let dictionary = dictionaries[id], !dictionary.messages.isEmpty else {
      throw IPCError(.dictionaryMissing(id: id), byteOffset: byteOffset)
    }
    let isCurrent = !dictionary.isNested || dictionary.age == dictionaryMessageCount
    let known = isCurrent ? dictionary.values : nil
    let knownCount = known == nil ? 0 : dictionary.decodedCount
    if let known, knownCount == dictionary.messages.count { return known }
    var parts = known.map { [$0] } ?? []
    for message in dictionary.messages[knownCount...] {
      guard let data = try message.header.table(1) else { throw message.metadata.error("a dictionary has no data") }
      var cursor = try IPCBatchCursor(message, data)
      parts.append(try array(dictionary.column, count: cursor.rowCount, &cursor))
    }
    let values = try join(parts, byteOffset: byteOffset)
    dictionaries[id]?.values = values
    dictionaries[id]?.decodedCount = dictionary.messages.count
    dictionaries[id]?.age = dictionaryMessageCount
    return values
  }

  private mutating func join(_ parts: [ArrowArray], byteOffset: Int) throws(IPCError) -> ArrowArray {
    if parts.count == 1 { return parts[0] }
    try allocate(parts.reduce(0) { $0 + $1.byteCount }, byteOffset: byteOffset)
    guard let joined = ArrowArray(joining: parts) else {
      throw IPCError(.valueCount(parts.reduce(0) { $0 + Int64($1.count) }), byteOffset: byteOffset)
    }
    return joined
  }

  /// Charges `byteCount` new bytes against what may be allocated.
  mutating func allocate(_ byteCount: Int, byteOffset: Int) throws(IPCError) {
    guard byteCount <= remainingByteCount else {
      throw IPCError(.memoryLimit(byteCount: options.maximumByteCount), byteOffset: byteOffset)
    }
    remainingByteCount -= byteCount
  }

  // MARK: Arrays

  /// The next array of the batch, which is to have `count` values when that is given.
  mutating func array(
    _ column: IPCColumn, count expected: Int?, _ cursor: inout IPCBatchCursor
  ) throws(IPCError) -> ArrowArray {
    let node = try cursor.nextNode(column)
    if let expected, node.count != expected {
      throw cursor.error(.childCount(expected: expected, found: node.count), column)
    }
    let count = node.count
    let type = column.field.type
    if let runEnds = column.runEnds, column.dictionaryID == nil { return try runs(column, runEnds, count, &cursor) }
    if type == .null { return ArrowArray(.null, count: count, storage: .null) }
    let validity = try validity(node, column, &cursor)
    let storage: ArrowArray.Storage
    switch type {
    case .boolean: storage = .boolean(try bits(count, column, &cursor))
    case .utf8, .binary: storage = try text(column, count, &cursor)
    case .list, .map: storage = try list(column, count, &cursor)
    case .fixedSizeList(_, let length):
      let (total, overflow) = count.multipliedReportingOverflow(by: length)
      guard !overflow else { throw cursor.error(.valueCount(.max), column) }
      storage = .fixedSizeList(child: try child(column.children[0], atLeast: total, &cursor))
    case .structure:
      var children: [ArrowArray] = []
      for field in column.children { children.append(try child(field, atLeast: count, &cursor)) }
      storage = .structure(children: children)
    case .dictionary(let index, _, _): storage = try dictionary(column, index, count, validity, &cursor)
    default: storage = .fixed(try values(width: type.byteWidth!, count, column, &cursor))
    }
    return ArrowArray(type, count: count, validity: validity, storage: storage)
  }

  /// A child that must have `count` values; more are cut off.
  private mutating func child(
    _ column: IPCColumn, atLeast count: Int, _ cursor: inout IPCBatchCursor
  ) throws(IPCError) -> ArrowArray {
    let child = try array(column, count: nil, &cursor)
    guard child.count >= count else { throw cursor.error(.childCount(expected: count, found: child.count), column) }
    return child.slice(0..<count)
  }

  private mutating func validity(
    _ node: IPCBatchCursor.Node, _ column: IPCColumn, _ cursor: inout IPCBatchCursor
  ) throws(IPCError) -> Bitmap? {
    if node.nullCount == 0 {
      _ = try cursor.nextBuffer(column)
      return nil
    }
    return try bits(node.count, column, &cursor)
  }

  private mutating func bits(
    _ count: Int, _ column: IPCColumn, _ cursor: inout IPCBatchCursor
  ) throws(IPCError) -> Bitmap {
    Bitmap(try values(width: 1, (count + 7) / 8, column, &cursor), count: count)
  }

  private mutating func text(
    _ column: IPCColumn, _ count: Int, _ cursor: inout IPCBatchCursor
  ) throws(IPCError) -> ArrowArray.Storage {
    let (offsets, base) = try offsets(column, count, &cursor)
    var data = try buffer(column, &cursor)
    if base > 0 { data = data.slice(min(base, data.byteCount)..<data.byteCount) }
    guard OffsetCheck.areAscending(offsets, within: data.byteCount) else {
      throw cursor.error(.offsets(limit: data.byteCount), column)
    }
    if options.validatesText, column.field.type == .utf8, !OffsetCheck.areText(data, offsets) {
      throw cursor.error(.notUTF8, column)
    }
    return .variable(offsets: offsets, data: data)
  }

  private mutating func list(
    _ column: IPCColumn, _ count: Int, _ cursor: inout IPCBatchCursor
  ) throws(IPCError) -> ArrowArray.Storage {
    let (offsets, base) = try offsets(column, count, &cursor)
    let end = cursor
    var child = try array(column.children[0], count: nil, &cursor)
    if base > 0 { child = child.slice(min(base, child.count)..<child.count) }
    guard OffsetCheck.areAscending(offsets, within: child.count) else {
      throw end.error(.offsets(limit: child.count), column)
    }
    return .list(offsets: offsets, child: child)
  }

  /// Offsets as Int32s, and what was taken off each: 0 unless they had to be narrowed.
  private mutating func offsets(
    _ column: IPCColumn, _ count: Int, _ cursor: inout IPCBatchCursor
  ) throws(IPCError) -> (Buffer, base: Int) {
    let width = column.hasLargeOffsets ? 8 : 4
    if count == 0, try cursor.peekByteCount(column) < width {
      _ = try cursor.nextBuffer(column)
      return (Buffer(zeroes: 4), 0)
    }
    let offsets = try values(width: width, count + 1, column, &cursor)
    if !column.hasLargeOffsets { return (offsets, 0) }
    try allocate(offsets.byteCount / 2, byteOffset: cursor.bufferOffset)
    let base = offsets.load(0, as: Int64.self)
    guard base >= 0 else { throw cursor.error(.offsets(limit: .max), column) }
    guard let narrowed = OffsetCheck.narrowed(offsets, base: base) else {
      throw cursor.error(.offsetsBeyond2GiB(offsets.load(count, as: Int64.self)), column)
    }
    return (narrowed, Int(base))
  }

  private mutating func dictionary(
    _ column: IPCColumn, _ index: DataType, _ count: Int, _ validity: Bitmap?, _ cursor: inout IPCBatchCursor
  ) throws(IPCError) -> ArrowArray.Storage {
    var indices = try values(width: index.byteWidth!, count, column, &cursor)
    let values = try values(of: column.dictionaryID!, byteOffset: cursor.byteOffset)
    if !IndexCheck.areWithin(values.count, indices, type: index) {
      try allocate(indices.byteCount, byteOffset: cursor.bufferOffset)
      guard let validity, let mended = IndexCheck.withoutStrayNulls(indices, validity, values.count, type: index) else {
        throw cursor.error(.dictionaryIndex(valueCount: values.count), column)
      }
      indices = mended
    }
    return .dictionary(indices: indices, values: values)
  }

  // MARK: Buffers

  /// The next buffer as `count` values of `width` bytes: cut to size, aligned, little-endian.
  private mutating func values(
    width: Int, _ count: Int, _ column: IPCColumn, _ cursor: inout IPCBatchCursor
  ) throws(IPCError) -> Buffer {
    let (byteCount, overflow) = width.multipliedReportingOverflow(by: count)
    let found = try buffer(column, &cursor)
    guard !overflow, found.byteCount >= byteCount else {
      throw cursor.error(.bufferTooShort(expected: overflow ? .max : byteCount, found: found.byteCount), column)
    }
    let bytes = found.slice(0..<byteCount)
    if isBigEndian, width > 1, column.hasNumbers {
      try allocate(byteCount, byteOffset: cursor.bufferOffset)
      return bytes.swapped(width: width)
    }
    if bytes.isAligned(to: max(1, min(16, width & -width))) { return bytes }
    try allocate(byteCount, byteOffset: cursor.bufferOffset)
    return Buffer(copying: bytes.bytes)
  }

  /// The next buffer, decompressed.
  private mutating func buffer(_ column: IPCColumn, _ cursor: inout IPCBatchCursor) throws(IPCError) -> Buffer {
    let bytes = try cursor.nextBuffer(column)
    guard let codec = cursor.codec, !bytes.isEmpty else { return bytes }
    guard bytes.byteCount >= 8 else { throw cursor.error(.bufferTooShort(expected: 8, found: bytes.byteCount), column) }
    let byteCount = Int64(littleEndian: bytes.load(0, as: Int64.self))
    let packed = bytes.slice(8..<bytes.byteCount)
    if byteCount == -1 { return packed }
    guard byteCount >= 0 else { throw cursor.error(.corruptCompression(codec.name), column) }
    if byteCount == 0 { return .empty }
    guard let decompress = options.decompress else {
      throw cursor.error(.unsupportedCompression(codec.name), column)
    }
    try allocate(Int(byteCount), byteOffset: cursor.bufferOffset)
    guard let plain = decompress(codec, packed, Int(byteCount)), plain.byteCount == byteCount else {
      throw cursor.error(.corruptCompression(codec.name), column)
    }
    return plain
  }
}

extension IPCColumn {
  /// Whether the values, or offsets, are numbers, whose byte order matters.
  fileprivate var hasNumbers: Bool { if case .fixedSizeBinary = field.type { false } else { true } }
}
