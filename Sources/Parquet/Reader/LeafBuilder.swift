import Arrow
import Buffers

/// Grows the slots of one leaf column, a data page at a time.
struct LeafBuilder: ~Copyable {
  let leaf: LeafColumn
  let layout: ValueLayout
  /// Whether the column stands in lists or structures, so that their levels are kept.
  let isNested: Bool
  /// The type of the array that is taken.
  let type: DataType

  var dictionary: LeafDictionary?
  /// The dictionary, grown by the values of pages that do without it.
  var grownDictionary = ByteArrayScratch()

  var definitionLevels = BufferBuilder()
  var repetitionLevels = BufferBuilder()
  var validity = BitmapBuilder()
  /// Values of the layout's width; of byte arrays, their Int32 offsets.
  var values = BufferBuilder()
  var bits = BitmapBuilder()
  var data = BufferBuilder()
  private(set) var slotCount = 0
  /// Rows begun.
  private(set) var rowCount = 0

  init(_ leaf: LeafColumn, isNested: Bool, asDictionary: Bool) {
    self.leaf = leaf
    self.isNested = isNested
    layout = ValueLayout(leaf, asDictionary: asDictionary)
    type =
      layout == .dictionary
      ? .dictionary(index: .int32, value: leaf.arrowType, isOrdered: false) : leaf.arrowType
    beginOffsets()
  }

  private mutating func beginOffsets() {
    if layout == .variable { values.append(Int32(0)) }
  }

  private var isNullable: Bool { leaf.maxDefinitionLevel > leaf.slotLevel }

  /// How many bytes were built.
  var byteCount: Int {
    values.byteCount + data.byteCount + definitionLevels.byteCount + repetitionLevels.byteCount
      + (validity.count + bits.count) / 8 + grownDictionary.data.byteCount
  }

  // MARK: A page

  /// Appends a data page.
  /// - Parameters:
  ///   - levels: a v2 page's levels; else empty.
  ///   - body: the rest of the page, decompressed.
  ///   - limit: bytes that this builder may grow to.
  /// - Throws: whatever is wrong with the page; the builder is then of no more use.
  mutating func append(
    _ layout: PageLayout, levels: RawSpan, body: RawSpan, limit: Int, pageLevels: inout BufferBuilder,
    dense: inout BufferBuilder, scratch: inout DecoderScratch
  ) throws(ParquetError) {
    let count = layout.valueCount
    try require(count, max(self.layout.width, 1), limit)
    var cursor = ByteCursor(body)
    if leaf.maxRepetitionLevel > 0 {
      let isFirst = repetitionLevels.byteCount == 0
      try decodeRepetitionLevels(layout, levels: levels, &cursor)
      if isFirst, count > 0, (unsafe repetitionLevels.bytes.unsafeLoad(as: UInt8.self)) != 0 {
        throw ParquetError(.malformed("repetition levels: they begin inside a row"))
      }
    } else {
      rowCount += count
    }
    pageLevels.truncate(to: 0)
    try decodeDefinitionLevels(layout, levels: levels, &cursor, to: &pageLevels)
    if isNested { definitionLevels.append(pageLevels.bytes) }
    try appendSlots(layout.encoding, cursor.rest(), count: count, levels: pageLevels.bytes, limit, &dense, &scratch)
  }

  private func require(_ count: Int, _ width: Int, _ limit: Int) throws(ParquetError) {
    let size = byteCount + count * width
    guard size <= limit else { throw ParquetError(.limitExceeded("column", value: size, limit: limit)) }
  }

  private mutating func decodeRepetitionLevels(
    _ layout: PageLayout, levels: RawSpan, _ cursor: inout ByteCursor
  ) throws(ParquetError) {
    let first = repetitionLevels.byteCount
    let range = layout.repetitionLevelByteCount.map { 0..<$0 }
    try Self.decodeLevels(
      levels, range, layout.repetitionLevelEncoding, count: layout.valueCount, max: leaf.maxRepetitionLevel, &cursor,
      to: &repetitionLevels)
    let inside = LevelKernels.count(
      repetitionLevels.bytes.extracting(first..<repetitionLevels.byteCount), atLeast: 1)
    rowCount += layout.valueCount - inside
  }

