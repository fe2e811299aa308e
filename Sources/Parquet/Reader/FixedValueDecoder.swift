import Buffers

/// Decodes the values of a leaf whose Arrow type has a fixed width, from any encoding but the dictionary's.
struct FixedValueDecoder {
  private let leaf: LeafColumn
  private let layout: ValueLayout

  init(_ leaf: LeafColumn, _ layout: ValueLayout) {
    self.leaf = leaf
    self.layout = layout
  }

  /// Appends the wanted values of a page, in the layout's width.
  func append(
    _ page: PageValues, _ bytes: RawSpan, to output: inout BufferBuilder, scratch: inout DecoderScratch
  ) throws(ParquetError) {
    if case .fixed = layout {
      return try appendStored(
        page, bytes, to: &output, longs: &scratch.longs, prefix: &scratch.prefix, values: &scratch.byteArrays)
    }
    if leaf.physicalType == .byteArray {
      return try appendByteArrayDecimals(page.encoding, bytes, count: page.count, to: &output, scratch: &scratch)
    }
    scratch.stored.truncate(to: 0)
    try appendStored(
      page, bytes, to: &scratch.stored, longs: &scratch.longs, prefix: &scratch.prefix, values: &scratch.byteArrays)
    try convert(scratch.stored.bytes, count: page.count, to: &output)
  }

  // MARK: As stored

  private func appendStored(
    _ page: PageValues, _ bytes: RawSpan, to output: inout BufferBuilder, longs: inout BufferBuilder,
    prefix: inout BufferBuilder, values: inout ByteArrayScratch
  ) throws(ParquetError) {
    let width = leaf.physicalType.byteWidth ?? leaf.typeLength
    switch (page.encoding, leaf.physicalType) {
    case (.plain, _):
      var cursor = ByteCursor(bytes)
      _ = try cursor.take(page.skipped * width, of: "PLAIN values")
      try PlainDecoder.appendFixed(cursor.rest(), width: width, count: page.count, to: &output)
    case (.byteStreamSplit, .int32), (.byteStreamSplit, .int64), (.byteStreamSplit, .float),
      (.byteStreamSplit, .double), (.byteStreamSplit, .fixedLenByteArray):
      try ByteStreamSplitDecoder.append(page, bytes, width: width, to: &output)
    case (.deltaBinaryPacked, .int32):
      try appendDeltas(page, bytes, as: Int32.self, to: &output, longs: &longs, prefix: &prefix)
    case (.deltaBinaryPacked, .int64):
      try appendDeltas(page, bytes, as: Int64.self, to: &output, longs: &longs, prefix: &prefix)
    case (.deltaByteArray, .fixedLenByteArray):
      try appendPrefixed(bytes, width: width, count: page.count, to: &output, longs: &longs, values: &values)
    default: throw ParquetError(.unsupportedEncoding(Int(page.encoding.rawValue)))
    }
  }

  /// Of what comes after the wanted values nothing is decoded; what comes before them is left in `prefix`.
  private func appendDeltas<Value: FixedWidthInteger & BitwiseCopyable>(
    _ page: PageValues, _ bytes: RawSpan, as type: Value.Type, to output: inout BufferBuilder,
    longs: inout BufferBuilder, prefix: inout BufferBuilder
  ) throws(ParquetError) {
    var cursor = ByteCursor(bytes)
    guard page.skipped > 0, page.count > 0 else {
      return try DeltaBinaryPackedDecoder.append(
        &cursor, count: page.count, of: page.total, as: type, to: &output, scratch: &longs)
    }
    prefix.truncate(to: 0)
    try DeltaBinaryPackedDecoder.append(
      &cursor, count: page.skipped + page.count, of: page.total, as: type, to: &prefix, scratch: &longs)
    output.append(prefix.bytes.extracting(page.skipped * MemoryLayout<Value>.stride..<prefix.byteCount))
  }

  private func appendPrefixed(
    _ bytes: RawSpan, width: Int, count: Int, to output: inout BufferBuilder, longs: inout BufferBuilder,
    values: inout ByteArrayScratch
  ) throws(ParquetError) {
    values.clear()
    try DeltaByteArrayDecoder.appendPrefixed(
      bytes, count: count, ends: &values.ends, data: &values.data, limit: count * width, longs: &longs)
    for index in 0..<count {
      let end = Int(unsafe values.ends.bytes.unsafeLoadUnaligned(fromByteOffset: index * 4, as: Int32.self))
      guard end == (index + 1) * width else {
        throw ParquetError(.countMismatch("bytes up to value \(index)", expected: (index + 1) * width, actual: end))
      }
    }
    output.append(values.data.bytes)
  }

  // MARK: Converted

