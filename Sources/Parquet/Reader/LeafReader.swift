import Arrow
import Buffers

/// Reads the slots of one leaf column of one row group, some rows at a time.
final class LeafReader {
  private let source: LeafSource
  private var pages: PageCursor
  private var builder: LeafBuilder
  private let codec: CompressionCodec
  private let options: ReadOptions
  /// Slots that were decoded with the rows before them.
  private var left: LeafSlots?
  private var isAtEnd = false
  /// Values that the pages still hold, nulls included.
  private var valuesLeft: Int
  /// Rows at the pages' start that are not wanted.
  private var rowsToSkip = 0
  /// How many slots a row has, about.
  private let slotsPerRow: Int

  /// - Parameters:
  ///   - segments: the bytes of the chunk's pages, or of some.
  ///   - valueCount: values in those pages at most; what follows them is passed over.
  ///   - dictionary: the chunk's dictionary if it is known; its page is then not among the pages.
  init(
    _ source: LeafSource, _ chunk: ParquetFile.Chunk, _ segments: [PageCursor.Segment], valueCount: Int,
    dictionary: LeafDictionary?, options: ReadOptions
  ) {
    self.source = source
    self.options = options
    pages = PageCursor(segments)
    codec = chunk.codec
    valuesLeft = valueCount
    slotsPerRow = chunk.slotsPerRow
    builder = LeafBuilder(source)
    builder.dictionary = dictionary
  }

  /// The chunk's dictionary, if a dictionary page was read.
  var dictionary: LeafDictionary? { builder.dictionary }

  private var leaf: LeafColumn { source.leaf }

  /// The next `count` rows.
  /// - Parameters:
  ///   - isLast: whether no more rows will be asked for.
  ///   - limit: bytes that they may take.
  /// - Throws: `.countMismatch` where the chunk has fewer.
  func read(
    _ count: Int, isLast: Bool = false, limit: Int, decoder: inout PageDecoder
  ) throws(ParquetError) -> LeafSlots {
    do throws(ParquetError) {
      if let left, isWhole(left.rowCount, count + rowsToSkip) { return split(left, at: count) }
      if count > 1_024 { builder.reserve(slots: min(count, 1 << 27) * slotsPerRow) }
      if let left { builder.append(left) }
      left = nil
      while !isWhole(builder.rowCount, count + rowsToSkip) {
        guard try readPage(wanted: isLast ? count : nil, limit: limit, &decoder) else { break }
      }
      guard builder.rowCount >= count + rowsToSkip else {
        throw ParquetError(.countMismatch("rows", expected: count, actual: max(0, builder.rowCount - rowsToSkip)))
      }
      return split(builder.take(), at: count)
    } catch {
      throw error.located(column: leaf.name)
    }
  }

  /// The first `count` rows behind those to skip; the others are kept.
  private func split(_ slots: LeafSlots, at count: Int) -> LeafSlots {
    let start = rowsToSkip
    let rest = start + count..<slots.rowCount
    rowsToSkip = 0
    left = rest.isEmpty ? nil : slots.slice(rest, slot: leaf.slotLevel)
    return slots.slice(start..<start + count, slot: leaf.slotLevel)
  }

  /// Whether `count` of the rows begun are at hand to their ends: lists may go on in the next page.
  private func isWhole(_ rows: Int, _ count: Int) -> Bool {
    leaf.maxRepetitionLevel == 0 || isAtEnd ? rows >= count : rows > count
  }

  /// Passes over the first `count` rows; pages with nothing else are not decoded.
  /// - Precondition: nothing was read yet.
  func skip(_ count: Int, limit: Int, decoder: inout PageDecoder) throws(ParquetError) {
    do throws(ParquetError) {
      rowsToSkip = count - (try skipPages(upTo: count, &decoder))
    } catch {
      throw error.located(column: leaf.name)
    }
    // Bit by bit, so that what is thrown away takes little memory.
    let step = 1 << 16
    while rowsToSkip > step {
      let left = rowsToSkip - step
      rowsToSkip = 0
      _ = try read(step, limit: limit, decoder: &decoder)
      rowsToSkip = left
    }
  }

  /// Answers how many rows the skipped pages have.
  private func skipPages(upTo count: Int, _ decoder: inout PageDecoder) throws(ParquetError) -> Int {
    var skipped = 0
    while skipped < count, valuesLeft > 0 {
      let before = pages
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
    }
    return skipped
  }

