import Arrow
import Buffers

extension LeafBuilder {
  func requireNone(_ page: PageValues) throws(ParquetError) {
    guard page.count == 0 else {
      throw ParquetError(.countMismatch("values in a column of nulls", expected: 0, actual: page.count))
    }
  }

  static func decodeBooleans(
    _ page: PageValues, _ bytes: RawSpan, to bits: inout BitmapBuilder
  ) throws(ParquetError) {
    switch page.encoding {
    case .plain: try PlainDecoder.appendBooleans(bytes, count: page.count, to: &bits)
    case .rle:
      guard page.count > 0 else { return }
      var cursor = ByteCursor(bytes)
      let length = try cursor.length(of: "RLE booleans")
      var runs = RunLengthDecoder(try cursor.take(length, of: "RLE booleans"), width: 1)
      try runs.appendBits(count: page.count, to: &bits)
    default: throw ParquetError(.unsupportedEncoding(Int(page.encoding.rawValue)))
    }
  }

  static func decodeFixed(
    _ page: PageValues, _ bytes: RawSpan, _ dictionary: LeafDictionary?, _ source: LeafSource,
    to output: inout BufferBuilder, _ scratch: inout DecoderScratch
  ) throws(ParquetError) {
    guard page.encoding.isDictionary else {
      return try FixedValueDecoder(source.leaf, source.layout).append(page, bytes, to: &output, scratch: &scratch)
    }
    let dictionary = try require(dictionary)
    try decodeIndices(page, bytes, limit: dictionary.count, to: &scratch.indices)
    DictionaryDecoder.gather(
      scratch.indices.bytes.extracting(page.skipped * 4..<scratch.indices.byteCount), count: page.count,
      from: dictionary.values, width: source.layout.width, to: &output)
  }

  static func decodeByteArrays(
    _ page: PageValues, _ bytes: RawSpan, _ dictionary: LeafDictionary?, _ limit: Int, ends: inout BufferBuilder,
    data: inout BufferBuilder, _ scratch: inout DecoderScratch
  ) throws(ParquetError) {
    guard page.encoding.isDictionary else {
      let skipped = page.skipped == 0 ? 0 : try PlainDecoder.byteCount(ofArrays: page.skipped, in: bytes)
      return try ByteArrayDecoder.append(
        page.encoding, bytes.extracting(skipped..<bytes.byteCount), count: page.count, ends: &ends, data: &data,
        limit: limit, longs: &scratch.longs)
    }
    let dictionary = try require(dictionary)
    try decodeIndices(page, bytes, limit: dictionary.count, to: &scratch.indices)
    try DictionaryDecoder.gatherByteArrays(
      scratch.indices.bytes.extracting(page.skipped * 4..<scratch.indices.byteCount), count: page.count,
      offsets: dictionary.offsets, values: dictionary.values, ends: &ends, data: &data, limit: limit)
  }

  private static func require(_ dictionary: LeafDictionary?) throws(ParquetError) -> LeafDictionary {
    guard let dictionary else {
      throw ParquetError(.malformed("column chunk: dictionary indices without a dictionary"))
    }
    return dictionary
  }

  /// Leaves the indices of the page's values, and of those skipped, in `indices`.
  private static func decodeIndices(
    _ page: PageValues, _ bytes: RawSpan, limit: Int, to indices: inout BufferBuilder
  ) throws(ParquetError) {
    indices.truncate(to: 0)
    guard page.count > 0 else { return indices.append(zeroes: page.skipped * 4) }
    try DictionaryDecoder.appendIndices(bytes, count: page.skipped + page.count, limit: limit, to: &indices)
  }

  // MARK: Dictionary arrays

  /// Leaves the page's indices, those skipped before them, in `scratch.indices`; values that a page stores themselves
  /// join the dictionary.
  mutating func decodeIndices(
    _ page: PageValues, _ bytes: RawSpan, _ limit: Int, _ scratch: inout DecoderScratch
  ) throws(ParquetError) {
    if page.encoding.isDictionary {
      let dictionary = try Self.require(dictionary)
      return try Self.decodeIndices(page, bytes, limit: dictionary.count, to: &scratch.indices)
    }
    if grownDictionary.ends.byteCount == 0 { seedGrownDictionary() }
    let known = grownDictionary.ends.byteCount / 4 - 1
    try ByteArrayDecoder.append(
      page.encoding, bytes, count: page.count, ends: &grownDictionary.ends, data: &grownDictionary.data,
      limit: limit, longs: &scratch.longs)
    scratch.indices.truncate(to: 0)
    for index in known..<known + page.count { scratch.indices.append(Int32(truncatingIfNeeded: index)) }
  }

  private mutating func seedGrownDictionary() {
    guard let dictionary else { return grownDictionary.ends.append(Int32(0)) }
    grownDictionary.ends.append(dictionary.offsets)
    grownDictionary.data.append(dictionary.values)
  }

  func dictionaryValues() -> ArrowArray {
    let type = leaf.arrowType
    guard grownDictionary.ends.byteCount == 0 else {
      let offsets = Buffer(copying: grownDictionary.ends.bytes)
      return ArrowArray(
        type, count: offsets.byteCount / 4 - 1,
        storage: .variable(offsets: offsets, data: Buffer(copying: grownDictionary.data.bytes)))
    }
    guard let dictionary else { return ArrowArray(nulls: type, count: 0) }
    return ArrowArray(
      type, count: dictionary.count, storage: .variable(offsets: dictionary.offsets, data: dictionary.values))
  }
}

extension Encoding {
  /// Whether a data page holds indices into the chunk's dictionary.
  var isDictionary: Bool { self == .plainDictionary || self == .rleDictionary }
}