  private func decodeDefinitionLevels(
    _ layout: PageLayout, levels: RawSpan, _ cursor: inout ByteCursor, to output: inout BufferBuilder
  ) throws(ParquetError) {
    guard leaf.maxDefinitionLevel > 0 else { return }
    let start = layout.repetitionLevelByteCount ?? 0
    let range = layout.definitionLevelByteCount.map { start..<start + $0 }
    try Self.decodeLevels(
      levels, range, layout.definitionLevelEncoding, count: layout.valueCount, max: leaf.maxDefinitionLevel, &cursor,
      to: &output)
  }

  /// Appends levels that lie in `range` of `bytes` or, if nil, at the cursor behind their byte count.
  private static func decodeLevels(
    _ bytes: RawSpan, _ range: Range<Int>?, _ encoding: Encoding, count: Int, max: Int, _ cursor: inout ByteCursor,
    to output: inout BufferBuilder
  ) throws(ParquetError) {
    let width = Int.bitWidth - max.leadingZeroBitCount
    let first = output.byteCount
    if let range {
      var runs = RunLengthDecoder(bytes.extracting(range), width: width)
      try runs.appendBytes(count: count, to: &output)
    } else if encoding == .bitPacked {
      try BitPackedLevelDecoder.append(&cursor, width: width, count: count, to: &output)
    } else if encoding == .rle {
      let length = try cursor.length(of: "levels")
      var runs = RunLengthDecoder(try cursor.take(length, of: "levels"), width: width)
      try runs.appendBytes(count: count, to: &output)
    } else {
      throw ParquetError(.unsupportedEncoding(Int(encoding.rawValue)))
    }
    guard max + 1 < 1 << width else { return }
    let largest = Int(LevelKernels.largest(output.bytes.extracting(first..<output.byteCount)))
    guard largest <= max else { throw ParquetError(.outOfRange("level", value: largest, limit: max)) }
  }

  // MARK: Slots

  /// Appends the slots of a page whose definition levels are `levels`; none when all `count` values are there.
  private mutating func appendSlots(
    _ encoding: Encoding, _ bytes: RawSpan, count: Int, levels: RawSpan, _ limit: Int,
    _ dense: inout BufferBuilder, _ scratch: inout DecoderScratch
  ) throws(ParquetError) {
    guard !levels.isEmpty else {
      slotCount += count
      return try appendValues(encoding, bytes, count: count, limit, &scratch)
    }
    let slots = LevelKernels.count(levels, atLeast: leaf.slotLevel)
    let present = LevelKernels.count(levels, atLeast: leaf.maxDefinitionLevel)
    slotCount += slots
    if isNullable {
      LevelKernels.appendValidity(levels, present: leaf.maxDefinitionLevel, slot: leaf.slotLevel, to: &validity)
    }
    if present == slots {
      try appendValues(encoding, bytes, count: present, limit, &scratch)
    } else {
      try spreadValues(encoding, bytes, count: present, slots: slots, levels: levels, limit, &dense, &scratch)
    }
  }

  /// Appends `count` values without nulls between them.
  private mutating func appendValues(
    _ encoding: Encoding, _ bytes: RawSpan, count: Int, _ limit: Int, _ scratch: inout DecoderScratch
  ) throws(ParquetError) {
    switch layout {
    case .null: try requireNone(count)
    case .boolean: try Self.decodeBooleans(encoding, bytes, count: count, to: &bits)
    case .dictionary:
      try decodeIndices(encoding, bytes, count: count, limit, &scratch)
      values.append(scratch.indices.bytes)
    case .variable:
      try Self.decodeByteArrays(
        encoding, bytes, count: count, dictionary, limit, ends: &values, data: &data, &scratch)
    case .fixed, .narrowed, .int96, .decimal:
      try Self.decodeFixed(encoding, bytes, count: count, dictionary, leaf, layout, to: &values, &scratch)
    }
  }

