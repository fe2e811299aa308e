import Arrow
import Buffers

/// Encodes and compresses the pages of a column chunk, and finds out which encoding serves it best.
///
/// The first page is written in every encoding that its type allows; the smallest stays. A column whose values repeat is
/// also written through a dictionary for `trialPageCount` pages, both results being kept until the better is known. A
/// dictionary that outgrows its limit is left there, and the chunk goes on without it. What the column's first chunk
/// showed serves the later ones: measuring costs as much as up to `trialPageCount` pages. Last it is seen whether zstd
/// may leave out what takes most of its time, the codes for single bytes: for noise, and what is packed to bits already.
struct PageEncoder: ~Copyable {
  private static let trialPageCount = 5
  /// The share of distinct values in the first page above which a dictionary is not tried.
  private static let distinctShare = 0.8
  /// The largest page that is looked up in a dictionary.
  private static let dictionaryPageByteCount = 64 << 20
  /// Of pages twice as large only so many bytes are measured.
  private static let sampleByteCount = 64 << 10
  /// zstd's level without codes for single bytes, and by how many hundredths it may make pages larger.
  private static let lightLevel = -1
  private static let lightAllowance = 2

  private enum Strategy {
    case measuring
    /// Both through the dictionary and as `direct` says.
    case trial
    case dictionary
    case single
  }

  /// How pages without a dictionary are made.
  private struct Plan {
    var encoding: Encoding
    /// Whether repeated lists are looked for, in the place of all that zstd would find.
    var findsRepeats = false
    var level: Int
  }

  private let column: LeafColumn
  private let width: Int
  private let options: LeafOptions
  private var strategy = Strategy.measuring
  /// The plan for pages without a dictionary.
  private var direct: Plan
  private var dictionary: DictionaryEncoder
  /// Of pages that have numbers.
  private var numberedLevel: Int
  private var pages: [EncodedPage] = []
  /// What the trial wrote through the dictionary.
  private var dictionaryPages: [EncodedPage] = []
  /// Of the pages that still have theirs.
  private(set) var byteCount = 0

  init(_ column: LeafColumn, width: Int, options: LeafOptions) {
    self.column = column
    self.width = width
    self.options = options
    dictionary = DictionaryEncoder(width: width)
    let isForced = options.encoding == .rleDictionary
    strategy = isForced ? .dictionary : .measuring
    direct = Plan(encoding: isForced ? .plain : options.encoding ?? .plain, level: options.level)
    numberedLevel = options.level
  }

  /// The encodings worth measuring, the cheapest to decode first.
  private var candidates: [Encoding] {
    if let encoding = options.encoding { return [encoding] }
    let suitable: [Encoding] =
      switch column.physicalType {
      case .boolean: [.plain, .rle]
      case .int32, .int64: [.plain, .deltaBinaryPacked, .byteStreamSplit]
      case .float, .double: [.plain, .byteStreamSplit]
      // DuckDB reads no BYTE_STREAM_SPLIT of fixed-length byte arrays.
      case .fixedLenByteArray: [.plain, .deltaByteArray]
      case .byteArray: [.plain, .deltaLengthByteArray, .deltaByteArray]
      case .int96: [.plain]
      }
    return suitable.filter { $0 == .plain || !options.avoidedEncodings.contains($0) }
  }

  // MARK: Pages

  /// Of the chunk's last page, as it is stored; the smaller one where two are made. Nil before the first that decides.
  var lastPageByteCount: Int? {
    switch strategy {
    case .measuring: nil
    case .trial: min(pages.last!.byteCount, dictionaryPages.last!.byteCount)
    case .dictionary, .single: pages.last?.byteCount
    }
  }

  /// Encodes a page whose levels are closed.
  mutating func encode(
    _ page: borrowing LeafPage, using context: inout ParquetEncoderContext
  ) throws(ParquetError) {
    try encode(page.values, page.levels, page.slotCount, &context)
  }

