import Buffers
import CBitPacking

/// Unpacks values stored at a fixed number of bits each, least significant bit first.
/// - Source: Parquet `Encodings.md`, "Run Length Encoding / Bit-Packing Hybrid (RLE = 3)".
enum BitUnpackingDecoder {
  /// Blocks of 32 values read whole words, up to this many bytes past their own.
  private static let overread = 16

  /// Appends `count` values of `width` bits, 0...8, as bytes.
  /// - Precondition: `bytes` holds ⌈`count` × `width` / 8⌉ bytes.
  static func appendBytes(_ bytes: RawSpan, width: Int, count: Int, to output: inout BufferBuilder) {
    unsafe append(bytes, width: width, count: count, as: UInt8.self, to: &output) { source, room, blocks in
      unsafe bits_unpack_u8(source, room, blocks, UInt32(width))
    }
  }

  /// Appends `count` values of `width` bits, 0...32, as UInt32.
  /// - Precondition: `bytes` holds ⌈`count` × `width` / 8⌉ bytes.
  static func appendWords(_ bytes: RawSpan, width: Int, count: Int, to output: inout BufferBuilder) {
    unsafe append(bytes, width: width, count: count, as: UInt32.self, to: &output) { source, room, blocks in
      unsafe bits_unpack_u32(source, room, blocks, UInt32(width))
    }
  }

  /// Appends `count` values of `width` bits, 0...64, as UInt64.
  /// - Precondition: `bytes` holds ⌈`count` × `width` / 8⌉ bytes.
  static func appendLongs(_ bytes: RawSpan, width: Int, count: Int, to output: inout BufferBuilder) {
    unsafe append(bytes, width: width, count: count, as: UInt64.self, to: &output) { source, room, blocks in
      unsafe bits_unpack_u64(source, room, blocks, UInt32(width))
    }
  }

  /// Unpacks what blocks it can in place, and the rest from a copy with room behind it.
  @inline(__always)
  private static func append<T: BitwiseCopyable>(
    _ bytes: RawSpan, width: Int, count: Int, as type: T.Type, to output: inout BufferBuilder,
    _ unpack: (UnsafePointer<UInt8>, UnsafeMutablePointer<T>, Int) -> Void
  ) {
    let byteCount = (count * width + 7) / 8
    precondition(byteCount <= bytes.byteCount, "\(count) values of \(width) bits in \(bytes.byteCount) bytes")
    let blocks = (count + 31) / 32
    let stride = 4 * width
    let direct = width == 0 ? blocks : min(count / 32, max(0, bytes.byteCount - overread) / stride)
    unsafe output.appendUnsafely(capacity: blocks * 32 * MemoryLayout<T>.stride) { room in
      let start = unsafe room.baseAddress!.assumingMemoryBound(to: T.self)
      unsafe withUnsafeTemporaryAllocation(byteCount: 4 * 64 + overread, alignment: 8) { copy in
        let padded = copy.baseAddress!
        unsafe bytes.withUnsafeBytes { source in
          let input = unsafe (source.baseAddress ?? UnsafeRawPointer(padded)).assumingMemoryBound(to: UInt8.self)
          unsafe unpack(input, start, direct)
          for block in direct..<blocks {
            let left = min(stride, byteCount - block * stride)
            unsafe padded.initializeMemory(as: UInt8.self, repeating: 0, count: stride + overread)
            unsafe padded.copyMemory(from: input + block * stride, byteCount: left)
            unsafe unpack(padded.assumingMemoryBound(to: UInt8.self), start + block * 32, 1)
          }
        }
      }
      return count * MemoryLayout<T>.stride
    }
  }
}
