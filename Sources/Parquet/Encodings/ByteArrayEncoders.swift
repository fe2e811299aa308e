import Buffers

/// Byte arrays one after the other: value `i` lies in `data` up to `ends[i]`, from where its predecessor ends.
struct ByteArrays: ~Escapable {
  let ends: Span<Int32>
  let data: RawSpan

  @_lifetime(copy ends, copy data)
  init(ends: Span<Int32>, data: RawSpan) {
    self.ends = ends
    self.data = data
  }

  var count: Int { ends.count }

  @inline(__always) func range(_ index: Int) -> Range<Int> {
    unsafe Range(uncheckedBounds: (index == 0 ? 0 : Int(ends[index &- 1]), Int(ends[index])))
  }

  @_lifetime(copy self) @inline(__always)
  func bytes(_ index: Int) -> RawSpan { data.extracting(range(index)) }
}

/// Each value behind its length in four bytes.
/// - Source: Parquet `Encodings.md`, "Plain: (PLAIN = 0)".
enum PlainByteArrayEncoder {
  static func encode(_ values: borrowing ByteArrays, into output: inout BufferBuilder) {
    output.reserve(values.count * 4 + values.data.byteCount)
    for index in 0..<values.count {
      let bytes = values.bytes(index)
      output.append(UInt32(truncatingIfNeeded: bytes.byteCount))
      output.append(bytes)
    }
  }
}

/// All lengths, delta-encoded, then all bytes.
/// - Source: Parquet `Encodings.md`, "Delta-length byte array: (DELTA_LENGTH_BYTE_ARRAY = 6)".
enum DeltaLengthByteArrayEncoder {
  static func encode(_ values: borrowing ByteArrays, into output: inout BufferBuilder) {
    var lengths = [Int32](repeating: 0, count: values.count)
    for index in 0..<values.count { lengths[index] = Int32(truncatingIfNeeded: values.range(index).count) }
    DeltaBinaryPackedEncoder.encode(lengths.span, into: &output)
    output.append(values.data)
  }
}

/// How many bytes each value shares with its predecessor, delta-encoded, then the rest of each as delta-length byte
/// arrays. Fixed-length byte arrays are values of equal length here.
/// - Source: Parquet `Encodings.md`, "Delta Strings: (DELTA_BYTE_ARRAY = 7)".
enum DeltaByteArrayEncoder {
  static func encode(_ values: borrowing ByteArrays, into output: inout BufferBuilder) {
    var prefixes = [Int32](repeating: 0, count: values.count)
    var suffixes = [Int32](repeating: 0, count: values.count)
    for index in 0..<values.count {
      let shared = index == 0 ? 0 : sharedPrefix(values.bytes(index - 1), values.bytes(index))
      prefixes[index] = Int32(truncatingIfNeeded: shared)
      suffixes[index] = Int32(truncatingIfNeeded: values.range(index).count - shared)
    }
    DeltaBinaryPackedEncoder.encode(prefixes.span, into: &output)
    DeltaBinaryPackedEncoder.encode(suffixes.span, into: &output)
    for index in 0..<values.count { output.append(values.bytes(index).extracting(droppingFirst: Int(prefixes[index]))) }
  }

  private static func sharedPrefix(_ left: RawSpan, _ right: RawSpan) -> Int {
    let limit = min(left.byteCount, right.byteCount)
    return unsafe left.withUnsafeBytes { left in
      unsafe right.withUnsafeBytes { right in
        var index = 0
        while index < limit, unsafe left[index] == right[index] { index &+= 1 }
        return index
      }
    }
  }
}