  /// Appends `count` values with nulls between them, `slots` slots in all.
  private mutating func spreadValues(
    _ encoding: Encoding, _ bytes: RawSpan, count: Int, slots: Int, levels: RawSpan, _ limit: Int,
    _ dense: inout BufferBuilder, _ scratch: inout DecoderScratch
  ) throws(ParquetError) {
    dense.truncate(to: 0)
    let present = leaf.maxDefinitionLevel
    switch layout {
    case .null: try requireNone(count)
    case .boolean:
      var decoded = BitmapBuilder(capacity: count)
      try Self.decodeBooleans(encoding, bytes, count: count, to: &decoded)
      spreadBooleans(decoded.finish(), levels: levels)
    case .variable:
      dense.append(Int32(data.byteCount))
      try Self.decodeByteArrays(encoding, bytes, count: count, dictionary, limit, ends: &dense, data: &data, &scratch)
      LevelKernels.spreadEnds(
        dense.bytes, levels: levels, present: present, slot: leaf.slotLevel, slotCount: slots, to: &values)
    case .dictionary:
      try decodeIndices(encoding, bytes, count: count, limit, &scratch)
      spread(scratch.indices.bytes, width: 4, levels: levels, slots: slots)
    case .fixed, .narrowed, .int96, .decimal:
      try Self.decodeFixed(encoding, bytes, count: count, dictionary, leaf, layout, to: &dense, &scratch)
      spread(dense.bytes, width: layout.width, levels: levels, slots: slots)
    }
  }

  private mutating func spread(_ dense: RawSpan, width: Int, levels: RawSpan, slots: Int) {
    let present = leaf.maxDefinitionLevel
    switch width {
    case 1:
      LevelKernels.spread(
        dense, levels: levels, present: present, slot: leaf.slotLevel, slotCount: slots, as: UInt8.self, to: &values)
    case 2:
      LevelKernels.spread(
        dense, levels: levels, present: present, slot: leaf.slotLevel, slotCount: slots, as: UInt16.self, to: &values)
    case 4:
      LevelKernels.spread(
        dense, levels: levels, present: present, slot: leaf.slotLevel, slotCount: slots, as: UInt32.self, to: &values)
    case 8:
      LevelKernels.spread(
        dense, levels: levels, present: present, slot: leaf.slotLevel, slotCount: slots, as: UInt64.self, to: &values)
    default: spreadWide(dense, width: width, levels: levels)
    }
  }

  private mutating func spreadWide(_ dense: RawSpan, width: Int, levels: RawSpan) {
    var position = 0
    for index in 0..<levels.byteCount {
      let level = Int(unsafe levels.unsafeLoad(fromByteOffset: index, as: UInt8.self))
      if level >= leaf.maxDefinitionLevel {
        values.append(dense.extracting(position..<position + width))
        position += width
      } else if level >= leaf.slotLevel {
        values.append(zeroes: width)
      }
    }
  }

  private mutating func spreadBooleans(_ dense: Bitmap, levels: RawSpan) {
    var position = 0
    for index in 0..<levels.byteCount {
      let level = Int(unsafe levels.unsafeLoad(fromByteOffset: index, as: UInt8.self))
      if level >= leaf.maxDefinitionLevel {
        bits.append(dense[position])
        position += 1
      } else if level >= leaf.slotLevel {
        bits.append(false)
      }
    }
  }

  /// Counts slots that are appended otherwise.
  mutating func count(_ slots: LeafSlots) {
    slotCount += slots.values.count
    rowCount += slots.rowCount
  }

  // MARK: Taking the column

  /// The slots so far; this builder starts anew, empty.
  mutating func take() -> LeafSlots {
    let validity = isNullable ? validity.take() : nil
    let array = ArrowArray(type, count: slotCount, validity: validity, storage: takeStorage())
    let slots = LeafSlots(
      values: array, definitionLevels: definitionLevels.take(), repetitionLevels: repetitionLevels.take(),
      rowCount: rowCount)
    (slotCount, rowCount) = (0, 0)
    beginOffsets()
    return slots
  }

  private mutating func takeStorage() -> ArrowArray.Storage {
    switch layout {
    case .null: .null
    case .boolean: .boolean(bits.take())
    case .fixed, .narrowed, .int96, .decimal: .fixed(values.take())
    case .variable: .variable(offsets: values.take(), data: data.take())
    case .dictionary: .dictionary(indices: values.take(), values: dictionaryValues())
    }
  }
}
