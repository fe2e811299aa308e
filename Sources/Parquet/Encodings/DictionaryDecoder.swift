import Buffers

/// Replaces dictionary indices by the values they stand for.
/// - Source: Parquet `Encodings.md`, "Dictionary Encoding (PLAIN_DICTIONARY = 2 and RLE_DICTIONARY = 8)".
enum DictionaryDecoder {
  /// Appends the `count` indices of a page as UInt32, all of them below `limit`.
  static func appendIndices(
    _ bytes: RawSpan, count: Int, limit: Int, to output: inout BufferBuilder
  ) throws(ParquetError) {
    guard count > 0 else { return }
    var cursor = ByteCursor(bytes)
    let width = Int(try cursor.byte(of: "dictionary index width"))
    guard width <= 32 else { throw ParquetError(.outOfRange("dictionary index width", value: width, limit: 32)) }
    let start = output.byteCount
    var runs = RunLengthDecoder(cursor.rest(), width: width)
    try runs.appendWords(count: count, to: &output)
    let largest = largest(output.bytes.extracting(start..<output.byteCount), count: count)
    guard Int(largest) < limit else {
      throw ParquetError(.outOfRange("dictionary index", value: Int(largest), limit: limit - 1))
    }
  }

  private static func largest(_ indices: RawSpan, count: Int) -> UInt32 {
    unsafe indices.withUnsafeBytes { source in
      let indices = unsafe source.baseAddress!.assumingMemoryBound(to: UInt32.self)
      var largest: UInt32 = 0
      for index in 0..<count { largest = max(largest, unsafe indices[index]) }
      return largest
    }
  }

  /// Appends the values of `width` bytes that `count` indices stand for.
  /// - Precondition: every index is below the number of `values`.
  static func gather(
    _ indices: RawSpan, count: Int, from values: Buffer, width: Int, to output: inout BufferBuilder
  ) {
    guard count > 0 else { return }
    switch width {
    case 1: gather(indices, count, values, as: UInt8.self, &output)
    case 2: gather(indices, count, values, as: UInt16.self, &output)
    case 4: gather(indices, count, values, as: UInt32.self, &output)
    case 8: gather(indices, count, values, as: UInt64.self, &output)
    case 16: gather(indices, count, values, as: SIMD2<UInt64>.self, &output)
    default: gather(indices, count, values, width: width, &output)
    }
  }

  @inline(__always)
  private static func gather<Value: BitwiseCopyable>(
    _ indices: RawSpan, _ count: Int, _ values: Buffer, as type: Value.Type, _ output: inout BufferBuilder
  ) {
    let size = MemoryLayout<Value>.stride
    unsafe output.appendUnsafely(capacity: count * size) { room in
      unsafe indices.withUnsafeBytes { indices in
        unsafe values.withUnsafeBytes { values in
          let indices = unsafe indices.baseAddress!.assumingMemoryBound(to: UInt32.self)
          let values = values.baseAddress!
          let room = room.baseAddress!
          for index in 0..<count {
            let value = unsafe values.loadUnaligned(fromByteOffset: Int(indices[index]) &* size, as: Value.self)
            unsafe room.storeBytes(of: value, toByteOffset: index &* size, as: Value.self)
          }
        }
      }
      return count * size
    }
  }

  private static func gather(
    _ indices: RawSpan, _ count: Int, _ values: Buffer, width: Int, _ output: inout BufferBuilder
  ) {
    output.reserve(count * width)
    for index in 0..<count {
      let place = Int(unsafe indices.unsafeLoadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
      output.append(values.bytes.extracting(place * width..<(place + 1) * width))
    }
  }

  /// Appends the byte arrays that `count` indices stand for to `data`, and the Int32 offset of each one's end to
  /// `ends`.
  /// - Parameters:
  ///   - offsets: one more Int32 than there are values, from 0 on.
  ///   - values: memory of a `BufferBuilder`, which is readable past its end.
  ///   - limit: bytes that `data` may grow to.
  /// - Precondition: every index is below the number of values.
  static func gatherByteArrays(
    _ indices: RawSpan, count: Int, offsets: Buffer, values: Buffer, ends: inout BufferBuilder,
    data: inout BufferBuilder, limit: Int
  ) throws(ParquetError) {
    guard count > 0 else { return }
    let base = data.byteCount
    var total = 0
    unsafe ends.appendUnsafely(capacity: count * 4) { room in
      let ends = unsafe room.baseAddress!.assumingMemoryBound(to: Int32.self)
      unsafe indices.withUnsafeBytes { indices in
        unsafe offsets.withUnsafeBytes { offsets in
          let indices = unsafe indices.baseAddress!.assumingMemoryBound(to: UInt32.self)
          let offsets = unsafe offsets.baseAddress!.assumingMemoryBound(to: Int32.self)
          for index in 0..<count {
            let place = Int(unsafe indices[index])
            total &+= Int(unsafe offsets[place &+ 1] &- offsets[place])
            unsafe ends[index] = Int32(truncatingIfNeeded: base &+ total)
          }
        }
      }
      return count * 4
    }
    guard total <= limit - base else {
      throw ParquetError(.limitExceeded("column data", value: base + total, limit: limit))
    }
    try PlainDecoder.requireOffsets(base + total)
    guard total > 0 else { return }
    unsafe data.appendUnsafely(capacity: total) { room in
      unsafe copy(indices, count: count, offsets: offsets, values: values, into: room)
      return total
    }
  }

  private static func copy(
    _ indices: RawSpan, count: Int, offsets: Buffer, values: Buffer, into room: UnsafeMutableRawBufferPointer
  ) {
    guard var target = room.baseAddress else { return }
    unsafe indices.withUnsafeBytes { indices in
      unsafe offsets.withUnsafeBytes { offsets in
        unsafe values.withUnsafeBytes { values in
          guard let values = values.baseAddress else { return }
          let indices = unsafe indices.baseAddress!.assumingMemoryBound(to: UInt32.self)
          let offsets = unsafe offsets.baseAddress!.assumingMemoryBound(to: Int32.self)
          for index in 0..<count {
            let place = Int(unsafe indices[index])
            let start = Int(unsafe offsets[place])
            let length = Int(unsafe offsets[place &+ 1]) &- start
            // Both ends have slack behind them, and the next value overwrites what is written too much.
            if length <= 16 {
              unsafe target.copyMemory(from: values + start, byteCount: 16)
            } else {
              unsafe target.copyMemory(from: values + start, byteCount: length)
            }
            unsafe target += length
          }
        }
      }
    }
  }
}
