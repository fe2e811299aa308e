import Arrow
import Buffers

extension LeafBuilder {
  func requireNone(_ count: Int) throws(ParquetError) {
    guard count == 0 else {
      throw ParquetError(.countMismatch("values in a column of nulls", expected: 0, actual: count))
    }
  }

  static func decodeBooleans(
    _ encoding: Encoding, _ bytes: RawSpan, count: Int, to bits: inout BitmapBuilder
  ) throws(ParquetError) {
    switch encoding {
    case .plain: try PlainDecoder.appendBooleans(bytes, count: count, to: &bits)
    case .rle:
      guard count > 0 else { return }
      var cursor = ByteCursor(bytes)
      let length = try cursor.length(of: "RLE booleans")
      var runs = RunLengthDecoder(try cursor.take(length, of: "RLE booleans"), width: 1)
      try runs.appendBits(count: count, to: &bits)
    default: throw ParquetError(.unsupportedEncoding(Int(encoding.rawValue)))
    }
  }

  static func decodeFixed(
    _ encoding: Encoding, _ bytes: RawSpan, count: Int, _ dictionary: LeafDictionary?, _ leaf: LeafColumn,
    _ layout: ValueLayout, to output: inout BufferBuilder, _ scratch: inout DecoderScratch
  ) throws(ParquetError) {
    guard encoding.isDictionary else {
      return try FixedValueDecoder(leaf, layout).append(encoding, bytes, count: count, to: &output, scratch: &scratch)
    }
    let dictionary = try require(dictionary)
    scratch.indices.truncate(to: 0)
    try DictionaryDecoder.appendIndices(bytes, count: count, limit: dictionary.count, to: &scratch.indices)
    DictionaryDecoder.gather(
      scratch.indices.bytes, count: count, from: dictionary.values, width: layout.width, to: &output)
  }

  static func decodeByteArrays(
    _ encoding: Encoding, _ bytes: RawSpan, count: Int, _ dictionary: LeafDictionary?, _ limit: Int,
    ends: inout BufferBuilder, data: inout BufferBuilder, _ scratch: inout DecoderScratch
  ) throws(ParquetError) {
    guard encoding.isDictionary else {
      return try ByteArrayDecoder.append(
        encoding, bytes, count: count, ends: &ends, data: &data, limit: limit, longs: &scratch.longs)
    }
    let dictionary = try require(dictionary)
    scratch.indices.truncate(to: 0)
    try DictionaryDecoder.appendIndices(bytes, count: count, limit: dictionary.count, to: &scratch.indices)
    try DictionaryDecoder.gatherByteArrays(
      scratch.indices.bytes, count: count, offsets: dictionary.offsets, values: dictionary.values, ends: &ends,
      data: &data, limit: limit)
  }

  private static func require(_ dictionary: LeafDictionary?) throws(ParquetError) -> LeafDictionary {
    guard let dictionary else {
      throw ParquetError(.malformed("column chunk: dictionary indices without a dictionary"))
    }
    return dictionary
  }

  // MARK: Dictionary arrays

  /// Leaves the page's indices in `scratch.indices`; values that a page stores themselves join the dictionary.
  mutating func decodeIndices(
    _ encoding: Encoding, _ bytes: RawSpan, count: Int, _ limit: Int, _ scratch: inout DecoderScratch
  ) throws(ParquetError) {
    scratch.indices.truncate(to: 0)
    if encoding.isDictionary {
      let dictionary = try Self.require(dictionary)
      return try DictionaryDecoder.appendIndices(bytes, count: count, limit: dictionary.count, to: &scratch.indices)
    }
    if grownDictionary.ends.byteCount == 0 { seedGrownDictionary() }
    let known = grownDictionary.ends.byteCount / 4 - 1
    try ByteArrayDecoder.append(
      encoding, bytes, count: count, ends: &grownDictionary.ends, data: &grownDictionary.data, limit: limit,
      longs: &scratch.longs)
    for index in known..<known + count { scratch.indices.append(Int32(truncatingIfNeeded: index)) }
  }

  private mutating func seedGrownDictionary() {
    guard let dictionary else { return grownDictionary.ends.append(Int32(0)) }
    grownDictionary.ends.append(dictionary.offsets)
    grownDictionary.data.append(dictionary.values)
  }

  func dictionaryValues() -> ArrowArray {
    guard grownDictionary.ends.byteCount == 0 else {
      let offsets = Buffer(copying: grownDictionary.ends.bytes)
      return ArrowArray(
        leaf.arrowType, count: offsets.byteCount / 4 - 1,
        storage: .variable(offsets: offsets, data: Buffer(copying: grownDictionary.data.bytes)))
    }
    guard let dictionary else { return ArrowArray(nulls: leaf.arrowType, count: 0) }
    return ArrowArray(
      leaf.arrowType, count: dictionary.count,
      storage: .variable(offsets: dictionary.offsets, data: dictionary.values))
  }
}

extension Encoding {
  /// Whether a data page holds indices into the chunk's dictionary.
  var isDictionary: Bool { self == .plainDictionary || self == .rleDictionary }
}