  private mutating func encode(
    _ values: borrowing LeafValues, _ levels: borrowing BufferBuilder, _ slotCount: Int,
    _ context: inout ParquetEncoderContext
  ) throws(ParquetError) {
    if values.byteCount > Self.dictionaryPageByteCount { try abandonDictionary(&context) }
    switch strategy {
    case .measuring: try measure(values, levels, slotCount, &context)
    case .trial:
      try keep(page(values, levels, direct, slotCount, &context))
      number(values, &context)
      dictionaryPages.append(try numberedPage(levels, slotCount, &context))
      if dictionaryPages.count == Self.trialPageCount || isDictionaryLarger { try settle(&context) }
    case .dictionary where values.count == 0: try keep(page(values, levels, direct, slotCount, &context))
    case .dictionary:
      number(values, &context)
      try keep(numberedPage(levels, slotCount, &context))
      if dictionary.byteCount > options.dictionaryByteCount { strategy = .single }
    case .single: try keep(page(values, levels, direct, slotCount, &context))
    }
  }

  private mutating func keep(_ page: EncodedPage) {
    pages.append(page)
    byteCount += page.byteCount
  }

  private mutating func measure(
    _ values: borrowing LeafValues, _ levels: borrowing BufferBuilder, _ slotCount: Int,
    _ context: inout ParquetEncoderContext
  ) throws(ParquetError) {
    // A page of nulls decides nothing.
    guard values.count > 0 else { return try keep(page(values, levels, direct, slotCount, &context)) }
    if values.byteCount > 2 * Self.sampleByteCount, width > 0 {
      _ = try best(values.prefix(byteCount: Self.sampleByteCount), BufferBuilder(), slotCount, &context)
      try keep(page(values, levels, direct, slotCount, &context))
    } else {
      try keep(best(values, levels, slotCount, &context))
    }
    strategy = .single
    if options.usesDictionary, values.byteCount <= Self.dictionaryPageByteCount {
      try beginTrial(values, levels, slotCount, &context)
    }
  }

  /// Sets `direct` to the plan under which the values become smallest, and answers their page.
  private mutating func best(
    _ values: borrowing LeafValues, _ levels: borrowing BufferBuilder, _ slotCount: Int,
    _ context: inout ParquetEncoderContext
  ) throws(ParquetError) -> EncodedPage {
    var smallest: EncodedPage?
    for encoding in candidates {
      for findsRepeats in values.areLists ? [true, false] : [false] {
        let plan = Plan(encoding: encoding, findsRepeats: findsRepeats, level: options.level)
        let page = try page(values, levels, plan, slotCount, &context)
        if let smallest, page.byteCount * 100 >= smallest.byteCount * 98 { continue }
        smallest = page
        direct = plan
      }
    }
    guard triesLightLevel else { return smallest! }
    var plan = direct
    plan.level = Self.lightLevel
    let light = try page(values, levels, plan, slotCount, &context)
    guard Self.isLight(light, besides: smallest!) else { return smallest! }
    direct = plan
    return light
  }

  private var triesLightLevel: Bool { options.codec == .zstd && options.level > Self.lightLevel }

  private static func isLight(_ light: EncodedPage, besides page: EncodedPage) -> Bool {
    light.byteCount * 100 <= page.byteCount * (100 + lightAllowance)
  }

  private mutating func beginTrial(
    _ values: borrowing LeafValues, _ levels: borrowing BufferBuilder, _ slotCount: Int,
    _ context: inout ParquetEncoderContext
  ) throws(ParquetError) {
    number(values, &context)
    guard Double(dictionary.count) <= Double(values.count) * Self.distinctShare else {
      dictionary = DictionaryEncoder(width: width)
      return
    }
    strategy = .trial
    dictionaryPages = pages.dropLast()
    dictionaryPages.append(try firstNumberedPage(levels, slotCount, &context))
    if isDictionaryLarger { try settle(&context) }
  }

  /// A page of the numbers that `context` holds; sets the level for those to come.
  private mutating func firstNumberedPage(
    _ levels: borrowing BufferBuilder, _ slotCount: Int, _ context: inout ParquetEncoderContext
  ) throws(ParquetError) -> EncodedPage {
    let page = try numberedPage(levels, slotCount, &context)
    guard triesLightLevel else { return page }
    numberedLevel = Self.lightLevel
    let light = try numberedPage(levels, slotCount, &context)
    if Self.isLight(light, besides: page) { return light }
    numberedLevel = options.level
    return page
  }

  /// Whether the dictionary has lost before its own page is counted.
  private var isDictionaryLarger: Bool {
    dictionaryPages.reduce(0) { $0 + $1.byteCount } > pages.reduce(0) { $0 + $1.byteCount }
  }

