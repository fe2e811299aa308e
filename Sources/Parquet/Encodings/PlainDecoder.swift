import Buffers

/// Decodes values that stand one after the other: fixed-width ones as they are, booleans as bits, byte arrays behind
/// their lengths.
/// - Source: Parquet `Encodings.md`, "Plain (PLAIN = 0)".
enum PlainDecoder {
  static func appendFixed(
    _ bytes: RawSpan, width: Int, count: Int, to output: inout BufferBuilder
  ) throws(ParquetError) {
    var cursor = ByteCursor(bytes)
    output.append(try cursor.take(count * width, of: "\(count) PLAIN values"))
  }

  static func appendBooleans(_ bytes: RawSpan, count: Int, to output: inout BitmapBuilder) throws(ParquetError) {
    var cursor = ByteCursor(bytes)
    output.append(packed: try cursor.take((count + 7) / 8, of: "\(count) PLAIN booleans"), count: count)
  }

  /// Appends the bytes of `count` values to `data` and the Int32 offset of each one's end to `ends`.
  static func appendByteArrays(
    _ bytes: RawSpan, count: Int, ends: inout BufferBuilder, data: inout BufferBuilder
  ) throws(ParquetError) {
    guard count <= bytes.byteCount / 4 else {
      throw ParquetError(.truncated("\(count) PLAIN byte arrays", needed: count * 4, available: bytes.byteCount))
    }
    let base = data.byteCount
    try requireOffsets(base + bytes.byteCount)
    var copied = 0
    unsafe ends.appendUnsafely(capacity: count * 4) { ends in
      unsafe data.appendUnsafely(capacity: bytes.byteCount) { room in
        unsafe bytes.withUnsafeBytes { source in
          let result = unsafe copyByteArrays(
            source, count: count, base: base, ends: ends.assumingMemoryBound(to: Int32.self), into: room)
          copied = result.count
          return result.byteCount
        }
      }
      return copied * 4
    }
    guard copied == count else {
      throw ParquetError(.truncated("\(count) PLAIN byte arrays", needed: count, available: copied))
    }
  }

  /// Answers how many values were whole, and the bytes they take.
  private static func copyByteArrays(
    _ source: UnsafeRawBufferPointer, count: Int, base: Int, ends: UnsafeMutableBufferPointer<Int32>,
    into room: UnsafeMutableRawBufferPointer
  ) -> (count: Int, byteCount: Int) {
    var (position, written) = (0, 0)
    for index in 0..<count {
      guard source.count &- position >= 4 else { return (index, written) }
      let length = Int(unsafe source.loadUnaligned(fromByteOffset: position, as: UInt32.self))
      position &+= 4
      guard length <= source.count &- position else { return (index, written) }
      let from = unsafe source.baseAddress! + position
      let to = unsafe room.baseAddress! + written
      if length <= 16, source.count &- position >= 16 {
        // The room has slack behind it, and what is written too much the next value overwrites.
        unsafe to.copyMemory(from: from, byteCount: 16)
      } else {
        unsafe to.copyMemory(from: from, byteCount: length)
      }
      position &+= length
      written &+= length
      unsafe ends[index] = Int32(truncatingIfNeeded: base &+ written)
    }
    return (count, written)
  }

  /// The bytes that the first `count` byte arrays take with their lengths.
  static func byteCount(ofArrays count: Int, in bytes: RawSpan) throws(ParquetError) -> Int {
    var cursor = ByteCursor(bytes)
    for _ in 0..<count {
      let length = try cursor.length(of: "PLAIN byte array")
      _ = try cursor.take(length, of: "PLAIN byte array")
    }
    return cursor.offset
  }

  /// Arrow's offsets end at 2 GiB.
  static func requireOffsets(_ byteCount: Int) throws(ParquetError) {
    guard byteCount <= Int(Int32.max) else {
      throw ParquetError(.limitExceeded("column data", value: byteCount, limit: Int(Int32.max)))
    }
  }
}