  // MARK: Pages

  /// Answers whether there was a page.
  private func readPage(wanted: Int?, limit: Int, _ decoder: inout PageDecoder) throws(ParquetError) -> Bool {
    guard valuesLeft > 0, let page = try pages.next() else {
      isAtEnd = true
      return false
    }
    do throws(ParquetError) {
      switch page.header.kind {
      case .dictionary: try readDictionary(page, &decoder)
      case .data, .dataV2: try readData(page, wanted: wanted, limit: limit, &decoder)
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
    try requirePage(page, decoded: count * source.layout.width)
    if codec == .uncompressed {
      try requireStored(page)
      try buildDictionary(page.body.bytes, count: count, &decoder.work)
    } else {
      decoder.page.truncate(to: 0)
      try decoder.decompressor.decompress(
        page.body.bytes, codec: codec, byteCount: page.header.uncompressedByteCount, into: &decoder.page)
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
      bytes, count: count, leaf: leaf, layout: source.layout, scratch: &work.scratch)
  }

  private func readData(
    _ page: StoredPage, wanted: Int?, limit: Int, _ decoder: inout PageDecoder
  ) throws(ParquetError) {
    guard let layout = PageLayout(page.header) else { return }
    valuesLeft -= layout.valueCount
    try requirePage(page, decoded: layout.valueCount * max(1, source.layout.width))
    let levelByteCount = layout.levelByteCount
    let size = page.header.uncompressedByteCount - levelByteCount
    guard levelByteCount <= page.body.byteCount, size >= 0 else {
      throw ParquetError(.truncated("page levels", needed: levelByteCount, available: page.body.byteCount))
    }
    let levels = page.body.slice(0..<levelByteCount)
    let stored = page.body.slice(levelByteCount..<page.body.byteCount)
    let window = window(of: layout, wanted: wanted)
    if codec == .uncompressed || !layout.isCompressed {
      try requireStored(page)
      try append(layout, levels, stored.bytes, window, limit, &decoder.work)
    } else {
      decoder.page.truncate(to: 0)
      if size > 0 {
        try decoder.decompressor.decompress(stored.bytes, codec: codec, byteCount: size, into: &decoder.page)
      }
      try append(layout, levels, decoder.page, window, limit, &decoder.work)
    }
  }

  /// The rows of a page that are wanted, where not all are and the others can be left out; they then count as skipped.
  private func window(of layout: PageLayout, wanted: Int?) -> Range<Int>? {
    guard !source.isNested, source.canDecodePart(of: layout.encoding) else { return nil }
    let start = builder.rowCount == 0 ? min(rowsToSkip, layout.valueCount) : 0
    let end =
      wanted.map { min(layout.valueCount, start + $0 + rowsToSkip - start - builder.rowCount) } ?? layout.valueCount
    guard start > 0 || end < layout.valueCount else { return nil }
    rowsToSkip -= start
    return start..<max(start, end)
  }

  private func append(
    _ layout: PageLayout, _ levels: Buffer, _ body: borrowing BufferBuilder, _ window: Range<Int>?, _ limit: Int,
    _ work: inout PageWork
  ) throws(ParquetError) {
    try append(layout, levels, body.bytes, window, limit, &work)
  }

  private func append(
    _ layout: PageLayout, _ levels: Buffer, _ body: RawSpan, _ window: Range<Int>?, _ limit: Int,
    _ work: inout PageWork
  ) throws(ParquetError) {
    let page = LeafBuilder.Page(layout, levels: levels.bytes, body: body)
    try builder.append(page, window: window, limit: limit, work: &work)
  }

  /// Checks the page's sizes against the limits, and its checksum.
  private func requirePage(_ page: StoredPage, decoded: Int) throws(ParquetError) {
    let size = max(page.header.uncompressedByteCount, decoded)
    guard size <= options.pageByteLimit else {
      throw ParquetError(.limitExceeded("page", value: size, limit: options.pageByteLimit))
    }
    if options.verifiesChecksums { try page.verifyChecksum() }
  }

  private func requireStored(_ page: StoredPage) throws(ParquetError) {
    guard page.body.byteCount == page.header.uncompressedByteCount else {
      throw ParquetError(
        .countMismatch(
          "bytes in an uncompressed page", expected: page.header.uncompressedByteCount,
          actual: page.body.byteCount))
    }
  }
}
