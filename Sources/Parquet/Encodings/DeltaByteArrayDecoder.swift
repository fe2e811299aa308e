import Buffers

//     DELTA_LENGTH_BYTE_ARRAY ::= deltas of the lengths, the bytes of all values
//     DELTA_BYTE_ARRAY        ::= deltas of the prefix lengths, DELTA_LENGTH_BYTE_ARRAY of the suffixes

/// Decodes byte arrays whose lengths, and perhaps common prefixes, are stored apart from their bytes.
/// - Source: Parquet `Encodings.md`, "Delta-length byte array" and "Delta Strings".
enum DeltaByteArrayDecoder {
  /// Appends the bytes of `count` values to `data` and the Int32 offset of each one's end to `ends`.
  static func appendLengthEncoded(
    _ bytes: RawSpan, count: Int, ends: inout BufferBuilder, data: inout BufferBuilder, longs: inout BufferBuilder
  ) throws(ParquetError) {
    guard count > 0 else { return }
    var cursor = ByteCursor(bytes)
    let first = ends.byteCount / 4
    try DeltaBinaryPackedDecoder.append(
      &cursor, count: count, as: Int32.self, to: &ends, scratch: &longs)
    let values = cursor.rest()
    let base = data.byteCount
    try requireLengths(ends.bytes, from: first, count: count, within: values.byteCount)
    try PlainDecoder.requireOffsets(base + values.byteCount)
    var end = Int32(base)
    ends.withMutableSpan(of: Int32.self) { ends in
      for index in first..<first + count {
        end &+= ends[index]
        ends[index] = end
      }
    }
    data.append(values.extracting(0..<Int(end) - base))
  }

  /// Checks that no length is negative and that they add up to `limit` at most.
  private static func requireLengths(
    _ lengths: RawSpan, from first: Int, count: Int, within limit: Int
  ) throws(ParquetError) {
    var (total, signs) = (0, Int32(0))
    for index in first..<first + count {
      let length = unsafe lengths.unsafeLoadUnaligned(fromByteOffset: index * 4, as: Int32.self)
      signs |= length
      total &+= Int(length)
    }
    guard signs >= 0 else { throw ParquetError(.malformed("byte array lengths: one is negative")) }
    guard total <= limit else {
      throw ParquetError(.truncated("\(count) byte arrays", needed: total, available: limit))
    }
  }

  /// Appends the bytes of `count` values to `data` and the Int32 offset of each one's end to `ends`.
  /// - Parameter limit: bytes that `data` may grow to: prefixes can make a page's values far larger than the page.
  static func appendPrefixed(
    _ bytes: RawSpan, count: Int, ends: inout BufferBuilder, data: inout BufferBuilder, limit: Int,
    longs: inout BufferBuilder
  ) throws(ParquetError) {
    guard count > 0 else { return }
    var cursor = ByteCursor(bytes)
    var prefixes = BufferBuilder(capacity: min(count, bytes.byteCount) * 4)
    try DeltaBinaryPackedDecoder.append(
      &cursor, count: count, as: Int32.self, to: &prefixes, scratch: &longs)
    var suffixes = BufferBuilder(capacity: bytes.byteCount)
    var suffixEnds = BufferBuilder(capacity: min(count, bytes.byteCount) * 4)
    try appendLengthEncoded(cursor.rest(), count: count, ends: &suffixEnds, data: &suffixes, longs: &longs)
    let total = try prefixedByteCount(prefixes.bytes, suffixEnds.bytes, count: count, limit: limit)
    let base = data.byteCount
    guard total <= limit - base else {
      throw ParquetError(.limitExceeded("column data", value: base + total, limit: limit))
    }
    try PlainDecoder.requireOffsets(base + total)
    unsafe data.appendUnsafely(capacity: total) { room in
      unsafe join(
        prefixes: prefixes.bytes, suffixEnds: suffixEnds.bytes, suffixes: suffixes.bytes, count: count,
        base: base, ends: &ends, into: room)
      return total
    }
  }

  /// The bytes of all values with their prefixes, none of which is longer than the value before.
  private static func prefixedByteCount(
    _ prefixes: RawSpan, _ suffixEnds: RawSpan, count: Int, limit: Int
  ) throws(ParquetError) -> Int {
    var (total, length, start) = (0, 0, 0)
    for index in 0..<count {
      let prefix = Int(unsafe prefixes.unsafeLoadUnaligned(fromByteOffset: index * 4, as: Int32.self))
      let end = Int(unsafe suffixEnds.unsafeLoadUnaligned(fromByteOffset: index * 4, as: Int32.self))
      guard prefix >= 0, prefix <= length else {
        throw ParquetError(.outOfRange("prefix length", value: prefix, limit: length))
      }
      length = prefix + end - start
      start = end
      total += length
    }
    return total
  }

  private static func join(
    prefixes: RawSpan, suffixEnds: RawSpan, suffixes: RawSpan, count: Int, base: Int, ends: inout BufferBuilder,
    into room: UnsafeMutableRawBufferPointer
  ) {
    var (last, written, start) = (0, 0, 0)
    for index in 0..<count {
      let prefix = Int(unsafe prefixes.unsafeLoadUnaligned(fromByteOffset: index * 4, as: Int32.self))
      let end = Int(unsafe suffixEnds.unsafeLoadUnaligned(fromByteOffset: index * 4, as: Int32.self))
      unsafe room.baseAddress.map { room in
        unsafe (room + written).copyMemory(from: room + last, byteCount: prefix)
        unsafe suffixes.withUnsafeBytes { source in
          guard end > start, let source = source.baseAddress else { return }
          unsafe (room + written + prefix).copyMemory(from: source + start, byteCount: end - start)
        }
      }
      last = written
      written += prefix + end - start
      start = end
      ends.append(Int32(truncatingIfNeeded: base + written))
    }
  }
}
