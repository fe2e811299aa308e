import Arrow
import Buffers

/// Encodes and compresses the pages of a column chunk, and finds out which encoding serves it best.
///
/// The first page is written in every encoding that its type allows; the smallest stays. A column whose values repeat is
/// also written through a dictionary for `trialPageCount` pages, both results being kept until the better is known. A
/// dictionary that outgrows its limit is left there, and the chunk goes on without it.
struct PageEncoder: ~Copyable {
  private static let trialPageCount = 8
  /// The share of distinct values in the first page above which a dictionary is not tried.
  private static let distinctShare = 0.7

  private enum Strategy {
    case measuring
    /// Both through the dictionary and in `plain`.
    case trial
    case dictionary
    case single
  }

  private let column: LeafColumn
  private let width: Int
  private let options: LeafOptions
  private var strategy = Strategy.measuring
  /// The best encoding without a dictionary.
  private var direct: Encoding
  private var dictionary: DictionaryEncoder
  private var pages: [EncodedPage] = []
  /// What the trial wrote through the dictionary.
  private var dictionaryPages: [EncodedPage] = []
  private(set) var byteCount = 0

  init(_ column: LeafColumn, width: Int, options: LeafOptions) {
    self.column = column
    self.width = width
    self.options = options
    direct = options.encoding ?? .plain
    dictionary = DictionaryEncoder(width: width)
  }

  /// The encodings worth measuring, the cheapest to decode first.
  private var candidates: [Encoding] {
    if let encoding = options.encoding { return [encoding] }
    return switch column.physicalType {
    case .boolean: [.plain, .rle]
    case .int32, .int64: [.plain, .deltaBinaryPacked, .byteStreamSplit]
    case .float, .double: [.plain, .byteStreamSplit]
    // DuckDB reads no BYTE_STREAM_SPLIT of fixed-length byte arrays.
    case .fixedLenByteArray: [.plain, .deltaByteArray]
    case .byteArray: [.plain, .deltaLengthByteArray, .deltaByteArray]
    case .int96: [.plain]
    }
  }

  // MARK: Pages

  /// Encodes a page; `levels` stand before its values.
  mutating func encode(
    _ values: borrowing LeafValues, levels: borrowing BufferBuilder, slotCount: Int,
    using context: inout ParquetEncoderContext
  ) throws(ParquetError) {
    switch strategy {
    case .measuring: try measure(values, levels, slotCount, &context)
    case .trial:
      try keep(page(values, levels, direct, slotCount, &context))
      number(values, &context)
      dictionaryPages.append(try numberedPage(levels, slotCount, &context))
      if dictionaryPages.count == Self.trialPageCount { try settle(&context) }
    case .dictionary:
      number(values, &context)
      try keep(numberedPage(levels, slotCount, &context))
      if dictionary.byteCount > options.dictionaryByteCount { strategy = .single }
    case .single: try keep(page(values, levels, direct, slotCount, &context))
    }
  }

  private mutating func keep(_ page: EncodedPage) {
    pages.append(page)
    byteCount += page.bytes.byteCount
  }

  private mutating func measure(
    _ values: borrowing LeafValues, _ levels: borrowing BufferBuilder, _ slotCount: Int,
    _ context: inout ParquetEncoderContext
  ) throws(ParquetError) {
    let candidates = values.count == 0 ? [direct] : candidates
    var best = try page(values, levels, candidates[0], slotCount, &context)
    for encoding in candidates.dropFirst() {
      let page = try page(values, levels, encoding, slotCount, &context)
      if page.bytes.byteCount * 100 < best.bytes.byteCount * 98 { best = page }
    }
    direct = best.encoding
    keep(best)
    // A page of nulls decides nothing.
    if values.count == 0 { return }
    strategy = .single
    guard options.usesDictionary else { return }
    number(values, &context)
    if Double(dictionary.count) > Double(values.count) * Self.distinctShare {
      dictionary = DictionaryEncoder(width: width)
    } else {
      strategy = .trial
      for page in pages.dropLast() { dictionaryPages.append(page) }
      dictionaryPages.append(try numberedPage(levels, slotCount, &context))
    }
  }

  /// Ends the trial: keeps the pages of the better way.
  private mutating func settle(_ context: inout ParquetEncoderContext) throws(ParquetError) {
    let dictionaryPage = try dictionaryPage(&context)
    let numbered = dictionaryPages.reduce(dictionaryPage.bytes.byteCount) { $0 + $1.bytes.byteCount }
    let directly = pages.reduce(0) { $0 + $1.bytes.byteCount }
    // A point read pays for the whole dictionary, so a large one must be worth it.
    let isSmall = dictionary.byteCount <= 16 << 10
    if isSmall ? numbered <= directly : numbered * 10 <= directly * 9 {
      strategy = .dictionary
      pages = dictionaryPages
      byteCount = numbered - dictionaryPage.bytes.byteCount
    } else {
      strategy = .single
      dictionary = DictionaryEncoder(width: width)
    }
    dictionaryPages = []
  }

  /// The chunk's pages; this encoder starts anew.
  mutating func finish(using context: inout ParquetEncoderContext) throws(ParquetError) -> EncodedChunk {
    if case .trial = strategy { try settle(&context) }
    let dictionaryPage = dictionary.count > 0 ? try dictionaryPage(&context) : nil
    let chunk = EncodedChunk(dictionary: dictionaryPage, pages: pages)
    strategy = .measuring
    dictionary = DictionaryEncoder(width: width)
    direct = options.encoding ?? .plain
    pages = []
    byteCount = 0
    return chunk
  }

  // MARK: Encoding

