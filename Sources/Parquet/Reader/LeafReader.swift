import Arrow
import Buffers

/// Reads the slots of one leaf column of one row group, some rows at a time.
final class LeafReader {
  private var pages: PageCursor
  private var builder: LeafBuilder
  private let codec: CompressionCodec
  private let options: ReadOptions
  /// Slots that were decoded with the rows before them.
  private var left: LeafSlots?
  private var isAtEnd = false
  /// Values that the pages still hold, nulls included.
  private var valuesLeft: Int

  /// - Parameters:
  ///   - valueCount: values in the pages at most; what follows them is passed over.
  ///   - dictionary: the chunk's dictionary if it is known; its page is then not among the pages.
  init(
    _ leaf: LeafColumn, isNested: Bool, asDictionary: Bool, codec: CompressionCodec, pages: PageCursor,
    valueCount: Int, dictionary: LeafDictionary?, options: ReadOptions
  ) {
    self.pages = pages
    self.codec = codec
    self.options = options
    valuesLeft = valueCount
    builder = LeafBuilder(leaf, isNested: isNested, asDictionary: asDictionary)
    builder.dictionary = dictionary
  }

  var leaf: LeafColumn { builder.leaf }

  /// The chunk's dictionary, if a dictionary page was read.
  var dictionary: LeafDictionary? { builder.dictionary }

  /// The next `count` rows.
  /// - Parameter limit: bytes that they may take.
  /// - Throws: `.countMismatch` where the chunk has fewer.
  func read(_ count: Int, limit: Int, decoder: inout PageDecoder) throws(ParquetError) -> LeafSlots {
    do throws(ParquetError) {
      if let left, left.rowCount >= count, isWhole(left.rowCount, count) {
        self.left = left.slice(count..<left.rowCount, slot: leaf.slotLevel)
        return left.slice(0..<count, slot: leaf.slotLevel)
      }
      if let left { builder.append(left) }
      left = nil
      while !isWhole(builder.rowCount, count), try readPage(limit: limit, &decoder) {}
      guard builder.rowCount >= count else {
        throw ParquetError(.countMismatch("rows", expected: count, actual: builder.rowCount))
      }
      let slots = builder.take()
      if slots.rowCount > count { left = slots.slice(count..<slots.rowCount, slot: leaf.slotLevel) }
      return slots.slice(0..<count, slot: leaf.slotLevel)
    } catch {
      throw error.located(column: leaf.name)
    }
  }

  /// Whether `count` of the rows begun are at hand to their ends: lists may go on in the next page.
  private func isWhole(_ rows: Int, _ count: Int) -> Bool {
    leaf.maxRepetitionLevel == 0 || isAtEnd ? rows >= count : rows > count
  }

  /// Passes over the next `count` rows; pages with nothing else are not decoded.
  func skip(_ count: Int, limit: Int, decoder: inout PageDecoder) throws(ParquetError) {
    var count = count
    if left == nil, builder.rowCount == 0 { count -= try skipPages(upTo: count, &decoder) }
    // Bit by bit, so that what is thrown away takes little memory.
    while count > 0 {
      let step = min(count, 1 << 16)
      _ = try read(step, limit: limit, decoder: &decoder)
      count -= step
    }
  }

  /// Answers how many rows the skipped pages have.
  private func skipPages(upTo count: Int, _ decoder: inout PageDecoder) throws(ParquetError) -> Int {
    var skipped = 0
    while skipped < count {
      let before = pages
      do throws(ParquetError) {
        guard let page = try pages.next() else { return skipped }
        switch page.header.kind {
        case .dictionary: try readDictionary(page, &decoder)
        case .other: continue
        case .data(let rows, _, _, _) where leaf.maxRepetitionLevel == 0 && rows <= count - skipped:
          skipped += rows
          valuesLeft -= rows
        case .dataV2(let values, _, let rows, _, _, _, _) where rows <= count - skipped:
          skipped += rows
          valuesLeft -= values
        default:
          pages = before
          return skipped
        }
      } catch {
        throw error.located(column: leaf.name)
      }
    }
    return skipped
  }

  // MARK: Pages

