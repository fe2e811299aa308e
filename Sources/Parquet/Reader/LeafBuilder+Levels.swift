import Buffers

extension LeafBuilder {
  mutating func appendRepetitionLevels(
    _ layout: PageLayout, _ levels: RawSpan, _ cursor: inout ByteCursor
  ) throws(ParquetError) {
    let first = repetitionLevels.byteCount
    let range = layout.repetitionLevelByteCount.map { 0..<$0 }
    try Self.decodeLevels(
      levels, range, layout.repetitionLevelEncoding, count: layout.valueCount, max: leaf.maxRepetitionLevel, &cursor,
      to: &repetitionLevels)
    if first == 0, layout.valueCount > 0, (unsafe repetitionLevels.bytes.unsafeLoad(as: UInt8.self)) != 0 {
      throw ParquetError(.malformed("repetition levels: they begin inside a row"))
    }
    let inside = LevelKernels.count(
      repetitionLevels.bytes.extracting(first..<repetitionLevels.byteCount), atLeast: 1)
    rowCount += layout.valueCount - inside
  }

  func decodeDefinitionLevels(
    _ layout: PageLayout, _ levels: RawSpan, _ cursor: inout ByteCursor, to output: inout BufferBuilder
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
}