  private func page(
    _ values: borrowing LeafValues, _ levels: borrowing BufferBuilder, _ encoding: Encoding, _ slotCount: Int,
    _ context: inout ParquetEncoderContext
  ) throws(ParquetError) -> EncodedPage {
    context.body.truncate(to: 0)
    context.body.append(levels.bytes)
    encode(values, encoding, &context)
    return try compressed(Self.kind(encoding, slotCount), encoding, &context)
  }

  private func encode(_ values: borrowing LeafValues, _ encoding: Encoding, _ context: inout ParquetEncoderContext) {
    switch (encoding, column.physicalType) {
    case (.plain, .boolean): context.body.append(bits: values.bytes)
    case (.rle, _):
      for index in 0..<values.count {
        context.runs.append(UInt32(unsafe values.bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)))
      }
      context.runs.finish(into: &context.body, hasByteCount: true)
    case (.plain, .byteArray): values.withByteArrays { PlainByteArrayEncoder.encode($0, into: &context.body) }
    case (.deltaLengthByteArray, _):
      values.withByteArrays { DeltaLengthByteArrayEncoder.encode($0, into: &context.body) }
    case (.deltaByteArray, .byteArray):
      values.withByteArrays { DeltaByteArrayEncoder.encode($0, into: &context.body) }
    case (.deltaByteArray, _): encodeFixedDeltas(values, &context)
    case (.deltaBinaryPacked, .int32):
      values.withSpan(of: Int32.self) { DeltaBinaryPackedEncoder.encode($0, into: &context.body) }
    case (.deltaBinaryPacked, _):
      values.withSpan(of: Int64.self) { DeltaBinaryPackedEncoder.encode($0, into: &context.body) }
    case (.byteStreamSplit, _): ByteStreamSplitEncoder.encode(values.bytes, width: width, into: &context.body)
    default: context.body.append(values.bytes)
    }
  }

  private func encodeFixedDeltas(_ values: borrowing LeafValues, _ context: inout ParquetEncoderContext) {
    var ends = [Int32](repeating: 0, count: values.count)
    for index in ends.indices { ends[index] = Int32((index + 1) * width) }
    DeltaByteArrayEncoder.encode(ByteArrays(ends: ends.span, data: values.bytes), into: &context.body)
  }

  private mutating func number(_ values: borrowing LeafValues, _ context: inout ParquetEncoderContext) {
    context.numbers.truncate(to: 0)
    if width > 0 {
      dictionary.encode(fixed: values.bytes, into: &context.numbers)
    } else {
      values.withByteArrays { dictionary.encode($0, into: &context.numbers) }
    }
  }

  /// A page of the numbers that `context` holds.
  private func numberedPage(
    _ levels: borrowing BufferBuilder, _ slotCount: Int, _ context: inout ParquetEncoderContext
  ) throws(ParquetError) -> EncodedPage {
    let bitWidth = max(1, RunLengthEncoder.width(for: dictionary.count - 1))
    context.body.truncate(to: 0)
    context.body.append(levels.bytes)
    context.body.append(UInt8(bitWidth))
    context.runs.reset(width: bitWidth)
    let count = context.numbers.byteCount / 4
    for index in 0..<count {
      let number = unsafe context.numbers.bytes.unsafeLoad(fromByteOffset: index &* 4, as: UInt32.self)
      context.runs.append(number)
    }
    context.runs.finish(into: &context.body, width: 1)
    return try compressed(Self.kind(.rleDictionary, slotCount), .rleDictionary, &context)
  }

  private func dictionaryPage(_ context: inout ParquetEncoderContext) throws(ParquetError) -> EncodedPage {
    context.body.truncate(to: 0)
    dictionary.encodeValues(into: &context.body)
    return try compressed(
      .dictionary(valueCount: dictionary.count, encoding: .plain, isSorted: false), .plain, &context)
  }

  private static func kind(_ encoding: Encoding, _ slotCount: Int) -> PageHeader.Kind {
    .data(
      valueCount: slotCount, encoding: encoding, definitionLevelEncoding: .rle, repetitionLevelEncoding: .rle)
  }

  private func compressed(
    _ kind: PageHeader.Kind, _ encoding: Encoding, _ context: inout ParquetEncoderContext
  ) throws(ParquetError) -> EncodedPage {
    guard context.body.byteCount <= Int(Int32.max) else {
      throw ParquetError(
        .limitExceeded("page", value: context.body.byteCount, limit: Int(Int32.max)), column: column.name)
    }
    let compressor = try context.compressor(options.codec, level: options.level)
    try compressor.compress(context.body.bytes)
    return EncodedPage(
      kind, encoding: encoding, uncompressedByteCount: context.body.byteCount, packed: compressor.output.bytes)
  }
}

/// The pages of a chunk.
struct EncodedChunk {
  let dictionary: EncodedPage?
  let pages: [EncodedPage]
}

extension LeafValues {
  func withSpan<Value: BitwiseCopyable>(of type: Value.Type, _ body: (Span<Value>) -> Void) {
    unsafe bytes.withUnsafeBytes { bytes in
      body(unsafe Span<Value>(_unsafeElements: bytes.assumingMemoryBound(to: Value.self)))
    }
  }
}

extension BufferBuilder {
  /// Booleans of a byte each as a bit each, lowest first.
  mutating func append(bits: RawSpan) {
    var byte: UInt8 = 0
    for index in 0..<bits.byteCount {
      byte |= (unsafe bits.unsafeLoad(fromByteOffset: index, as: UInt8.self)) &<< UInt8(index & 7)
      if index & 7 == 7 {
        append(byte)
        byte = 0
      }
    }
    if bits.byteCount & 7 != 0 { append(byte) }
  }
}