  /// Answers whether there was a page.
  private func readPage(limit: Int, _ decoder: inout PageDecoder) throws(ParquetError) -> Bool {
    guard valuesLeft > 0, let page = try pages.next() else {
      isAtEnd = true
      return false
    }
    do throws(ParquetError) {
      switch page.header.kind {
      case .dictionary: try readDictionary(page, &decoder)
      case .data, .dataV2: try readData(page, limit: limit, &decoder)
      case .other: break
      }
      return true
    } catch {
      throw error.located(byteOffset: page.byteOffset)
    }
  }

  private func readDictionary(_ page: StoredPage, _ decoder: inout PageDecoder) throws(ParquetError) {
    guard case .dictionary(let count, let encoding, _) = page.header.kind else { return }
    guard encoding == .plain || encoding == .plainDictionary else {
      throw ParquetError(.unsupportedEncoding(Int(encoding.rawValue)))
    }
    guard builder.dictionary == nil else { throw ParquetError(.malformed("column chunk: two dictionary pages")) }
    let size = page.header.uncompressedByteCount
    try requirePage(page, decoded: count * builder.layout.width)
    if codec == .uncompressed {
      try requireStored(page, size)
      try buildDictionary(page.body.bytes, count: count, &decoder.work)
    } else {
      decoder.page.truncate(to: 0)
      try decoder.decompressor.decompress(page.body.bytes, codec: codec, byteCount: size, into: &decoder.page)
      try buildDictionary(decoder.page, count: count, &decoder.work)
    }
  }

  private func buildDictionary(
    _ page: borrowing BufferBuilder, count: Int, _ work: inout PageWork
  ) throws(ParquetError) {
    try buildDictionary(page.bytes, count: count, &work)
  }

  private func buildDictionary(_ bytes: RawSpan, count: Int, _ work: inout PageWork) throws(ParquetError) {
    builder.dictionary = try LeafDictionary(
      bytes, count: count, leaf: leaf, layout: builder.layout, scratch: &work.scratch)
  }

  private func readData(_ page: StoredPage, limit: Int, _ decoder: inout PageDecoder) throws(ParquetError) {
    guard let layout = PageLayout(page.header) else { return }
    valuesLeft -= layout.valueCount
    try requirePage(page, decoded: layout.valueCount * max(1, builder.layout.width))
    let levelByteCount = layout.levelByteCount
    let size = page.header.uncompressedByteCount - levelByteCount
    guard levelByteCount <= page.body.byteCount, size >= 0 else {
      throw ParquetError(.truncated("page levels", needed: levelByteCount, available: page.body.byteCount))
    }
    let levels = page.body.slice(0..<levelByteCount)
    let stored = page.body.slice(levelByteCount..<page.body.byteCount)
    if codec == .uncompressed || !layout.isCompressed {
      try requireStored(page, page.header.uncompressedByteCount)
      try append(layout, levels, stored.bytes, limit: limit, &decoder.work)
    } else {
      decoder.page.truncate(to: 0)
      if size > 0 {
        try decoder.decompressor.decompress(stored.bytes, codec: codec, byteCount: size, into: &decoder.page)
      }
      try append(layout, levels, decoder.page, limit: limit, &decoder.work)
    }
  }

  private func append(
    _ layout: PageLayout, _ levels: Buffer, _ page: borrowing BufferBuilder, limit: Int, _ work: inout PageWork
  ) throws(ParquetError) {
    try append(layout, levels, page.bytes, limit: limit, &work)
  }

  private func append(
    _ layout: PageLayout, _ levels: Buffer, _ body: RawSpan, limit: Int, _ work: inout PageWork
  ) throws(ParquetError) {
    try builder.append(
      layout, levels: levels.bytes, body: body, limit: limit, pageLevels: &work.levels, dense: &work.dense,
      scratch: &work.scratch)
  }

  /// Checks the page's sizes against the limits, and its checksum.
  private func requirePage(_ page: StoredPage, decoded: Int) throws(ParquetError) {
    let size = max(page.header.uncompressedByteCount, decoded)
    guard size <= options.pageByteLimit else {
      throw ParquetError(.limitExceeded("page", value: size, limit: options.pageByteLimit))
    }
    if options.verifiesChecksums { try page.verifyChecksum() }
  }

  private func requireStored(_ page: StoredPage, _ size: Int) throws(ParquetError) {
    guard page.body.byteCount == size else {
      throw ParquetError(.countMismatch("bytes in an uncompressed page", expected: size, actual: page.body.byteCount))
    }
  }
}
