import Arrow
import Buffers

/// Grows the slots of one leaf column, a data page at a time.
struct LeafBuilder: ~Copyable {
  let source: LeafSource

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
  var slotCount = 0
  /// Rows begun.
  var rowCount = 0

  init(_ source: LeafSource) { self.source = source }

  var leaf: LeafColumn { source.leaf }

  /// How many bytes were built.
  var byteCount: Int {
    values.byteCount + data.byteCount + definitionLevels.byteCount + repetitionLevels.byteCount
      + (validity.count + bits.count) / 8 + grownDictionary.data.byteCount
  }

  /// Makes room for about that many slots, so that memory need not move. The number is a claim of the footer's, so the
  /// room is bounded; what is not touched costs nothing.
  mutating func reserve(slots: Int) {
    let most = 1 << 27
    values.reserve(min(slots, most / max(1, source.layout.width)) * source.layout.width)
    if source.isNested, leaf.maxDefinitionLevel > 0 { definitionLevels.reserve(min(slots, most)) }
    if leaf.maxRepetitionLevel > 0 { repetitionLevels.reserve(min(slots, most)) }
  }

  /// A data page's values and levels, decompressed.
  struct Page: ~Copyable, ~Escapable {
    let layout: PageLayout
    /// A v2 page's levels; else empty.
    let levels: RawSpan
    let body: RawSpan

    @_lifetime(copy levels, copy body)
    init(_ layout: PageLayout, levels: RawSpan, body: RawSpan) {
      self.layout = layout
      self.levels = levels
      self.body = body
    }
  }

  /// Appends a data page.
  /// - Parameters:
  ///   - window: the rows of the page to append, if not all: only for columns without nesting, whose source can decode
  ///     a part of the page's encoding.
  ///   - limit: bytes that this builder may grow to.
  /// - Throws: whatever is wrong with the page; the builder is then of no more use.
  mutating func append(
    _ page: borrowing Page, window: Range<Int>?, limit: Int, work: inout PageWork
  ) throws(ParquetError) {
    let count = window?.count ?? page.layout.valueCount
    let size = byteCount + count * max(source.layout.width, 1)
    guard size <= limit else { throw ParquetError(.limitExceeded("column", value: size, limit: limit)) }
    if source.layout == .variable, values.byteCount == 0 { values.append(Int32(0)) }
    var cursor = ByteCursor(page.body)
    if leaf.maxRepetitionLevel > 0 {
      try appendRepetitionLevels(page.layout, page.levels, &cursor)
    } else {
      rowCount += count
    }
    work.levels.truncate(to: 0)
    try decodeDefinitionLevels(page.layout, page.levels, &cursor, to: &work.levels)
    if source.isNested { definitionLevels.append(work.levels.bytes) }
    try appendSlots(
      page.layout.encoding, page.layout.valueCount, cursor.rest(), window, levels: work.levels, limit, &work.dense,
      &work.scratch)
  }

  // MARK: Slots

  /// Appends the slots of a page whose definition levels are `levels`; there are none when all values are there.
  private mutating func appendSlots(
    _ encoding: Encoding, _ levelCount: Int, _ bytes: RawSpan, _ window: Range<Int>?,
    levels: borrowing BufferBuilder, _ limit: Int, _ dense: inout BufferBuilder, _ scratch: inout DecoderScratch
  ) throws(ParquetError) {
    let present = leaf.maxDefinitionLevel
    guard levels.byteCount > 0 else {
      let rows = window ?? 0..<levelCount
      slotCount += rows.count
      let values = PageValues(encoding: encoding, skipped: rows.lowerBound, count: rows.count, total: levelCount)
      return try appendValues(values, bytes, limit, &scratch)
    }
    let all = levels.bytes
    let before = LevelKernels.count(all.extracting(0..<(window?.lowerBound ?? 0)), atLeast: present)
    let levels = all.extracting(window ?? 0..<all.byteCount)
    let slots = LevelKernels.count(levels, atLeast: leaf.slotLevel)
    let count = LevelKernels.count(levels, atLeast: present)
    let total = window == nil ? count : LevelKernels.count(all, atLeast: present)
    let values = PageValues(encoding: encoding, skipped: before, count: count, total: total)
    slotCount += slots
    if source.isNullable {
      LevelKernels.appendValidity(levels, present: present, slot: leaf.slotLevel, to: &validity)
    }
    if values.count == slots {
      try appendValues(values, bytes, limit, &scratch)
    } else {
      dense.truncate(to: 0)
      try spreadValues(values, bytes, slots: slots, levels: levels, limit, &dense, &scratch)
    }
  }