  private func convert(_ stored: RawSpan, count: Int, to output: inout BufferBuilder) throws(ParquetError) {
    switch (layout, leaf.physicalType) {
    case (.narrowed(1), _): map(stored, count, &output) { (value: Int32) in UInt8(truncatingIfNeeded: value) }
    case (.narrowed, _): map(stored, count, &output) { (value: Int32) in UInt16(truncatingIfNeeded: value) }
    case (.int96, _): convertInt96(stored, count: count, to: &output)
    case (.decimal, .int32): map(stored, count, &output) { (value: Int32) in Int128(value) }
    case (.decimal, .int64): map(stored, count, &output) { (value: Int64) in Int128(value) }
    case (.decimal, _):
      let width = leaf.typeLength
      for index in 0..<count {
        output.append(try Self.decimal(stored.extracting(index * width..<(index + 1) * width)))
      }
    default: preconditionFailure("\(layout) is as stored")
    }
  }

  @inline(__always)
  private func map<From: BitwiseCopyable, To: BitwiseCopyable>(
    _ stored: RawSpan, _ count: Int, _ output: inout BufferBuilder, _ transform: (From) -> To
  ) {
    unsafe output.appendUnsafely(capacity: count * MemoryLayout<To>.stride) { room in
      unsafe stored.withUnsafeBytes { source in
        for index in 0..<count {
          let value = unsafe source.loadUnaligned(fromByteOffset: index &* MemoryLayout<From>.stride, as: From.self)
          unsafe room.storeBytes(
            of: transform(value), toByteOffset: index &* MemoryLayout<To>.stride, as: To.self)
        }
      }
      return count * MemoryLayout<To>.stride
    }
  }

  /// Nanoseconds of the day and the Julian day, to microseconds since 1970; beyond 292,000 years it wraps around.
  private func convertInt96(_ stored: RawSpan, count: Int, to output: inout BufferBuilder) {
    let (julianDayOfEpoch, microsPerDay) = (Int64(2_440_588), Int64(86_400_000_000))
    for index in 0..<count {
      let nanos = unsafe stored.unsafeLoadUnaligned(fromByteOffset: index * 12, as: Int64.self)
      let day = unsafe stored.unsafeLoadUnaligned(fromByteOffset: index * 12 + 8, as: Int32.self)
      output.append((Int64(day) &- julianDayOfEpoch) &* microsPerDay &+ nanos / 1_000)
    }
  }

  /// Two's complement, most significant byte first, of 1...16 bytes.
  private static func bigEndian(_ bytes: RawSpan) -> Int128 {
    var value = bytes.byteCount > 0 && (unsafe bytes.unsafeLoad(as: Int8.self)) < 0 ? Int128(-1) : 0
    for index in 0..<bytes.byteCount {
      value = value << 8 | Int128(unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
    }
    return value
  }

  private func appendByteArrayDecimals(
    _ encoding: Encoding, _ bytes: RawSpan, count: Int, to output: inout BufferBuilder,
    scratch: inout DecoderScratch
  ) throws(ParquetError) {
    scratch.byteArrays.clear()
    try ByteArrayDecoder.append(
      encoding, bytes, count: count, ends: &scratch.byteArrays.ends, data: &scratch.byteArrays.data,
      limit: max(bytes.byteCount, count * 64), longs: &scratch.longs)
    var start = 0
    for index in 0..<count {
      let end = Int(
        unsafe scratch.byteArrays.ends.bytes.unsafeLoadUnaligned(fromByteOffset: index * 4, as: Int32.self))
      output.append(try Self.decimal(scratch.byteArrays.data.bytes.extracting(start..<end)))
      start = end
    }
  }

  /// A number of any length whose value has 128 bits at most.
  private static func decimal(_ bytes: RawSpan) throws(ParquetError) -> Int128 {
    let excess = max(0, bytes.byteCount - 16)
    let value = bigEndian(bytes.extracting(excess..<bytes.byteCount))
    for index in 0..<excess {
      guard (unsafe bytes.unsafeLoad(fromByteOffset: index, as: Int8.self)) == (value < 0 ? -1 : 0) else {
        throw ParquetError(.limitExceeded("decimal bytes", value: bytes.byteCount, limit: 16))
      }
    }
    return value
  }
}

/// Decodes byte arrays from any encoding but the dictionary's.
enum ByteArrayDecoder {
  /// Appends the bytes of `count` values to `data`, up to `limit` bytes, and the Int32 offset of each one's end to
  /// `ends`.
  static func append(
    _ encoding: Encoding, _ bytes: RawSpan, count: Int, ends: inout BufferBuilder, data: inout BufferBuilder,
    limit: Int, longs: inout BufferBuilder
  ) throws(ParquetError) {
    switch encoding {
    case .plain: try PlainDecoder.appendByteArrays(bytes, count: count, ends: &ends, data: &data)
    case .deltaLengthByteArray:
      try DeltaByteArrayDecoder.appendLengthEncoded(bytes, count: count, ends: &ends, data: &data, longs: &longs)
    case .deltaByteArray:
      try DeltaByteArrayDecoder.appendPrefixed(
        bytes, count: count, ends: &ends, data: &data, limit: limit, longs: &longs)
    default: throw ParquetError(.unsupportedEncoding(Int(encoding.rawValue)))
    }
  }
}