  /// Ends the trial: keeps the pages of the better way.
  private mutating func settle(_ context: inout ParquetEncoderContext) throws(ParquetError) {
    let dictionaryPage = try dictionaryPage(&context)
    let numbered = dictionaryPages.reduce(dictionaryPage.byteCount) { $0 + $1.byteCount }
    let directly = pages.reduce(0) { $0 + $1.byteCount }
    // A point read pays for the whole dictionary, so a large one must be worth it.
    let isSmall = dictionary.byteCount <= 16 << 10
    if isSmall ? numbered <= directly : numbered * 10 <= directly * 9 {
      strategy = .dictionary
      pages = dictionaryPages
      byteCount = numbered - dictionaryPage.byteCount
    } else {
      strategy = .single
      dictionary = DictionaryEncoder(width: width)
    }
    dictionaryPages = []
  }

  /// Goes on without the dictionary; pages that use it stay.
  private mutating func abandonDictionary(_ context: inout ParquetEncoderContext) throws(ParquetError) {
    switch strategy {
    case .measuring, .single: break
    case .trial:
      try settle(&context)
      strategy = .single
    case .dictionary: strategy = .single
    }
  }

  /// The chunk's pages; this encoder starts anew.
  mutating func finish(using context: inout ParquetEncoderContext) throws(ParquetError) -> EncodedChunk {
    if case .trial = strategy { try settle(&context) }
    let dictionaryPage = dictionary.count > 0 ? try dictionaryPage(&context) : nil
    let chunk = EncodedChunk(dictionary: dictionaryPage, pages: pages)
    if dictionary.count > 0 { strategy = .dictionary }
    dictionary = DictionaryEncoder(width: width)
    (pages, byteCount) = ([], 0)
    return chunk
  }

  // MARK: Encoding

  private func page(
    _ values: borrowing LeafValues, _ levels: borrowing BufferBuilder, _ plan: Plan, _ slotCount: Int,
    _ context: inout ParquetEncoderContext
  ) throws(ParquetError) -> EncodedPage {
    context.body.truncate(to: 0)
    context.body.append(levels.bytes)
    values.encode(as: plan.encoding, column.physicalType, using: &context)
    let findsRepeats = plan.findsRepeats && values.areLists
    if findsRepeats {
      context.repeats.find(
        levels: levels.bytes, lists: values.lists, streamCount: plan.encoding == .byteStreamSplit ? width : 1)
    }
    return try compressed(Self.kind(plan.encoding, slotCount), plan.encoding, plan.level, findsRepeats, &context)
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
    return try compressed(Self.kind(.rleDictionary, slotCount), .rleDictionary, numberedLevel, false, &context)
  }

  private func dictionaryPage(_ context: inout ParquetEncoderContext) throws(ParquetError) -> EncodedPage {
    context.body.truncate(to: 0)
    dictionary.encodeValues(into: &context.body)
    return try compressed(
      .dictionary(valueCount: dictionary.count, encoding: .plain, isSorted: false), .plain, options.level, false,
      &context)
  }

  private static func kind(_ encoding: Encoding, _ slotCount: Int) -> PageHeader.Kind {
    .data(
      valueCount: slotCount, encoding: encoding, definitionLevelEncoding: .rle, repetitionLevelEncoding: .rle)
  }

  private func compressed(
    _ kind: PageHeader.Kind, _ encoding: Encoding, _ level: Int, _ findsRepeats: Bool,
    _ context: inout ParquetEncoderContext
  ) throws(ParquetError) -> EncodedPage {
    guard context.body.byteCount <= Int(Int32.max) else {
      throw ParquetError(
        .limitExceeded("page", value: context.body.byteCount, limit: Int(Int32.max)), column: column.name)
    }
    let compressor = try context.compressor(options.codec, level: level)
    if findsRepeats {
      try compressor.compress(context.body.bytes, context.repeats)
    } else {
      try compressor.compress(context.body.bytes)
    }
    return EncodedPage(
      kind, encoding: encoding, uncompressedByteCount: context.body.byteCount, packed: compressor.output.bytes)
  }
}

/// The pages of a chunk.
struct EncodedChunk {
  let dictionary: EncodedPage?
  let pages: [EncodedPage]
}