  /// Appends values without nulls between them.
  private mutating func appendValues(
    _ page: PageValues, _ bytes: RawSpan, _ limit: Int, _ scratch: inout DecoderScratch
  ) throws(ParquetError) {
    switch source.layout {
    case .null: try requireNone(page)
    case .boolean: try Self.decodeBooleans(page, bytes, to: &bits)
    case .dictionary:
      try decodeIndices(page, bytes, limit, &scratch)
      values.append(scratch.indices.bytes.extracting(page.skipped * 4..<scratch.indices.byteCount))
    case .variable:
      try Self.decodeByteArrays(page, bytes, dictionary, limit, ends: &values, data: &data, &scratch)
    case .fixed, .narrowed, .int96, .decimal:
      try Self.decodeFixed(page, bytes, dictionary, source, to: &values, &scratch)
    }
  }

  /// Appends values with nulls between them, `slots` slots in all.
  private mutating func spreadValues(
    _ page: PageValues, _ bytes: RawSpan, slots: Int, levels: RawSpan, _ limit: Int, _ dense: inout BufferBuilder,
    _ scratch: inout DecoderScratch
  ) throws(ParquetError) {
    switch source.layout {
    case .null: try requireNone(page)
    case .boolean:
      var decoded = BitmapBuilder(capacity: page.count)
      try Self.decodeBooleans(page, bytes, to: &decoded)
      spreadBooleans(decoded.finish(), levels: levels)
    case .variable:
      dense.append(Int32(data.byteCount))
      try Self.decodeByteArrays(page, bytes, dictionary, limit, ends: &dense, data: &data, &scratch)
      LevelKernels.spreadEnds(
        dense.bytes, levels: levels, present: leaf.maxDefinitionLevel, slot: leaf.slotLevel, slotCount: slots,
        to: &values)
    case .dictionary:
      try decodeIndices(page, bytes, limit, &scratch)
      let indices = scratch.indices.bytes.extracting(page.skipped * 4..<scratch.indices.byteCount)
      spread(indices, width: 4, levels: levels, slots: slots)
    case .fixed, .narrowed, .int96, .decimal:
      try Self.decodeFixed(page, bytes, dictionary, source, to: &dense, &scratch)
      spread(dense.bytes, width: source.layout.width, levels: levels, slots: slots)
    }
  }

  private mutating func spread(_ dense: RawSpan, width: Int, levels: RawSpan, slots: Int) {
    let places = LevelKernels.Places(present: leaf.maxDefinitionLevel, slot: leaf.slotLevel, slotCount: slots)
    switch width {
    case 1: LevelKernels.spread(dense, levels: levels, places, as: UInt8.self, to: &values)
    case 2: LevelKernels.spread(dense, levels: levels, places, as: UInt16.self, to: &values)
    case 4: LevelKernels.spread(dense, levels: levels, places, as: UInt32.self, to: &values)
    case 8: LevelKernels.spread(dense, levels: levels, places, as: UInt64.self, to: &values)
    case 16: LevelKernels.spread(dense, levels: levels, places, as: UInt128.self, to: &values)
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
}

/// Which values of a page are decoded, nulls not counted.
struct PageValues {
  var encoding: Encoding
  /// Values before the first wanted one.
  var skipped: Int
  var count: Int
  /// Values of the page.
  var total: Int
}
